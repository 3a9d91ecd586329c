/** Certification authorities that wait for their certificate, what roots make of their requests, and what can be done with them. */
import { createPublicKey } from 'node:crypto';
import type { JsonObject } from '../../src/federation/json.ts';
import { certificationKeys } from '../../src/issuance/certificates/certification-keys.ts';
import { STAFF_ROLES } from '../../src/registry/actor.ts';
import { activateCertificationAuthority } from '../../src/registry/certification/activate-certification-authority.ts';
import type { CertificationAuthority } from '../../src/registry/certification/certification-authority.ts';
import {
  type CertificationDefaults,
  createCertificationAuthority,
  type NewCertificationAuthority,
} from '../../src/registry/certification/create-certification-authority.ts';
import { type NewOcspSigner, recordOcspSigner } from '../../src/registry/certification/ocsp-signers.ts';
import {
  listCertificationAuthorities,
  readCertificationAuthority,
} from '../../src/registry/certification/read-certification-authority.ts';
import { retireCertificationAuthority } from '../../src/registry/certification/retire-certification-authority.ts';
import { updateCertificationAuthority } from '../../src/registry/certification/update-certification-authority.ts';
import { basicConstraints, CERTIFICATE_SIGNING, subjectKeyId } from './certificate-paths.ts';
import {
  type CertificatePlan,
  certificate,
  distinguishedName,
  ecKey,
  pem,
  type TestExtension,
} from './certificates.ts';
import { type TestRoot, testRoot } from './certification.ts';
import { NOW_DATE, REASON, type TestRegistry, testSigner } from './registry.ts';
import type { Verb } from './registry-verbs.ts';

export const CERTIFICATION_DEFAULTS: CertificationDefaults = {
  generateKey: certificationKeys({ signer: testSigner, keyAlgorithm: 'ES256' }),
  publicUrl: 'https://fed.example',
};

let made = 0;

export async function pendingAuthority(
  registry: TestRegistry,
  { id }: { id: string },
  settings: Partial<NewCertificationAuthority> = {},
): Promise<CertificationAuthority> {
  const input = { name: `Waiting CA ${++made}`, ...settings };
  return await createCertificationAuthority(registry.context(), id, input, CERTIFICATION_DEFAULTS);
}

/** What stands in the certificate of an issuing authority; others take the place of those of their kind. */
export function issuerExtensions(...others: TestExtension[]): TestExtension[] {
  const types = new Set(others.map(({ type }) => type));
  return [basicConstraints(true, 0), CERTIFICATE_SIGNING, subjectKeyId(1)]
    .filter(({ type }) => !types.has(type))
    .concat(others);
}

/** DER of the certificate that a root gives for the key of one, valid from 2026 to 2036 unless told otherwise. */
export function certified(
  { publicJwk, name }: Pick<CertificationAuthority, 'publicJwk' | 'name'>,
  { key, name: issuer }: Pick<TestRoot, 'key' | 'name'>,
  plan: Omit<CertificatePlan, 'issuer' | 'key'> = {},
): Buffer {
  return certificate({
    issuer: { key, name: issuer },
    subject: distinguishedName({ CN: name }),
    extensions: issuerExtensions(),
    spki: createPublicKey({ key: { ...publicJwk }, format: 'jwk' }).export({ format: 'der', type: 'spki' }),
    ...plan,
  });
}

/** PEM of the chain that makes one active. */
export function chainFor(record: CertificationAuthority, root: TestRoot = testRoot()): string {
  return pem(certified(record, root), root.der);
}

const READS: Pick<Verb, 'roles' | 'scope' | 'audit'> = { roles: STAFF_ROLES, scope: 'authority', audit: [] };
const CHANGES = { roles: ['admin'], scope: 'authority' } as const;

export const CERTIFICATION_AUTHORITY_VERBS: Verb[] = [
  {
    ...{ name: 'readCertificationAuthority', ...READS },
    prepare: async (registry, authority) => {
      const { id } = await pendingAuthority(registry, authority);
      return ({ db, actor }) => readCertificationAuthority(db, actor, id);
    },
  },
  {
    ...{ name: 'listCertificationAuthorities', ...READS },
    prepare: async (registry, authority) => {
      await pendingAuthority(registry, authority);
      return ({ db, actor }) => listCertificationAuthorities(db, actor, { authorityId: authority.id }, { limit: 10 });
    },
  },
  {
    ...{ name: 'createCertificationAuthority', ...CHANGES, audit: ['certification_authority.create'] },
    prepare: async (_, { id }) => {
      const input = { name: `Waiting CA ${++made}` };
      return (context) => createCertificationAuthority(context, id, input, CERTIFICATION_DEFAULTS);
    },
  },
  {
    ...{ name: 'activateCertificationAuthority', ...CHANGES, audit: ['certification_authority.activate'] },
    prepare: async (registry, authority) => {
      const pending = await pendingAuthority(registry, authority);
      return (context) => activateCertificationAuthority(context, pending.id, chainFor(pending));
    },
  },
  {
    ...{ name: 'updateCertificationAuthority', ...CHANGES, audit: ['certification_authority.update'] },
    prepare: async (registry, authority) => {
      const { id } = await pendingAuthority(registry, authority);
      return (context) => updateCertificationAuthority(context, id, { overlapDays: 7 });
    },
  },
  {
    ...{ name: 'retireCertificationAuthority', ...CHANGES, audit: ['certification_authority.retire'] },
    prepare: async (registry, authority) => {
      const { id } = await pendingAuthority(registry, authority);
      return (context) => retireCertificationAuthority(context, id, REASON);
    },
  },
  {
    ...{ name: 'recordOcspSigner', roles: ['admin'], scope: 'deployment' },
    audit: ['certification_authority.renew_responder'],
    prepare: async (registry, authority) => {
      const { id: certificationAuthorityId } = await pendingAuthority(registry, authority);
      const { kid, publicJwk, sealedPrivateKey } = await testSigner.generateKey(
        certificationAuthorityId,
        'ES256',
        'ocsp-responder',
      );
      const signer: NewOcspSigner = {
        ...{
          certificationAuthorityId,
          kid,
          alg: 'ES256',
          publicJwk: publicJwk as JsonObject,
          custody: 'sealed',
          tokenObject: null,
        },
        ...{ sealedPrivateKey: Buffer.from(sealedPrivateKey ?? []), certificate: certificate({ key: ecKey() }) },
        ...{ notBefore: NOW_DATE, notAfter: new Date(NOW_DATE.getTime() + 86_400_000) },
      };
      return (context) => recordOcspSigner(context, signer);
    },
  },
];
