/** Parts of the schemas of records: bounded, and as strict as those of the API. */
import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../../federation/json.ts';
import { MAX_KEYS } from '../../federation/jwk-set.ts';
import { REASON_CODES, type ReasonCode } from '../life-cycle/reason-codes.ts';
import { isLine, isText, isUndisguised } from '../plain-text.ts';
import { isRecordId } from '../record-id.ts';
import type { ParticipantState } from '../states.ts';

/** One line for people. */
export function line(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => isLine(text) && isUndisguised(text), 'is one line of visible text');
}

export function lines(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => isText(text) && isUndisguised(text), 'is visible text');
}

/** A word for machines and people. */
export const word = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/, 'is a word of ASCII letters, digits . _ : -');

export const id = z.string().refine(isRecordId, 'is no id of a record');

export const url = z.string().min(1).max(2048);

export const moment = z.iso.datetime({ precision: 3 }).refine((time) => time >= '1000', 'is before the year 1000');

export const claims = z.custom<JsonObject>(isJsonObject, 'is no object');

export const jwks = z.strictObject({ keys: z.array(claims).min(1).max(MAX_KEYS) });

export function each<T extends z.ZodType<string>>(item: T, most: number) {
  return z
    .array(item)
    .max(most)
    .refine((items) => new Set(items).size === items.length, 'names something twice');
}

const STATES = ['pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked'] as const;

/** What was decided of an organisation or entity. */
export const participantState = z
  .strictObject({
    is: z.enum(STATES satisfies readonly ParticipantState[]),
    reason: lines(2000).nullable(),
    reasonCode: z.enum(Object.keys(REASON_CODES) as [ReasonCode, ...ReasonCode[]]).nullable(),
    since: moment,
    /** When a suspension ends by itself. */
    until: moment.nullable(),
  })
  .refine(({ is, until }) => until === null || is === 'suspended', 'has an end, and only a suspension has one');

export type TransferState = z.infer<typeof participantState>;

/** What was decided of anything else. */
export function decidedState<const S extends string>(...states: readonly [S, ...S[]]) {
  return z.strictObject({ is: z.enum(states), reason: lines(2000).nullable(), since: moment });
}

export function stateOf(row: {
  state: ParticipantState;
  stateReason: string | null;
  stateReasonCode: string | null;
  stateChangedAt: Date;
  suspendedUntil: Date | null;
}): TransferState {
  return {
    is: row.state,
    reason: row.stateReason,
    reasonCode: row.stateReasonCode as ReasonCode | null,
    since: row.stateChangedAt.toISOString(),
    until: row.suspendedUntil === null ? null : row.suspendedUntil.toISOString(),
  };
}

export function stateColumns({ is, reason, reasonCode, since, until }: TransferState) {
  return {
    ...{ state: is, stateReason: reason, stateReasonCode: reasonCode },
    ...{ stateChangedAt: since, suspendedUntil: until },
  };
}
