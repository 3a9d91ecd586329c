/** The perimeter in an export: enforcement points and token issuers without their secrets, and exceptions. */
import { eq, inArray, ne } from 'drizzle-orm';
import { z } from 'zod';
import { isEndpointUrl } from '../../../federation/identifiers.ts';
import { enforcementPoints } from '../../../storage/schema/enforcement-points.ts';
import { entityExceptions } from '../../../storage/schema/entity-exceptions.ts';
import { tokenIssuers } from '../../../storage/schema/token-issuers.ts';
import {
  CERTIFICATE_HEADER_FORMS,
  MAX_ALLOW_SAMPLE,
  MAX_STALENESS_SECONDS,
  newEnforcementPointToken,
} from '../../enforcement-points/enforcement-point.ts';
import { ENTITY_MODES } from '../../entities/entity-attributes.ts';
import { EXCEPTION_KINDS, MAX_EXCEPTION_DAYS } from '../../exceptions/exception.ts';
import { invalidField } from '../../registry-error.ts';
import { MAX_AUDIENCES, requireIssuer, requireValidIssuer } from '../../token-issuers/token-issuer.ts';
import { nameIn, type RecordKind, readRows, references } from '../record-kind.ts';
import { decidedState, each, id, jwks, line, lines, moment, url, word } from '../record-schema.ts';

const pointSchema = z.strictObject({
  ...{ id, authorityId: id, name: line(200), mode: z.enum(ENTITY_MODES), environment: word, apiId: id.nullable() },
  maxStalenessSeconds: z.int().min(1).max(MAX_STALENESS_SECONDS),
  isTokenRequired: z.boolean(),
  certificateHeader: z.enum(CERTIFICATE_HEADER_FORMS),
  hasToken: z.boolean(),
  clientX5tS256: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'is no SHA-256 in base64url')
    .nullable(),
  allowSample: z.int().min(0).max(MAX_ALLOW_SAMPLE),
  canaryUrl: url.nullable(),
  state: decidedState('active', 'suspended'),
});

export const ENFORCEMENT_POINTS: RecordKind<z.infer<typeof pointSchema>> = {
  name: 'enforcementPoints',
  subjectKind: 'enforcement_point',
  action: 'enforcement_point.import',
  table: enforcementPoints,
  schema: pointSchema,
  settings: [
    ...['name', 'apiId', 'maxStalenessSeconds', 'isTokenRequired', 'certificateHeader', 'allowSample', 'canaryUrl'],
  ],
  restored: ['clientX5tS256', 'state'],
  kept: ['hasToken'],
  nameOf: ({ name }) => name,
  read: async (db, which) =>
    (await readRows(db, enforcementPoints, which, ne(enforcementPoints.state, 'removed'))).map((row) => ({
      ...{ id: row.id, authorityId: row.authorityId, name: row.name, mode: row.mode, environment: row.environment },
      ...{ apiId: row.apiId, maxStalenessSeconds: row.maxStalenessSeconds, isTokenRequired: row.isTokenRequired },
      ...{ certificateHeader: row.certificateHeader, hasToken: row.tokenDigest !== null },
      ...{ clientX5tS256: row.clientX5tS256, allowSample: row.allowSample, canaryUrl: row.canaryUrl },
      state: {
        is: row.state === 'active' ? ('active' as const) : ('suspended' as const),
        ...{ reason: row.stateReason, since: row.stateChangedAt.toISOString() },
      },
    })),
  references: ({ authorityId, apiId }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('apiResources', [apiId], '/apiId'),
  ],
  check({ canaryUrl }, options) {
    if (canaryUrl !== null && !isEndpointUrl(canaryUrl, options)) throw invalidField('/canaryUrl', 'is no https URL');
  },
  columns: ({ id: _, hasToken: __, state, ...point }) => ({
    ...point,
    ...{ state: state.is, stateReason: state.reason, stateChangedAt: state.since },
  }),
  // A token that nobody knows, until it is rotated: without one a certificate alone would open what needed both.
  beginning: ({ hasToken }) => ({ tokenDigest: hasToken ? newEnforcementPointToken().tokenDigest : null }),
};

const issuerSchema = z.strictObject({
  ...{ id, authorityId: id, issuer: url, audiences: each(url, MAX_AUDIENCES), jwks: jwks.nullable() },
  jwksUri: url.nullable(),
  introspection: z
    .strictObject({
      endpoint: url,
      clientId: z.string().regex(/^[\x20-\x7e]{1,2048}$/, 'is no printable ASCII'),
      isSigned: z.boolean(),
    })
    .nullable(),
  acceptsUntypedTokens: z.boolean(),
});

