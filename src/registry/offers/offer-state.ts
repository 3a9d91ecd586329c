/** The life of what is offered for some time, authorization servers and APIs: dates act by themselves, by the clock. */
import { and, gt, isNotNull, isNull, lte, or, type SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { invalidField, RegistryError } from '../registry-error.ts';

export interface OfferDates {
  deprecatedAt: Date | null;
  retiresAt: Date | null;
  removedAt: Date | null;
}

/** From what may be used to what is gone. */
export const OFFER_STATES = ['active', 'deprecated', 'retired', 'removed'] as const;

export type OfferState = (typeof OFFER_STATES)[number];

export function offerState({ deprecatedAt, retiresAt, removedAt }: OfferDates, now: Date): OfferState {
  if (removedAt !== null) return 'removed';
  if (retiresAt !== null && retiresAt <= now) return 'retired';
  return deprecatedAt !== null && deprecatedAt <= now ? 'deprecated' : 'active';
}

/** Of what rests on something else: neither lives longer. */
export function stricterOfferState(own: OfferState, other: OfferState): OfferState {
  return OFFER_STATES.indexOf(own) >= OFFER_STATES.indexOf(other) ? own : other;
}

export type OfferColumns = Record<keyof OfferDates, AnyPgColumn>;

/** Whether what stands in these columns is in the state, or in a stricter one. */
export function isAtLeast(state: OfferState, columns: OfferColumns, now: Date): SQL | undefined {
  const removed = isNotNull(columns.removedAt);
  if (state === 'removed') return removed;
  const retired = or(removed, lte(columns.retiresAt, now));
  if (state === 'retired') return retired;
  return state === 'deprecated' ? or(retired, lte(columns.deprecatedAt, now)) : undefined;
}

/** Whether it is in no stricter state. */
export function isAtMost(state: OfferState, columns: OfferColumns, now: Date): SQL | undefined {
  if (state === 'removed') return undefined;
  const unremoved = isNull(columns.removedAt);
  if (state === 'retired') return unremoved;
  const unretired = and(unremoved, or(isNull(columns.retiresAt), gt(columns.retiresAt, now)));
  if (state === 'deprecated') return unretired;
  return and(unretired, or(isNull(columns.deprecatedAt), gt(columns.deprecatedAt, now)));
}

/** @throws RegistryError validation_failed */
export function requireOrderedDates({ deprecatedAt, retiresAt }: Omit<OfferDates, 'removedAt'>): void {
  if (deprecatedAt === null || retiresAt === null || deprecatedAt <= retiresAt) return;
  throw invalidField('/retiresAt', 'is before deprecatedAt');
}

/** @throws RegistryError illegal_transition */
export function requireNotRemoved({ removedAt }: Pick<OfferDates, 'removedAt'>): void {
  if (removedAt === null) return;
  const message = 'this record is removed and stays as it is; add it anew';
  throw new RegistryError('illegal_transition', message, { from: 'removed', allowed: [] });
}
