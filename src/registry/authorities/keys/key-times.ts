/** When keys of an authority begin to sign, and how long they stay published. @see OIDFED §11.2 */
import type { Authority, AuthorityKey } from '../authority.ts';

const DAY_SECONDS = 86_400;
/** Configurations that must be able to follow one another before everybody is taken to know a new key. */
const CONFIGURATION_LIVES = 5;

/** Readers' leeway of 30 s, and a node that follows a change a moment later than others. */
export const LEEWAY_SECONDS = 60;

/** How long a new key of the authority is published before it signs: no configuration without it is in use then. */
export function announceSecondsOf({
  keyAnnounceSeconds,
  configurationLifetimeSeconds,
}: Pick<Authority, 'keyAnnounceSeconds' | 'configurationLifetimeSeconds'>): number {
  if (keyAnnounceSeconds !== null) return Math.max(keyAnnounceSeconds, configurationLifetimeSeconds + LEEWAY_SECONDS);
  return Math.max(CONFIGURATION_LIVES * configurationLifetimeSeconds, DAY_SECONDS);
}

/** When an announced key has been published for long enough; one that is kept ready may sign then, but need not. */
export function readyAt(key: Pick<AuthorityKey, 'activateAfter' | 'createdAt'>, authority: Authority): Date {
  return key.activateAfter ?? after(key.createdAt, announceSecondsOf(authority));
}

export function after(moment: Date, seconds: number): Date {
  return new Date(moment.getTime() + seconds * 1000);
}

/** The latest of several moments: where a clock went back, the history of keys does not. */
export function latest(moment: Date, ...others: (Date | null | undefined)[]): Date {
  return new Date(Math.max(moment.getTime(), ...others.map((other) => other?.getTime() ?? 0)));
}
