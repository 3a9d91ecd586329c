/** Schemas of imports: documents, what they change, and those that wait for a decision. */
import { z } from '@hono/zod-openapi';
import { isJsonObject, type JsonObject } from '../../../federation/json.ts';
import { EXPORT_FORMAT } from '../../../registry/transfer/export-registry.ts';
import type { ImportOutcome } from '../../../registry/transfer/import-registry.ts';
import { KIND_NAMES } from '../../../registry/transfer/record-kind.ts';
import type { StoredImport } from '../../../registry/transfer/stored-imports.ts';
import { pageSchema } from '../paging.ts';
import { RecordIdSchema } from '../record-schema.ts';
import { TimeSchema } from '../text-schema.ts';

/** The registry reads it record by record, and tells all that is wrong. */
export const DocumentSchema = z.custom<JsonObject>(isJsonObject, 'is no object').openapi('ExportDocument', {
  type: 'object',
  required: ['format', 'records'],
  additionalProperties: false,
  properties: {
    format: { type: 'string', enum: [EXPORT_FORMAT] },
    seq: { type: 'integer', description: 'Of the registry that it was exported from.' },
    records: {
      type: 'object',
      additionalProperties: { type: 'array', items: { type: 'object' } },
      description: `By kind, as \`GET /api/v1/export\` tells them: ${KIND_NAMES.join(', ')}.`,
    },
  },
  example: { format: EXPORT_FORMAT, records: { organisations: [] } },
});

const CountsSchema = z.object({ added: z.int(), changed: z.int(), unchanged: z.int(), heldBack: z.int() });

const SummarySchema = z.record(z.string(), CountsSchema).openapi('ImportSummary', {
  description: 'Counts by kind.',
  example: { organisations: { added: 12, changed: 0, unchanged: 3, heldBack: 0 } },
});

const DifferenceSchema = z
  .object({
    kind: z.enum(KIND_NAMES),
    id: RecordIdSchema,
    name: z.string().openapi({ description: 'What people know it by.' }),
    what: z.enum(['added', 'changed', 'held_back', 'differs']).openapi({
      description:
        '`held_back`: new, and it would count at once for a member who is here: only a restore brings it. `differs`: nothing of it is changed by this import.',
    }),
    members: z.array(
      z.object({
        member: z.string(),
        before: z.unknown(),
        after: z.unknown(),
        how: z.enum(['changed', 'restore_only', 'kept']).openapi({
          description: '`restore_only`: a restore would; `kept`: no import does, it changes by its own ways.',
        }),
      }),
    ),
  })
  .openapi('ImportDifference');

/** Most differences that an answer lists. */
const MAX_DIFFERENCES = 1000;

export const ImportOutcomeSchema = z
  .object({
    seq: z.int().nullable().openapi({ description: 'Of the change; null where nothing changed, or for a dry run.' }),
    digest: z.string().openapi({ description: 'SHA-256 of the document as it came, base64url.' }),
    summary: SummarySchema,
    differences: z
      .array(DifferenceSchema)
      .openapi({ description: `What the document says and the registry did not; ${MAX_DIFFERENCES} at most.` }),
    differencesLeftOut: z.int(),
    stored: RecordIdSchema.nullable().openapi({ description: 'Of a restore: the import that waits for its approval.' }),
  })
  .openapi('ImportOutcome');

export function outcomeBody({ seq, summary, differences }: ImportOutcome, digest: string, stored: string | null) {
  return {
    ...{ seq, digest, summary, stored },
    differences: differences.slice(0, MAX_DIFFERENCES),
    differencesLeftOut: Math.max(0, differences.length - MAX_DIFFERENCES),
  };
}

const PersonSchema = z.object({ id: z.string(), name: z.string() });

export const StoredImportSchema = z
  .object({
    id: RecordIdSchema,
    state: z.enum(['waiting', 'applied', 'rejected', 'lapsed']),
    digest: z.string().openapi({ description: 'SHA-256 of the document as it came, base64url.' }),
    summary: SummarySchema,
    requester: PersonSchema,
    requestedAt: TimeSchema,
    lapsesAt: TimeSchema,
    decider: PersonSchema.nullable(),
    decidedAt: TimeSchema.nullable(),
    stateReason: z.string().nullable(),
    seq: z.int().nullable().openapi({ description: 'Of the change that applied it.' }),
  })
  .openapi('StoredImport');

export const StoredImportPageSchema = pageSchema('StoredImportPage', StoredImportSchema);

export function storedImportBody(stored: StoredImport): z.infer<typeof StoredImportSchema> {
  const { decidedBy, decidedByName } = stored;
  return {
    ...{ id: stored.id, state: stored.state, digest: stored.digest, seq: stored.seq },
    summary: stored.summary as z.infer<typeof SummarySchema>,
    requester: { id: stored.requestedBy, name: stored.requestedByName },
    requestedAt: stored.requestedAt.toISOString(),
    lapsesAt: stored.lapsesAt.toISOString(),
    decider: decidedBy === null ? null : { id: decidedBy, name: decidedByName ?? decidedBy },
    decidedAt: stored.decidedAt?.toISOString() ?? null,
    stateReason: stored.stateReason,
  };
}
