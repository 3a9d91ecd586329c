/** Tells anybody the status of members: of one, of all, and what changed since a seq. */
import { hash } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { PUBLISHED_STATUSES } from '../../../registry/events/published-status.ts';
import {
  type MemberStatus,
  parseStatusCursor,
  readAllStatuses,
  readStatus,
  readStatusChanges,
} from '../../../registry/events/read-status.ts';
import { RegistryError } from '../../../registry/registry-error.ts';
import type { ChangeFeed } from '../../../storage/change-feed.ts';
import { matches } from '../../federation/public-answer.ts';
import { chargeLookup } from '../anonymous-lookup.ts';
import type { ApiEnv } from '../api-env.ts';
import { jsonReply, problems } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { SharedReads } from './shared-reads.ts';

/** What this node answers by. */
export type RegistryState = Pick<ChangeFeed, 'seq' | 'ensureCurrent' | 'catchUp'>;

const MAX_STATUSES = 1000;
const DEFAULT_STATUSES = 100;

const STATUS_MEMBERS = {
  kind: z.enum(['organisation', 'entity']),
  id: RecordIdSchema,
  status: z.enum(PUBLISHED_STATUSES).openapi({
    description: 'The one that counts: of an entity the stricter of its own and its organisation’s.',
  }),
};

const StatusSchema = z.object(STATUS_MEMBERS).openapi('ParticipantStatus');

const DatedStatusSchema = z
  .object({
    ...STATUS_MEMBERS,
    seq: z.int().optional().openapi({
      description: 'Of the change by which it has this status; only where changes were asked for.',
      example: 42,
    }),
  })
  .openapi('DatedParticipantStatus');

const StatusPageSchema = z
  .object({
    items: z.array(DatedStatusSchema),
    next: z.string().optional().openapi({ description: 'Cursor of the next page of all; absent on the last.' }),
    nextSeq: z.int().openapi({ description: 'What to ask for next, as `since`.', example: 42 }),
  })
  .openapi('ParticipantStatusPage');

const seqParameter = z
  .string()
  .regex(/^\d{1,15}$/, 'is the number of a change')
  .transform(Number)
  .openapi({ type: 'integer', minimum: 0, example: 42 });

const limitParameter = z
  .string()
  .regex(/^\d{1,4}$/, `is a number from 1 to ${MAX_STATUSES}`)
  .default(String(DEFAULT_STATUSES))
  .transform(Number)
  .refine((size) => size >= 1 && size <= MAX_STATUSES, `is from 1 to ${MAX_STATUSES}`)
  .openapi({
    ...{ type: 'integer', minimum: 1, maximum: MAX_STATUSES, default: DEFAULT_STATUSES },
    description: 'About so many statuses. A change is never divided: one that concerns more comes whole.',
  });

const cursorParameter = z
  .string()
  .max(100)
  .refine((cursor) => parseStatusCursor(cursor) !== undefined, 'is no cursor of ours; use `next` of the page before');

const SEQ_HEADER = {
  'X-Registry-Seq': {
    description: 'The last change of the registry that this answer goes by.',
    schema: { type: 'integer' as const, example: 42 },
  },
};
const TAG_HEADER = {
  ETag: { description: 'For `If-None-Match`; with `since` only.', schema: { type: 'string' as const } },
};

const WHO =
  'Needs no token; addresses that ask for too much that is not known yet are told to wait (429 `too_many_requests`).';

/** Tags that are kept: nearly all who ask again ask for what was asked last. */
const MAX_TAGS = 1000;

