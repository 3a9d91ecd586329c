/** An event as others are told of it, by whatever way it comes: list, stream or webhook. */
import type { JsonObject } from '../../federation/json.ts';
import type { events } from '../../storage/schema/events.ts';

export type EventRow = typeof events.$inferSelect;

/** Where an event stands: changes in their order, and within one change from 0. */
export interface EventPlace {
  seq: number;
  ordinal: number;
}

export type EventBody = {
  /** `evt_<seq>_<ordinal>`: the same whenever and however it is told. */
  id: string;
  type: string;
  /** When the change was made, ISO 8601. */
  timestamp: string;
  seq: number;
  /** See event-rows.ts. */
  data: JsonObject;
};

export type ToldColumns = Pick<EventRow, 'seq' | 'ordinal' | 'type' | 'at' | 'data'>;

export function eventBody({ seq, ordinal, type, at, data }: ToldColumns): EventBody {
  return { id: eventId({ seq, ordinal }), type, timestamp: at.toISOString(), seq, data };
}

export function eventId({ seq, ordinal }: EventPlace): string {
  return `evt_${seq}_${ordinal}`;
}

const EVENT_ID = /^evt_(0|[1-9][0-9]{0,15})_(0|[1-9][0-9]{0,8})$/;

/** @returns undefined for what is no id of an event */
export function parseEventId(id: string): EventPlace | undefined {
  const [, seq, ordinal] = EVENT_ID.exec(id) ?? [];
  if (seq === undefined || ordinal === undefined || !Number.isSafeInteger(Number(seq))) return undefined;
  return { seq: Number(seq), ordinal: Number(ordinal) };
}

/** Greater than any there is; what the column holds at most. */
const LAST_ORDINAL = 2 ** 31 - 1;

/** The place behind all events of a change. */
export function placeAfterSeq(seq: number): EventPlace {
  return { seq, ordinal: LAST_ORDINAL };
}

export function isBehindAll({ ordinal }: EventPlace): boolean {
  return ordinal === LAST_ORDINAL;
}
