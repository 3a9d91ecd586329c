/** What entities offer in an export: authorization servers and API resources, removed ones too, for others follow them. */
import { z } from 'zod';
import { isEndpointUrl } from '../../../federation/identifiers.ts';
import { apiResources } from '../../../storage/schema/api-resources.ts';
import { authorizationServers } from '../../../storage/schema/authorization-servers.ts';
import { CERTIFICATION_STATUSES, MAX_ENDPOINTS } from '../../api-resources/api-resource.ts';
import { offerState, requireOrderedDates } from '../../offers/offer-state.ts';
import { invalidField } from '../../registry-error.ts';
import { iso, namedRecord, type RecordKind, readRows, references } from '../record-kind.ts';
import { each, id, moment, url, word } from '../record-schema.ts';

const DATES = { deprecatedAt: moment.nullable(), retiresAt: moment.nullable(), removedAt: moment.nullable() };

const SEMANTIC_VERSION = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

const serverSchema = z.strictObject({
  ...{ id, authorityId: id, entityId: id, issuer: url, ...DATES },
  supersededBy: id.nullable(),
});

export const AUTHORIZATION_SERVERS: RecordKind<z.infer<typeof serverSchema>> = {
  name: 'authorizationServers',
  subjectKind: 'authorization_server',
  action: 'authorization_server.import',
  table: authorizationServers,
  schema: serverSchema,
  settings: ['deprecatedAt', 'retiresAt', 'supersededBy'],
  restored: ['removedAt'],
  kept: [],
  nameOf: ({ issuer }) => issuer,
  read: async (db, which) =>
    (await readRows(db, authorizationServers, which)).map((row) => ({
      ...{ id: row.id, authorityId: row.authorityId, entityId: row.entityId, issuer: row.issuer },
      ...{ deprecatedAt: iso(row.deprecatedAt), retiresAt: iso(row.retiresAt), removedAt: iso(row.removedAt) },
      supersededBy: row.supersededBy,
    })),
  references: ({ authorityId, entityId, supersededBy }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('entities', [entityId], '/entityId'),
    ...references('authorizationServers', [supersededBy], '/supersededBy'),
  ],
  check(record, { known }) {
    const entity = namedRecord(known, 'entities', record.entityId);
    if (entity === undefined || Reflect.get(entity, 'entityIdentifier') !== record.issuer) {
      throw invalidField('/issuer', 'is not the Entity Identifier of its entity');
    }
    requireOrderedDates(datesOf(record));
  },
  columns: ({ id: _, ...server }, { now }) => ({ ...server, recordedState: recordedStateOf(server, now) }),
};

const apiSchema = z.strictObject({
  ...{ id, authorityId: id, authorizationServerId: id, family: word },
  apiVersion: z.string().max(64).regex(SEMANTIC_VERSION, 'is no version by Semantic Versioning'),
  endpoints: each(url, MAX_ENDPOINTS),
  requiredRoles: each(id, 50),
  audience: url.nullable(),
  certification: z.strictObject({
    status: z.enum(CERTIFICATION_STATUSES),
    uri: url.nullable(),
    from: moment.nullable(),
    to: moment.nullable(),
  }),
  ...DATES,
  supersededBy: id.nullable(),
});

export const API_RESOURCES: RecordKind<z.infer<typeof apiSchema>> = {
  name: 'apiResources',
  subjectKind: 'api_resource',
  action: 'api_resource.import',
  table: apiResources,
  schema: apiSchema,
  settings: [
    ...['endpoints', 'requiredRoles', 'audience', 'certification', 'deprecatedAt', 'retiresAt', 'supersededBy'],
  ],
  restored: ['removedAt'],
  kept: [],
  nameOf: ({ family, apiVersion }) => `${family} ${apiVersion}`,
  read: async (db, which) =>
    (await readRows(db, apiResources, which)).map((row) => ({
      ...{ id: row.id, authorityId: row.authorityId, authorizationServerId: row.authorizationServerId },
      ...{ family: row.family, apiVersion: row.apiVersion, endpoints: row.endpoints },
      ...{ requiredRoles: row.requiredRoles, audience: row.audience },
      certification: {
        ...{ status: row.certificationStatus, uri: row.certificationUri },
        ...{ from: iso(row.certificationFrom), to: iso(row.certificationTo) },
      },
      ...{ deprecatedAt: iso(row.deprecatedAt), retiresAt: iso(row.retiresAt), removedAt: iso(row.removedAt) },
      supersededBy: row.supersededBy,
    })),
  references: ({ authorityId, authorizationServerId, requiredRoles, supersededBy }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('authorizationServers', [authorizationServerId], '/authorizationServerId'),
    ...references('roles', requiredRoles, '/requiredRoles'),
    ...references('apiResources', [supersededBy], '/supersededBy'),
  ],
  check(record, { allowHttp }) {
    record.endpoints.forEach((endpoint, index) => {
      if (!isEndpointUrl(endpoint, { allowHttp })) throw invalidField(`/endpoints/${index}`, 'is no https URL');
    });
    const { uri, from, to } = record.certification;
    if (uri !== null && !isEndpointUrl(uri, { allowHttp })) throw invalidField('/certification/uri', 'is no https URL');
    if (from !== null && to !== null && from > to) throw invalidField('/certification/to', 'is before its beginning');
    requireOrderedDates(datesOf(record));
  },
  columns: ({ id: _, certification: { status, uri, from, to }, ...api }, { now }) => ({
    ...api,
    ...{ certificationStatus: status, certificationUri: uri, certificationFrom: from, certificationTo: to },
    recordedState: recordedStateOf(api, now),
  }),
};

interface Dates {
  deprecatedAt: string | null;
  retiresAt: string | null;
  removedAt: string | null;
}

function datesOf({ deprecatedAt, retiresAt, removedAt }: Dates) {
  const date = (text: string | null) => (text === null ? null : new Date(text));
  return { deprecatedAt: date(deprecatedAt), retiresAt: date(retiresAt), removedAt: date(removedAt) };
}

/** Nobody is told of dates that came before it did. */
function recordedStateOf(dates: Dates, now: Date) {
  return offerState({ ...datesOf(dates), removedAt: null }, now);
}
