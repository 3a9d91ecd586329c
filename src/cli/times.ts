/** Moments for people: the UTC time and how far away it is. */

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `2027-01-15 08:00:00Z (in 59 min)`; what is no time is shown as it is. */
export function momentText(moment: string | number, nowMs = Date.now()): string {
  const atMs = typeof moment === 'number' ? moment * 1000 : Date.parse(moment);
  if (!Number.isFinite(atMs) || Math.abs(atMs) > 8.64e15) return String(moment);
  const seconds = Math.round((atMs - nowMs) / 1000);
  const distance = durationText(Math.abs(seconds));
  return `${shortMoment(moment)} (${seconds >= 0 ? `in ${distance}` : `${distance} ago`})`;
}

/** `2027-01-15 08:00:00Z` */
export function shortMoment(moment: string | number): string {
  const atMs = typeof moment === 'number' ? moment * 1000 : Date.parse(moment);
  if (!Number.isFinite(atMs) || Math.abs(atMs) > 8.64e15) return String(moment);
  return new Date(atMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}

/** The largest unit that there are at least two of: `90 min`, `25 h`, `3 d`. */
export function durationText(seconds: number): string {
  const [unitSeconds, name] = UNITS.find(([size]) => seconds >= 2 * size) ?? [1, 's'];
  return `${Math.floor(seconds / unitSeconds)} ${name}`;
}