type IssuerRecord = z.infer<typeof issuerSchema>;

export const TOKEN_ISSUERS: RecordKind<IssuerRecord> = {
  name: 'tokenIssuers',
  subjectKind: 'token_issuer',
  action: 'token_issuer.import',
  table: tokenIssuers,
  schema: issuerSchema,
  settings: ['audiences', 'jwks', 'jwksUri', 'acceptsUntypedTokens'],
  restored: [],
  // Its secret goes nowhere but where it was given for, so the place does not change beside it.
  kept: ['introspection'],
  nameOf: ({ issuer }) => issuer,
  read: async (db, which) =>
    (await readRows(db, tokenIssuers, which, eq(tokenIssuers.state, 'active'))).map((row) => {
      const { sealedSecret: _, state: __, version: ___, createdAt: ____, ...issuer } = row;
      return issuer;
    }),
  references: ({ authorityId }) => references('authorities', [authorityId], '/authorityId'),
  check(record, options) {
    requireIssuer(record.issuer, options);
    if (record.audiences.length === 0) throw invalidField('/audiences', 'names none');
    requireValidIssuer(record, options);
  },
  columns: ({ id: _, ...issuer }) => issuer,
  beginning: () => ({ state: 'active' }),
};

const exceptionSchema = z
  .strictObject({
    ...{ id, authorityId: id, entityId: id, kind: z.enum(EXCEPTION_KINDS), reason: lines(2000) },
    ...{ ownerId: z.string().min(1).max(200), ownerName: line(200) },
    ...{ requesterId: z.string().min(1).max(200), requesterName: line(200) },
    approver: z.strictObject({ id: z.string().min(1).max(200), name: line(200) }).nullable(),
    state: decidedState('pending', 'approved'),
    endsAt: moment,
    createdAt: moment,
  })
  .refine(
    ({ state, approver }) => (state.is === 'approved') === (approver !== null),
    'is approved by somebody, or is not',
  )
  .refine(({ approver, ownerId, requesterId }) => approver?.id !== ownerId && approver?.id !== requesterId, {
    error: 'is approved by who asked or answers for it',
  });

export const EXCEPTIONS: RecordKind<z.infer<typeof exceptionSchema>> = {
  name: 'exceptions',
  subjectKind: 'entity_exception',
  action: 'entity_exception.import',
  table: entityExceptions,
  schema: exceptionSchema,
  settings: [],
  restored: ['state', 'approver', 'endsAt'],
  kept: ['reason', 'ownerId', 'ownerName', 'requesterId', 'requesterName', 'createdAt'],
  nameOf: ({ kind, entityId }, known) => `${kind} of ${nameIn(known, 'entities', entityId, 'entityIdentifier')}`,
  read: async (db, which) =>
    (await readRows(db, entityExceptions, which, inArray(entityExceptions.state, ['pending', 'approved']))).map(
      (row) => ({
        ...{ id: row.id, authorityId: row.authorityId, entityId: row.entityId, kind: row.kind, reason: row.reason },
        ...{ ownerId: row.ownerId, ownerName: row.ownerName },
        ...{ requesterId: row.requesterId, requesterName: row.requesterName },
        approver: row.approverId === null ? null : { id: row.approverId, name: row.approverName ?? row.approverId },
        state: {
          is: row.state === 'approved' ? ('approved' as const) : ('pending' as const),
          ...{ reason: row.stateReason, since: row.stateChangedAt.toISOString() },
        },
        ...{ endsAt: row.endsAt.toISOString(), createdAt: row.createdAt.toISOString() },
      }),
    ),
  references: ({ authorityId, entityId }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('entities', [entityId], '/entityId'),
  ],
  // Who asked for it is what its four eyes go by, and stands in the document.
  isHeldBack: () => true,
  check({ createdAt, endsAt }, { now }) {
    const [begin, end] = [Date.parse(createdAt), Date.parse(endsAt)];
    if (begin > now.getTime()) throw invalidField('/createdAt', 'is in the future');
    if (end > begin && end <= begin + MAX_EXCEPTION_DAYS * 86_400_000) return;
    throw invalidField('/endsAt', `is not within ${MAX_EXCEPTION_DAYS} days of its beginning`);
  },
  columns: ({ id: _, approver, state, ...exception }) => ({
    ...exception,
    ...{ approverId: approver?.id ?? null, approverName: approver?.name ?? null },
    ...{ state: state.is, stateReason: state.reason, stateChangedAt: state.since },
  }),
};
