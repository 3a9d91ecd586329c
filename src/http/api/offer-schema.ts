/** What authorization servers and APIs have in common on the wire: how long they are offered, what takes their place. */
import { z } from '@hono/zod-openapi';
import { OFFER_STATES } from '../../registry/offers/offer-state.ts';
import { RecordIdSchema } from './record-schema.ts';
import { TimeSchema } from './text-schema.ts';

export const OfferStateSchema = z.enum(OFFER_STATES).openapi('OfferState', {
  description:
    'By the dates and the clock: `active`, `deprecated` (begin nothing new with it), `retired` (use it no more), `removed` (was taken off the record).',
});

export const OFFER_DATES = {
  deprecatedAt: TimeSchema.nullable().openapi({ description: 'From then on nobody should begin to use it.' }),
  retiresAt: TimeSchema.nullable().openapi({ description: 'From then on nobody uses it. Not before `deprecatedAt`.' }),
  supersededBy: RecordIdSchema.nullable().openapi({ description: 'The record that takes its place.' }),
};

interface DatesOnTheWire {
  deprecatedAt?: string | null | undefined;
  retiresAt?: string | null | undefined;
}

export function offerDates({ deprecatedAt, retiresAt }: DatesOnTheWire): {
  deprecatedAt?: Date | null;
  retiresAt?: Date | null;
} {
  return { deprecatedAt: momentOf(deprecatedAt), retiresAt: momentOf(retiresAt) };
}

/** A moment as it comes over the wire; what is not said, and what is said to be none, stay what they are. */
export function momentOf<T extends null | undefined>(text: string | T): Date | T {
  return typeof text === 'string' ? new Date(text) : text;
}

/** The same the other way. */
export function textOf(moment: Date | null): string | null {
  return moment?.toISOString() ?? null;
}
