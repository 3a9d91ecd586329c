/** Moments for people: the UTC time and how far away it is. */

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `2027-01-15 08:00:00Z (in 59 min)`; what is no time is shown as it is. Numbers are seconds since the epoch. */
export function momentText(moment: string | number, nowMs = Date.now()): string {
  const at = dateOf(moment);
  if (at === undefined) return String(moment);
  const seconds = Math.round((at.getTime() - nowMs) / 1000);
  const distance = durationText(Math.abs(seconds));
  const relation = seconds === 0 ? 'now' : seconds > 0 ? `in ${distance}` : `${distance} ago`;
  return `${shortMoment(moment)} (${relation})`;
}

/** `2027-01-15 08:00:00Z` */
export function shortMoment(moment: string | number): string {
  const at = dateOf(moment);
  if (at === undefined) return String(moment);
  return `${at.toISOString().slice(0, -'.000Z'.length).replace('T', ' ')}Z`;
}

function dateOf(moment: string | number): Date | undefined {
  const date = new Date(typeof moment === 'number' ? moment * 1000 : moment);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** The largest unit that there are at least two of: `90 min`, `25 h`, `3 d`. */
export function durationText(seconds: number): string {
  const [unitSeconds, name] = UNITS.find(([size]) => seconds >= 2 * size) ?? [1, 's'];
  return `${Math.round(seconds / unitSeconds)} ${name}`;
}
