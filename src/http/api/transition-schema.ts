/** The bodies of transitions, and what they answer besides the record. */
import { z } from '@hono/zod-openapi';
import type { Decision, SuspensionChange, Transitioned } from '../../registry/life-cycle/decision.ts';
import { AFFECTED_KINDS } from '../../registry/life-cycle/effects.ts';
import { REASON_CODES, REASON_CODES_OF, type ReasonCode } from '../../registry/life-cycle/reason-codes.ts';
import type { Transition } from '../../registry/states.ts';
import { RecordIdSchema } from './record-schema.ts';
import { PublicReasonSchema, ReasonSchema, TimeSchema } from './text-schema.ts';

export const TransitionReasonSchema = z.strictObject({ reason: ReasonSchema }).openapi('TransitionReason');

const CODE_NAMES = Object.keys(REASON_CODES) as ReasonCode[];

const MEANINGS = CODE_NAMES.map((code) => `\`${code}\`: ${REASON_CODES[code]}`).join('; ');

const USES = Object.entries(REASON_CODES_OF)
  .map(([transition, codes]) => `${transition}: ${codes.map((code) => `\`${code}\``).join(', ')}`)
  .join('; ');

export const ReasonCodeSchema = z.enum(CODE_NAMES).openapi('ReasonCode', {
  description: `Why, for machines. ${MEANINGS}. Which of them a transition may have: ${USES}.`,
  example: 'other',
});

const DECISION = {
  reasonCode: ReasonCodeSchema.default('other'),
  dryRun: z.boolean().default(false).openapi({
    description: 'Does nothing, and answers with what would be affected; it is refused like the transition itself.',
  }),
};

const DecisionSchema = z.strictObject({ reason: ReasonSchema, ...DECISION }).openapi('Decision');

const PublicDecisionSchema = z.strictObject({ reason: PublicReasonSchema, ...DECISION }).openapi('PublicDecision');

const SuspensionSchema = z
  .strictObject({
    reason: PublicReasonSchema,
    ...DECISION,
    until: TimeSchema.optional().openapi({
      description: 'When the suspension ends by itself, within a minute; without it somebody has to reinstate.',
    }),
  })
  .openapi('Suspension');

type DecisionBody = z.infer<typeof SuspensionSchema>;

/** What somebody says of a transition; of those that follow an approval the reason is public. */
export function decisionSchema(transition: Transition): z.ZodType<DecisionBody> {
  if (transition === 'suspend') return SuspensionSchema;
  return transition === 'approve' || transition === 'reject' ? DecisionSchema : PublicDecisionSchema;
}

export function decisionOfBody({ reason, reasonCode, until, dryRun }: DecisionBody): Decision {
  return { reason, reasonCode, until: until === undefined ? undefined : new Date(until), isDryRun: dryRun };
}

export const SuspensionChangeSchema = z
  .strictObject({
    reason: ReasonSchema,
    until: TimeSchema.nullable().openapi({
      description: 'When the suspension ends by itself, within a minute; null: somebody has to reinstate.',
    }),
  })
  .openapi('SuspensionChange');

export function suspensionChangeOfBody({ reason, until }: z.infer<typeof SuspensionChangeSchema>): SuspensionChange {
  return { reason, until: until === null ? null : new Date(until) };
}

const AffectedSchema = z
  .object({
    kind: z.enum(AFFECTED_KINDS),
    id: RecordIdSchema,
    name: z.string().openapi({ description: 'What people know it by.', example: 'https://rp.example.edu' }),
    stateBefore: z.string().openapi({ example: 'active' }),
    stateAfter: z.string().openapi({ example: 'suspended' }),
  })
  .openapi('Affected');

/** Members of a record after a transition, besides its own. */
export const TRANSITIONED = {
  seq: z.int().nullable().openapi({
    description: 'Of the change: every surface that shows this seq shows what it did. null for a dry run.',
    example: 4711,
  }),
  affected: z.array(AffectedSchema).openapi({
    description:
      'All whose state that counts is another now: what is below it, and delegations of applications that act for it; none of these records was changed itself.',
  }),
};

export function transitionedBody({ seq, affected }: Transitioned): Pick<Transitioned, 'seq' | 'affected'> {
  return { seq, affected };
}

/** Members of a record that tell more about its state. */
export const STATE_DETAILS = {
  stateReasonCode: ReasonCodeSchema.nullable().openapi({ description: 'null: from before there were codes.' }),
  suspendedUntil: TimeSchema.nullable().openapi({ description: 'When its suspension ends by itself.' }),
};

export function stateDetailsBody(record: { stateReasonCode: string | null; suspendedUntil: Date | null }): {
  stateReasonCode: ReasonCode | null;
  suspendedUntil: string | null;
} {
  return {
    stateReasonCode: record.stateReasonCode as ReasonCode | null,
    suspendedUntil: record.suspendedUntil?.toISOString() ?? null,
  };
}
