/** Wires EST: who is asked for a certificate, in whose name, and what hands it out. */
import type { EntityIdentifier } from './federation/identifiers.ts';
import type { EstDependencies, EstOutcome } from './http/est/est-routes.ts';
import type { ClientQuotas } from './http/federation/client-quotas.ts';
import { requestWithCode } from './registry/certification/certificate-codes.ts';
import type {
  CertificateOutcome,
  TokenlessCertificationContext,
} from './registry/certification/certificate-request.ts';
import type { CertifiedAuthorityRow } from './registry/certification/certification-authority.ts';
import type { IssueCertificate } from './registry/certification/issue-certificate.ts';
import { findPresented } from './registry/certification/presented-certificate.ts';
import {
  readCertifiedAuthorities,
  readCertifiedAuthority,
} from './registry/certification/read-certification-authority.ts';
import { reenrol } from './registry/certification/renew-certificate.ts';
import type { ChangeContext } from './registry/change.ts';
import { RegistryError } from './registry/registry-error.ts';
import type { Db } from './storage/connect.ts';

export interface EstParts {
  db: Db;
  quotas: ClientQuotas;
  issueCertificate: IssueCertificate;
  /** For a request over HTTP, by its id; its actor is nobody's. */
  changeContext: (requestId: string) => ChangeContext;
}

export function composeEst({ db, quotas, issueCertificate, changeContext }: EstParts): EstDependencies {
  const contextOf = (requestId: string): TokenlessCertificationContext => {
    const { actor: _, ...context } = changeContext(requestId);
    return { ...context, issueCertificate };
  };
  return {
    quotas,
    async chainOf(id) {
      const { x5c } = id === undefined ? await onlyActive(db) : await named(db, id);
      return x5c.map((certificate) => Buffer.from(certificate, 'base64'));
    },
    enrol: async ({ requestId, ...asked }) => outcomeOf(await requestWithCode(contextOf(requestId), withIssuer(asked))),
    async reenrol({ requestId, x5tS256, ...asked }) {
      const presented = await findPresented(db, x5tS256);
      return outcomeOf(await reenrol(contextOf(requestId), { presented, ...withIssuer(asked) }));
    },
  };
}

/** Whom the client asks, where the path names one. */
function withIssuer<Asked extends { certificationAuthorityId: string | undefined }>({
  certificationAuthorityId,
  ...asked
}: Asked) {
  return certificationAuthorityId === undefined ? asked : { ...asked, certificationAuthorityId };
}

function outcomeOf({ request, credential }: CertificateOutcome): EstOutcome {
  const [leaf] = credential?.x5c ?? [];
  const certificate = leaf === undefined ? null : Buffer.from(leaf, 'base64');
  return { entityIdentifier: request.entityIdentifier as EntityIdentifier, certificate };
}

async function named(db: Db, id: string): Promise<CertifiedAuthorityRow> {
  const row = await readCertifiedAuthority(db, id);
  if (row !== undefined) return row;
  throw new RegistryError('not_found', `there is no certification authority ${id}, or it has no certificate yet`);
}

async function onlyActive(db: Db): Promise<CertifiedAuthorityRow> {
  const active = (await readCertifiedAuthorities(db)).filter(({ state }) => state === 'active');
  const [only, another] = active;
  if (only !== undefined && another === undefined) return only;
  const message =
    only === undefined
      ? 'no certification authority is active here'
      : 'there are several certification authorities here; name one in the path: /.well-known/est/{id}/cacerts';
  throw new RegistryError('not_found', message);
}
