/** Entities in an export: what their superior says, what the checks saw, and their public keys, removed ones too. */
import { z } from 'zod';
import { checkJwkSet, MAX_KEYS } from '../../../federation/jwk-set.ts';
import type { Db, Tx } from '../../../storage/connect.ts';
import { entities, entityKeys } from '../../../storage/schema/entities.ts';
import { hostedEntities } from '../../../storage/schema/hosted-entities.ts';
import { authorityLocation } from '../../authorities/authority-location.ts';
import { inputJwkSet, inputSubordinate, MAX_ENTITY_TYPES } from '../../claims-input.ts';
import { ENTITY_MODES } from '../../entities/entity-attributes.ts';
import { MAX_KEYS_EVER, registrationComplaints } from '../../entities/keys/key-history.ts';
import { inputSubordinateSettings } from '../../entities/subordinate-settings.ts';
import { hostnameOf } from '../../hosting/hosting-place.ts';
import { invalidField } from '../../registry-error.ts';
import { LIVE_STATES } from '../../states.ts';
import {
  type Arrival,
  type CheckContext,
  iso,
  namedRecord,
  type RecordKind,
  type Rows,
  readChildren,
  readRows,
  references,
  type Which,
} from '../record-kind.ts';
import {
  claims,
  each,
  id,
  line,
  lines,
  moment,
  participantState,
  stateColumns,
  stateOf,
  url,
  word,
} from '../record-schema.ts';
import { arrivingState, requireClosed } from './organisations.ts';

const check = z.strictObject({
  check: line(200),
  outcome: z.enum(['passed', 'failed', 'skipped']),
  reason: z.string().max(200).optional(),
  detail: z.string().max(10_000),
  at: moment,
});

const key = z
  .strictObject({
    kid: z.string().min(1).max(512),
    publicJwk: claims,
    position: z.int().min(0).max(MAX_KEYS_EVER),
    expiresAt: moment.nullable(),
    addedAt: moment,
    source: z.enum(['enrolment', 'registrar', 'push', 'configuration']),
    removedAt: moment.nullable(),
    removal: z.enum(['enrolment', 'registrar', 'push', 'compromised']).nullable(),
    compromisedAt: moment.nullable(),
    compromiseReason: lines(2000).nullable(),
  })
  .refine(({ removedAt, removal }) => (removedAt === null) === (removal === null), 'was removed, or was not')
  .refine(({ removedAt, compromisedAt }) => compromisedAt === null || removedAt !== null, 'is compromised and there');

/** What is published for an entity whose configuration is made here; its keys stay where they are. */
const hosting = z.strictObject({
  metadata: claims,
  configurationLifetimeSeconds: z
    .int()
    .min(60)
    .max(90 * 86_400),
});

const entityType = line(200);

const schema = z.strictObject({
  ...{ id, authorityId: id, organisationId: id, previousId: id.nullable(), entityIdentifier: url },
  name: line(200).nullable(),
  mode: z.enum(ENTITY_MODES),
  environment: word,
  onBehalfOf: id.nullable(),
  enrolment: z.enum(['published', 'handed_over', 'hosted']),
  registeredEntityTypes: each(entityType, MAX_ENTITY_TYPES),
  registeredIntermediate: z.boolean(),
  verifiedEntityTypes: each(entityType, MAX_ENTITY_TYPES).nullable(),
  verifiedIntermediate: z.boolean().nullable(),
  ...{ metadata: claims, metadataPolicy: claims, constraints: claims.nullable(), additionalClaims: claims },
  crit: each(line(200), 50),
  statementLifetimeSeconds: z.int().nullable(),
  checks: z.array(check).max(100),
  evidence: claims,
  state: participantState,
  registeredAt: moment.nullable(),
  keys: z.array(key).max(MAX_KEYS_EVER),
  hosting: hosting.nullable(),
});

export type EntityTransferRecord = z.infer<typeof schema>;

export const ENTITIES: RecordKind<EntityTransferRecord> = {
  name: 'entities',
  subjectKind: 'entity',
  action: 'entity.import',
  table: entities,
  schema,
  settings: [
    'name',
    'metadata',
    'metadataPolicy',
    'constraints',
    'additionalClaims',
    'crit',
    'statementLifetimeSeconds',
  ],
  restored: [
    ...['state', 'onBehalfOf', 'registeredAt', 'verifiedEntityTypes', 'verifiedIntermediate', 'checks', 'evidence'],
  ],
  kept: ['keys', 'hosting', 'enrolment', 'registeredEntityTypes', 'registeredIntermediate'],
  nameOf: ({ entityIdentifier }) => entityIdentifier,
  read: readEntityRecords,
  references: ({ authorityId, organisationId, previousId, onBehalfOf }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('organisations', [organisationId], '/organisationId'),
    ...references('entities', [previousId], '/previousId'),
    ...references('organisations', [onBehalfOf], '/onBehalfOf'),
  ],
  isHeldBack: ({ state }) => !LIVE_STATES.includes(state.is),
  // What checks saw elsewhere is a word of the document: they look anew here.
  arriving: (record) => {
    const unseen = { verifiedEntityTypes: null, verifiedIntermediate: null, checks: [], evidence: {} };
    return { ...record, ...unseen, state: arrivingState(record.state), registeredAt: null };
  },
  check: checkEntity,
  columns: ({ id: _, keys: __, hosting: ___, state, ...entity }, context) => ({
    ...entity,
    ...inputSubordinateSettings(entity, entity.entityIdentifier, context),
    ...stateColumns(state),
    updatedAt: context.now,
  }),
  beginning: (_, { actor }) => ({ addedBy: actor.id }),
  children: childrenOf,
};

