/** Two partners come: an organisation, its application, its role, and the certificate that its machine fetches and renews. */
import { X509Certificate } from 'node:crypto';
import type { EntityRecord, OrganisationRecord } from '../../../src/cli/api-records.ts';
import { entityRolesSchema, organisationRoleSchema } from '../../../src/cli/role/role-records.ts';
import type { JsonObject } from '../../../src/federation/json.ts';
import { addOrganisation, approveEntity, enrolEntity } from '../enrolment.ts';
import { editConfiguration, publishPartner } from '../partner-program.ts';
import { freePorts, type Stage } from '../stage.ts';
import type { Findings } from '../story.ts';
import { API, OTHER_PARTNER, PARTNER, type Part } from './cast.ts';
import type { Certified } from './certificates.ts';
import { enrolWithCode, makeCode, renew, tryCode } from './est.ts';
import type { Registry } from './registry.ts';

export interface Partner {
  part: Part;
  entity: string;
  organisation: OrganisationRecord;
  record: EntityRecord;
  certified: Certified;
  /** What it renewed, which counts beside the new one for some time. */
  before?: Certified;
}

/** For so long the authorization server may go by the metadata that it resolved; who is let in it asks each time. */
const MAX_AGE_SECONDS = 60;

export async function admitPartners(
  stage: Stage,
  registry: Registry,
  findings: Findings,
): Promise<{ partner: Partner; other: Partner }> {
  const { narrator } = stage;
  narrator.scene(
    'Two partners are enrolled',
    'Their machines make keys of their own, and get certificates for them with a code that is good once.',
  );
  const { code, ...enrolled } = await admitPartner(stage, registry, PARTNER);
  const status = await narrator.step(
    () => tryCode(stage, registry, code),
    (answered) => `the same code with another key: ${answered}`,
    'POST /.well-known/est/simpleenroll',
  );
  findings['usedCodeRefused'] = status === 401;
  const partner = await renewCertificate(stage, registry, enrolled);
  findings['renewed'] = partner.certified.certificate !== partner.before.certificate;
  await publishCertificates(stage, partner);
  const { code: _, ...other } = await admitPartner(stage, registry, OTHER_PARTNER);
  await publishCertificates(stage, other);
  return { partner, other };
}

async function admitPartner(stage: Stage, registry: Registry, part: Part): Promise<Partner & { code: string }> {
  const { narrator } = stage;
  const { api, trustAnchor } = registry;
  const { role, folder, entityType, legalName, contact } = part;
  const [port = 0] = await freePorts(1);
  const entity = `http://localhost:${port}`;
  const program = { role, folder, entityType, name: legalName, entity, superior: trustAnchor };
  const published = {
    client_name: role,
    grant_types: ['client_credentials'],
    response_types: [],
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    tls_client_certificate_bound_access_tokens: true,
    scope: API.scope,
  };
  await publishPartner(stage, { ...program, published, maxAgeSeconds: MAX_AGE_SECONDS });
  const organisation = await addOrganisation(stage, api, { authority: trustAnchor, legalName, contact });
  const enrolled = await enrolEntity(stage, api, { organisation, entityIdentifier: entity, entityTypes: [entityType] });
  const record = await approveEntity(stage, api, enrolled, 'contract signed');
  await giveRole(stage, registry, { organisation, record });
  const code = await narrator.step(
    () => makeCode(registry, record),
    () => 'a code for its machine, good once, within 24 hours',
    'POST /api/v1/entities/{id}/certificate-codes',
  );
  const certified = await narrator.step(
    () => enrolWithCode(stage, registry, folder, code),
    ({ certificate }) => `its certificate: ${subjectOf(certificate)}`,
    'openssl req -new …; POST /.well-known/est/simpleenroll',
  );
  return { part, entity, organisation, record, certified, code };
}

async function giveRole(
  { narrator }: Stage,
  { api, role }: Registry,
  { organisation, record }: Pick<Partner, 'organisation' | 'record'>,
): Promise<void> {
  await narrator.step(
    async () => {
      const body = { roleId: role.id };
      await api.send({ method: 'POST', path: `organisations/${organisation.id}/roles`, body }, organisationRoleSchema);
      return await api.send({ method: 'POST', path: `entities/${record.id}/roles`, body }, entityRolesSchema);
    },
    ({ roles }) => `its roles: ${roles.map((given) => given.role).join(', ')}`,
    'POST …/organisations/{id}/roles; …/entities/{id}/roles',
  );
}

/** With a new key, over a connection that shows the certificate before. */
async function renewCertificate(
  stage: Stage,
  registry: Registry,
  partner: Partner,
): Promise<Partner & Required<Pick<Partner, 'before'>>> {
  const { certified: before, part } = partner;
  const certified = await stage.narrator.step(
    () => renew(stage, registry, `${part.folder}-renewed`, before),
    () => 'renewed; the old one counts beside it for some days',
    'POST /.well-known/est/simplereenroll, over mTLS',
  );
  return { ...partner, certified, before };
}

/** In its metadata: an authorization server knows by them who connects. */
async function publishCertificates(stage: Stage, { part, certified, before }: Partner): Promise<void> {
  const keys = [certified, ...(before ? [before] : [])].map(({ jwk }) => jwk);
  await editConfiguration(stage, part.folder, (settings) => {
    const metadata = settings['metadata'] as JsonObject;
    const own = metadata[part.entityType] as JsonObject;
    return { ...settings, metadata: { ...metadata, [part.entityType]: { ...own, jwks: { keys } as JsonObject } } };
  });
}

/** Without the id of its record. */
function subjectOf(certificate: string): string {
  const parts = new X509Certificate(certificate).subject.split('\n');
  return parts.filter((part) => !part.startsWith('UID=')).join(', ');
}
