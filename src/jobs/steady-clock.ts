/** Tells whether the clock can be believed, for work that cannot be undone when it turns out to have been early. */
import type { Clock, NumericDate } from '../federation/time.ts';

export interface SteadyClockOptions {
  clock: Clock;
  /** A clock that nobody can set, in milliseconds. */
  monotonicMs: () => number;
  /** Told of each leap, in seconds; positive when the clock went ahead. */
  onLeap: (leapSeconds: number) => void;
}

/** How far the two clocks may part from one look to the next. */
const TOLERANCE_SECONDS = 60;
/** For so long a clock must have gone evenly after a leap: time for somebody, or a time server, to set it right. */
const STEADY_SECONDS = 600;

/**
 * Makes a check to be asked again and again: false for a while after the clock leapt. A machine that slept looks like
 * a clock that leapt; it loses that while only.
 */
export function createSteadyClockCheck({ clock, monotonicMs, onLeap }: SteadyClockOptions): () => boolean {
  const seconds = () => monotonicMs() / 1000;
  let last: { wall: NumericDate; monotonic: number } | undefined;
  let unsteadyUntil = Number.NEGATIVE_INFINITY;
  return () => {
    const now = { wall: clock.now(), monotonic: seconds() };
    const leap = last === undefined ? 0 : now.wall - last.wall - (now.monotonic - last.monotonic);
    last = now;
    if (Math.abs(leap) > TOLERANCE_SECONDS) {
      unsteadyUntil = now.monotonic + STEADY_SECONDS;
      onLeap(Math.round(leap));
    }
    return now.monotonic >= unsteadyUntil;
  };
}