export const followStatusOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/status',
    operationId: 'followStatus',
    tags: ['Status'],
    summary: 'Follow the status of participants',
    description: `With \`since\`, whose status changed after that change of the registry: of each the latest within the page, in the order of the changes; ask again since \`nextSeq\`. Nothing new is said quickly, with the ETag of the answer before: 304. What is too old is no longer kept, and a change that there is not yet belongs to what a restore of a backup undid (410 \`resync_required\`): without \`since\`, all participants come in pages, by \`cursor\`, and \`nextSeq\` is where to follow from afterwards. Organisations and entities that were approved once are told of, whatever became of them; others never. ${WHO}`,
    security: [],
    request: {
      query: z
        .strictObject({
          since: seqParameter.optional(),
          cursor: cursorParameter.optional(),
          limit: limitParameter,
        })
        .refine(({ since, cursor }) => since === undefined || cursor === undefined, {
          path: ['cursor'],
          message: 'is for reading all, without since',
        }),
    },
    responses: {
      200: { ...jsonReply('Statuses.', StatusPageSchema), headers: { ...SEQ_HEADER, ...TAG_HEADER } },
      304: { description: 'Nothing is new.', headers: { ...SEQ_HEADER, ...TAG_HEADER } },
      ...problems(400, 410, 429),
    },
  }),
  ({ db, registryState, tokenEndpoint }) => {
    const reads = new SharedReads<string>();
    /** By what was asked and the seq that was served: whoever has that is told so without a query. */
    const tags = new Map<string, string>();
    return async (c) => {
      const { since, cursor, limit } = c.req.valid('query');
      await registryState.ensureCurrent();
      // Another node may have told of it first.
      if (since !== undefined && since > registryState.seq) await registryState.catchUp();
      const throughSeq = registryState.seq;
      tellAnybody(c, throughSeq);
      if (since === undefined) {
        chargeLookup(c, tokenEndpoint);
        const all = async () => JSON.stringify(await readAllStatuses(db, { cursor, limit, seq: throughSeq }));
        return jsonText(c, await reads.read(`all ${cursor ?? ''} ${limit} ${throughSeq}`, all));
      }
      if (since > throughSeq) {
        const message = `${throughSeq} is the last change that there is; read what there is, and follow from there`;
        throw new RegistryError('resync_required', message);
      }
      const known = c.req.header('if-none-match') ?? null;
      const asked = `${since} ${limit} ${throughSeq}`;
      const keptTag = tags.get(asked);
      if (keptTag !== undefined && matches(known, keptTag)) return unchanged(c, keptTag);
      let body = JSON.stringify({ items: [], nextSeq: since });
      if (since < throughSeq) {
        chargeLookup(c, tokenEndpoint);
        const changes = async () => JSON.stringify(await readStatusChanges(db, { since, throughSeq, limit }));
        body = await reads.read(`since ${asked}`, changes);
      }
      const tag = tagOf(body);
      tags.set(asked, tag);
      const [oldest = asked] = tags.keys();
      if (tags.size > MAX_TAGS) tags.delete(oldest);
      if (matches(known, tag)) return unchanged(c, tag);
      c.header('etag', tag);
      return jsonText(c, body);
    };
  },
);

/** Of the contents: after a restore of a backup the same numbers are those of other changes. */
function tagOf(body: string): string {
  return `"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
}

/** Written once for all who ask for the same, and for its tag. */
function jsonText(c: Context<ApiEnv>, body: string) {
  return c.body(body, 200, { 'content-type': 'application/json' });
}

function unchanged(c: Context<ApiEnv>, tag: string) {
  c.header('etag', tag);
  return c.body(null, 304);
}

/** May be kept, if only to ask whether it is still so. */
function tellAnybody(c: Context<ApiEnv>, seq: number): void {
  c.header('x-registry-seq', String(seq));
  c.header('cache-control', 'no-cache');
}

export const readStatusOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/status/{participantId}',
    operationId: 'readStatus',
    tags: ['Status'],
    summary: 'Read the status of a participant',
    description:
      'Of an organisation or an entity that was approved once. Whoever is not known, or was never approved: 404 `unknown_participant`. ' +
      WHO,
    security: [],
    request: { params: z.object({ participantId: z.string().max(200) }) },
    responses: {
      200: { ...jsonReply('Its status.', StatusSchema), headers: SEQ_HEADER },
      ...problems(404, 429),
    },
  }),
  ({ db, registryState, tokenEndpoint }) => {
    const reads = new SharedReads<MemberStatus>();
    return async (c) => {
      const { participantId } = c.req.valid('param');
      chargeLookup(c, tokenEndpoint);
      await registryState.ensureCurrent();
      const { seq } = registryState;
      tellAnybody(c, seq);
      return c.json(await reads.read(`${participantId} ${seq}`, () => readStatus(db, participantId)), 200);
    };
  },
);
