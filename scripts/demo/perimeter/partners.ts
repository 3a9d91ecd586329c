/** Two partners come: an organisation, its application, the certificate that it connects with, and its role. */
import type { EntityRecord, OrganisationRecord } from '../../../src/cli/api-records.ts';
import { credentialSchema } from '../../../src/cli/credential/credential-records.ts';
import { entityRolesSchema, organisationRoleSchema } from '../../../src/cli/role/role-records.ts';
import { addOrganisation, approveEntity, enrolEntity } from '../enrolment.ts';
import { short } from '../narrator.ts';
import { publishPartner } from '../partner-program.ts';
import { freePorts, type Stage } from '../stage.ts';
import { API, OTHER_PARTNER, PARTNER, type Part } from './cast.ts';
import type { Certified } from './certificates.ts';
import type { Registry } from './registry.ts';

export interface Partner {
  part: Part;
  entity: string;
  organisation: OrganisationRecord;
  record: EntityRecord;
  certified: Certified;
}

/** For so long the authorization server may go by the metadata that it resolved; who is let in it asks each time. */
const MAX_AGE_SECONDS = 60;

export async function admitPartners(stage: Stage, registry: Registry): Promise<{ partner: Partner; other: Partner }> {
  stage.narrator.scene(
    'Two partners are enrolled',
    'Each with a certificate of the same authority, registered for its application, and with the role.',
  );
  const partner = await admitPartner(stage, registry, PARTNER);
  const other = await admitPartner(stage, registry, OTHER_PARTNER);
  return { partner, other };
}

async function admitPartner(stage: Stage, registry: Registry, part: Part): Promise<Partner> {
  const { api, trustAnchor, partnerCa } = registry;
  const { role, folder, entityType, legalName, contact } = part;
  const [port = 0] = await freePorts(1);
  const entity = `http://localhost:${port}`;
  const certified = await partnerCa.issueToClient(legalName);
  const program = { role, folder, entityType, name: legalName, entity, superior: trustAnchor };
  const published = {
    client_name: role,
    grant_types: ['client_credentials'],
    response_types: [],
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    tls_client_certificate_bound_access_tokens: true,
    scope: API.scope,
    jwks: { keys: [certified.jwk] },
  };
  await publishPartner(stage, {
    ...program,
    published: JSON.parse(JSON.stringify(published)),
    maxAgeSeconds: MAX_AGE_SECONDS,
  });
  const organisation = await addOrganisation(stage, api, { authority: trustAnchor, legalName, contact });
  const enrolled = await enrolEntity(stage, api, { organisation, entityIdentifier: entity, entityTypes: [entityType] });
  const record = await approveEntity(stage, api, enrolled, 'contract signed');
  await equip(stage, registry, { organisation, record, certified });
  return { part, entity, organisation, record, certified };
}

/** Registers the certificate and gives the role. */
async function equip(
  { narrator }: Stage,
  { api, role }: Registry,
  { organisation, record, certified }: Pick<Partner, 'organisation' | 'record' | 'certified'>,
): Promise<void> {
  await narrator.step(
    () => {
      const body = { usage: 'transport', certificate: certified.certificate };
      return api.send({ method: 'POST', path: `entities/${record.id}/credentials`, body }, credentialSchema);
    },
    ({ subject, state }) => short(`certificate ${subject}: ${state}`),
    'POST /api/v1/entities/{id}/credentials',
  );
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
