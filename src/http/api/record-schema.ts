/** Schemas of what records have in common: ids, versions, states, path and query parameters. */
import { z } from '@hono/zod-openapi';
import { isRecordId } from '../../registry/record-id.ts';
import { TRANSITION_NAMES } from '../../registry/states.ts';
import type { ParticipantState } from '../../storage/schema/organisations.ts';

const EXAMPLE_ID = '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f';

export const RecordIdSchema = z
  .string()
  .refine(isRecordId, 'is no id of a record: those are UUIDs in lower case')
  .openapi({ format: 'uuid', example: EXAMPLE_ID });

/** Path parameter of that name. */
export function recordIdParam<Name extends string>(name: Name): z.ZodObject<Record<Name, typeof RecordIdSchema>> {
  const shape = { [name]: RecordIdSchema } as Record<Name, typeof RecordIdSchema>;
  return z.object(shape);
}

export const VersionSchema = z
  .int()
  .openapi({ description: 'Grows with every change; the `ETag` of the record.', example: 3 });

export const STATES = [
  'pending',
  'active',
  'rejected',
  'suspended',
  'withdrawn',
  'revoked',
] as const satisfies readonly ParticipantState[];

export const StateSchema = z.enum(STATES).openapi('State', {
  description:
    'pending → active or rejected; active ⇄ suspended; active or suspended → withdrawn or revoked. Rejected, withdrawn and revoked are final.',
});

export const TransitionsSchema = z
  .array(z.enum(TRANSITION_NAMES))
  .openapi({ description: 'What may be done with the record now.', example: ['suspend', 'withdraw', 'revoke'] });

/** Filter of a list by Entity Identifier; one that no identifier matches finds nothing. */
export const IdentifierFilterSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,2048}$/, 'is an Entity Identifier')
  .openapi({ format: 'uri', example: 'https://op.partner.example' });

/** For the schemas of changes: said only when nothing else is wrong. */
export const NAMES_SOMETHING: [(changes: object) => boolean, { error: string; when: (found: Issues) => boolean }] = [
  (changes) => Object.keys(changes).length > 0,
  { error: 'names nothing to change', when: ({ issues }) => issues.length === 0 },
];

/** For lists in which nothing may stand twice. */
export const EACH_ONCE: [(items: readonly unknown[]) => boolean, string] = [
  (items) => new Set(items).size === items.length,
  'names something twice',
];

interface Issues {
  issues: readonly unknown[];
}
