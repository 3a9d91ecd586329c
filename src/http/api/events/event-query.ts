/** What is asked of the event stream, however it is read. */
import { z } from '@hono/zod-openapi';
import {
  type EventPlace,
  eventId,
  isBehindAll,
  parseEventId,
  placeAfterSeq,
} from '../../../registry/events/event-body.ts';
import { isEventTypeFilter } from '../../../registry/events/event-types.ts';
import { prunedThroughSeq } from '../../../registry/events/read-events.ts';
import { isRecordId } from '../../../registry/record-id.ts';
import type { Db } from '../../../storage/connect.ts';
import { RecordIdSchema } from '../record-schema.ts';

const MAX_VALUES = 50;

/** `a,b,c`: each of them will do. */
function listOf(isValue: (value: string) => boolean, what: string) {
  return z
    .string()
    .max(4000)
    .transform((text) => text.split(','))
    .refine((values) => values.length <= MAX_VALUES && values.every(isValue), `is a list of ${what}, with commas`)
    .optional();
}

/** The place behind an event, or behind all events of a change. */
export function parsePlace(text: string): EventPlace | undefined {
  return /^\d{1,15}$/.test(text) ? placeAfterSeq(Number(text)) : parseEventId(text);
}

/** As parsePlace reads it. */
export function placeText(place: EventPlace): string {
  return isBehindAll(place) ? String(place.seq) : eventId(place);
}

/** From the oldest that is kept, unless something else was asked for. */
export async function placeOf(db: Db, after: string | undefined): Promise<EventPlace> {
  return (after === undefined ? undefined : parsePlace(after)) ?? placeAfterSeq(await prunedThroughSeq(db));
}

export const placeParameter = z
  .string()
  .max(40)
  .refine((text) => parsePlace(text) !== undefined, 'is neither the id of an event nor the number of a change')
  .optional()
  .openapi({
    description:
      'Only what came after it: the id of the last event that was seen, `next` of the answer before, or the number of a change. Without it: from the oldest that is kept.',
    example: 'evt_42_0',
  });

export const EVENT_FILTERS = {
  authorityId: RecordIdSchema.optional(),
  type: listOf(isEventTypeFilter, 'types such as organisation.suspended, or kinds such as organisation.*').openapi({
    type: 'string',
    description: 'Types, or kinds of them, with commas.',
    example: 'organisation.*,entity.suspended',
  }),
  roleId: listOf(isRecordId, 'ids of roles').openapi({
    type: 'string',
    description: 'Only of members that have one of these roles, or had until then; ids with commas.',
    example: '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f',
  }),
};

/** What is in EVENT_FILTERS, as eventsInReach takes it. */
export function wantedEvents({ authorityId, type, roleId }: EventFilters) {
  return { authorityId, types: type ?? [], roleIds: roleId ?? [] };
}

interface EventFilters {
  authorityId?: string | undefined;
  type?: string[] | undefined;
  roleId?: string[] | undefined;
}
