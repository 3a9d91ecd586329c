/** A federation made up, of any size, as a document that can be imported. */
import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { JsonObject } from '../../../src/federation/json.ts';
import { createRecordIds } from '../../../src/registry/record-id.ts';
import { EXPORT_FORMAT } from '../../../src/registry/transfer/export-registry.ts';
import type { KindName } from '../../../src/registry/transfer/record-kind.ts';

export type Records = Partial<Record<KindName, JsonObject[]>>;

export interface ExportDocument {
  format: string;
  records: Records;
}

const newId = createRecordIds(() => Date.now());

const SINCE = '2025-03-01T08:00:00.000Z';

/**
 * A federation: an authority with a role, organisations of ten active entities each, which have it; every entity has a
 * Federation Entity Key and a transport key.
 * @param authority the record of the authority, as exported; left out, one without keys is made up
 */
export async function federationDocument(entities: number, authority: JsonObject): Promise<ExportDocument> {
  const authorityId = String(authority['id']);
  const state = { is: 'active', reason: 'contract signed', reasonCode: 'other', since: SINCE, until: null };
  const domain = { id: newId(), authorityId, name: `domain ${newId()}`, description: null };
  const role = {
    ...{ id: newId(), authorityId, domainId: domain.id, name: 'payments', description: null, scopes: ['payments'] },
    ...{ grantTypes: [], entityType: 'openid_relying_party', trustMarkTypes: [], approvals: 1, state: 'active' },
    metadataPolicy: { openid_relying_party: { contacts: { add: ['ops@federation.example'] } } },
  };
  const records = {
    ...{ authorities: [authority], organisations: [] as JsonObject[], contacts: [] as JsonObject[] },
    ...{ authorisationDomains: [domain], roles: [role], entities: [] as JsonObject[] },
    ...{ roleAssignments: [] as JsonObject[], entityRoles: [] as JsonObject[], credentials: [] as JsonObject[] },
  };
  let [organisationId, roleAssignmentId] = ['', ''];
  for (let index = 0; index < entities; index++) {
    if (index % 10 === 0) {
      [organisationId, roleAssignmentId] = [newId(), newId()];
      records.organisations.push({
        ...{ id: organisationId, authorityId, legalName: `Member ${index / 10} Ltd`, previousId: null, parentId: null },
        registration: { number: organisationId, register: 'Companies House', country: 'GB' },
        ...{ tags: ['bank'], state, terms: [] },
      });
      records.contacts.push({
        ...{ id: newId(), organisationId, type: 'incident', name: null, email: `soc@member-${index}.example` },
        pgpFingerprint: null,
      });
      records.roleAssignments.push({
        ...{ id: roleAssignmentId, authorityId, organisationId, roleId: role.id, registrationId: null },
        ...{ jurisdictions: ['GB'], validFrom: null, validTo: null },
      });
    }
    const entityId = newId();
    const [jwk, transport] = [await publicJwk(), await publicJwk()];
    records.entities.push({
      ...{ id: entityId, authorityId, organisationId, previousId: null, onBehalfOf: null, hosting: null },
      entityIdentifier: `https://${entityId}.member.example`,
      ...{ name: `Application ${index}`, mode: 'live', environment: 'production', enrolment: 'published' },
      ...{ registeredEntityTypes: ['openid_relying_party'], registeredIntermediate: false },
      ...{ verifiedEntityTypes: ['openid_relying_party'], verifiedIntermediate: false },
      metadata: { openid_relying_party: { client_name: `Application ${index}` } },
      ...{ metadataPolicy: {}, constraints: null, additionalClaims: {}, crit: [], statementLifetimeSeconds: null },
      checks: [{ check: 'configuration_valid', outcome: 'passed', detail: 'as it should be', at: SINCE }],
      evidence: { digest: entityId, claims: { jwks: { keys: [jwk] }, metadata: { openid_relying_party: {} } } },
      ...{ state, registeredAt: SINCE },
      keys: [
        {
          ...{
            kid: jwk['kid'] ?? '',
            publicJwk: jwk,
            position: 0,
            expiresAt: null,
            addedAt: SINCE,
            source: 'enrolment',
          },
          ...{ removedAt: null, removal: null, compromisedAt: null, compromiseReason: null },
        },
      ],
    });
    records.entityRoles.push({ id: newId(), entityId, roleAssignmentId });
    records.credentials.push({
      ...{ id: newId(), authorityId, entityId, kind: 'jwk', usage: 'transport', possession: 'proven' },
      ...{ environment: 'production', x5c: null, publicJwk: transport, notAfter: null },
      state: { is: 'active', reason: null, since: SINCE },
      ...{ revocation: null, supersedes: null, supersededAt: null },
    });
  }
  return { format: EXPORT_FORMAT, records };
}

async function publicJwk(): Promise<JsonObject> {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { kty = '', crv = '', x = '', y = '' } = publicKey.export({ format: 'jwk' }) as JWK;
  const kid = await calculateJwkThumbprint({ kty, crv, x, y });
  return { kty, crv, x, y, kid, alg: 'ES256', use: 'sig' };
}
