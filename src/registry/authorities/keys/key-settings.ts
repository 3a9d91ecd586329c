/** An authority's settings about its keys, as an operator hands them in. */
import { invalidField } from '../../registry-error.ts';
import type { Authority } from '../authority.ts';
import { announceSecondsOf } from './key-times.ts';

export type KeySettings = Pick<Authority, 'keyAnnounceSeconds' | 'keyRollIntervalSeconds' | 'isStandbyKeyKept'>;

/** Longest times that may be configured, in seconds. */
export const MAX_ANNOUNCE_SECONDS = 366 * 86_400;
export const MAX_ROLL_INTERVAL_SECONDS = 3660 * 86_400;

export const DEFAULT_KEY_SETTINGS: KeySettings = {
  keyAnnounceSeconds: null,
  keyRollIntervalSeconds: null,
  isStandbyKeyKept: false,
};

/**
 * A key that signed while configurations without it are in use would break chains, so it is announced for one of their
 * lives at least; and it signs for longer than the next one is announced.
 * @throws RegistryError validation_failed
 */
export function inputKeySettings(settings: KeySettings & Pick<Authority, 'configurationLifetimeSeconds'>): void {
  const { keyAnnounceSeconds, keyRollIntervalSeconds, configurationLifetimeSeconds } = settings;
  if (
    keyAnnounceSeconds !== null &&
    !isWithin(keyAnnounceSeconds, configurationLifetimeSeconds, MAX_ANNOUNCE_SECONDS)
  ) {
    const least = `the life of the Entity Configuration, ${configurationLifetimeSeconds}`;
    throw invalidField(
      '/keyAnnounceSeconds',
      `is a whole number of seconds from ${least}, to ${MAX_ANNOUNCE_SECONDS}, or null`,
    );
  }
  if (keyRollIntervalSeconds === null) return;
  const least = announceSecondsOf(settings) + 1;
  if (isWithin(keyRollIntervalSeconds, least, MAX_ROLL_INTERVAL_SECONDS)) return;
  const detail = `is a whole number of seconds from ${least}, for a key is announced that long, to ${MAX_ROLL_INTERVAL_SECONDS}, or null`;
  throw invalidField('/keyRollIntervalSeconds', detail);
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