async function checkEntity(entity: EntityTransferRecord, context: CheckContext): Promise<void> {
  const { known, now } = context;
  const authority = namedRecord(known, 'authorities', entity.authorityId);
  inputSubordinate(entity.entityIdentifier, String(Reflect.get(authority ?? {}, 'entityIdentifier')), context);
  inputSubordinateSettings(entity, entity.entityIdentifier, context);
  if (entity.onBehalfOf === entity.organisationId) throw invalidField('/onBehalfOf', 'is its own organisation');
  const previous = requireClosed(known, 'entities', entity.previousId);
  if (previous !== undefined && Reflect.get(previous, 'entityIdentifier') !== entity.entityIdentifier) {
    throw invalidField('/previousId', 'is a record of another Entity Identifier');
  }
  if (new Date(entity.registeredAt ?? 0) > now) throw invalidField('/registeredAt', 'is in the future');
  if (entity.hosting !== null && entity.enrolment !== 'hosted')
    throw invalidField('/hosting', 'is of none that is hosted');
  await checkKeys(entity);
}

/** Those that count are registered as by the verbs; those that were removed only keep their kids. */
async function checkKeys({ keys }: EntityTransferRecord): Promise<void> {
  if (keys.length === 0) return;
  const present = keys.filter(({ removedAt }) => removedAt === null);
  keys.forEach(({ kid, publicJwk }, index) => {
    if (publicJwk['kid'] !== kid) throw invalidField(`/keys/${index}/kid`, 'is not that of its key');
  });
  if (present.length > MAX_KEYS) throw invalidField('/keys', `has more than ${MAX_KEYS} that count`);
  if (present.length > 0) inputJwkSet({ keys: present.map(({ publicJwk }) => publicJwk) }, '/keys');
  const all = checkJwkSet({ keys: keys.map(({ publicJwk }) => publicJwk) }).keys;
  const [counting, barred] = [
    all.filter((_, index) => keys[index]?.removedAt === null),
    all.filter((_, index) => keys[index]?.removedAt !== null && keys[index]?.removal !== 'enrolment'),
  ];
  const history = { recorded: [], barred, hasPresent: false };
  const complaints = counting.length === 0 ? [] : await registrationComplaints({ keys: counting }, history);
  if (complaints.length > 0) throw invalidField('/keys', `are refused: ${complaints.join('; ')}`);
}

function childrenOf(record: EntityTransferRecord, { now }: Arrival): Rows[] {
  const { id: entityId, keys, hosting: hosted, entityIdentifier, state } = record;
  const ofKeys: Rows = { table: entityKeys, by: 'kid', rows: keys.map((one) => ({ entityId, ...one })) };
  if (hosted === null) return [ofKeys];
  const [location, hostname] = [authorityLocation(entityIdentifier), hostnameOf(entityIdentifier)];
  const endedAt = LIVE_STATES.includes(state.is) ? null : now;
  const place = { entityId, location, hostname, mode: 'signed_here', startedAt: now, endedAt };
  return [ofKeys, { table: hostedEntities, by: 'entityId', rows: [{ ...place, ...hosted }] }];
}

async function readEntityRecords(db: Db | Tx, which: Which): Promise<EntityTransferRecord[]> {
  const rows = await readRows(db, entities, which);
  const keys = await readChildren(db, entityKeys, { owner: entityKeys.entityId, order: entityKeys.kid }, rows);
  const places = { owner: hostedEntities.entityId, order: hostedEntities.entityId };
  const hosted = await readChildren(db, hostedEntities, places, rows);
  return rows.map((row) => {
    const { version: _, createdAt: __, addedBy: ___, updatedAt: ____, registeredAt, ...rest } = row;
    const { state, stateReason, stateReasonCode, stateChangedAt, suspendedUntil, ...fields } = rest;
    const [place] = hosted.get(row.id) ?? [];
    return {
      ...fields,
      state: stateOf({ state, stateReason, stateReasonCode, stateChangedAt, suspendedUntil }),
      registeredAt: iso(registeredAt),
      keys: (keys.get(row.id) ?? []).map(({ entityId: _____, ...one }) => ({
        ...one,
        expiresAt: iso(one.expiresAt),
        addedAt: one.addedAt.toISOString(),
        removedAt: iso(one.removedAt),
        compromisedAt: iso(one.compromisedAt),
      })),
      hosting:
        // What an entity signs itself and uploads, it uploads anew elsewhere.
        place === undefined || place.mode !== 'signed_here' || fields.enrolment !== 'hosted'
          ? null
          : { metadata: place.metadata, configurationLifetimeSeconds: place.configurationLifetimeSeconds },
    };
  });
}
