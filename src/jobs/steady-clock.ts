/** Tells whether the clock can be believed, for work that cannot be undone when it turns out to have been early. */
import type { Clock, NumericDate } from '../federation/time.ts';

export interface SteadyClockOptions {
  clock: Clock;
  /** A clock that nobody can set, in milliseconds. */
  monotonicMs: () => number;
  /** The clock that all nodes see, in seconds since the epoch: that of their database. Absent where it is this one. */
  sharedSeconds?: () => Promise<number>;
  /** Told of each leap, in seconds; positive when the clock went ahead. */
  onLeap: (leapSeconds: number) => void;
  /** Told when the clock parts from the shared one, in seconds; positive when it is ahead. */
  onApart: (apartSeconds: number) => void;
}

/** How far the two clocks may part from one look to the next. */
const TOLERANCE_SECONDS = 60;
/** For so long a clock must have gone evenly after a leap: time for somebody, or a time server, to set it right. */
const STEADY_SECONDS = 600;
/** What one node writes down others act upon: twice this is less than the leeway that keys have. */
const APART_SECONDS = 10;

/**
 * Makes a check to be asked again and again: false for a while after the clock leapt, and while it differs from the
 * shared one; where there is none, at first as well. A machine that slept looks like a clock that leapt; it loses that
 * while only.
 */
export function createSteadyClockCheck(options: SteadyClockOptions): () => Promise<boolean> {
  const { clock, monotonicMs, sharedSeconds, onLeap, onApart } = options;
  const seconds = () => monotonicMs() / 1000;
  let last: { wall: NumericDate; monotonic: number } | undefined;
  let unsteadyUntil = sharedSeconds === undefined ? seconds() + STEADY_SECONDS : Number.NEGATIVE_INFINITY;
  let wasApart = false;

  async function isApart(): Promise<boolean> {
    if (sharedSeconds === undefined) return false;
    const before = clock.now();
    const shared = await sharedSeconds();
    // As far as the time that the answer took leaves no doubt.
    const apart = shared < before ? before - shared : Math.min(0, clock.now() - shared);
    const is = Math.abs(apart) > APART_SECONDS;
    if (is && !wasApart) onApart(Math.round(apart));
    wasApart = is;
    return is;
  }

  return async () => {
    const now = { wall: clock.now(), monotonic: seconds() };
    const leap = last === undefined ? 0 : now.wall - last.wall - (now.monotonic - last.monotonic);
    last = now;
    if (Math.abs(leap) > TOLERANCE_SECONDS) {
      unsteadyUntil = now.monotonic + STEADY_SECONDS;
      onLeap(Math.round(leap));
    }
    return !(await isApart()) && now.monotonic >= unsteadyUntil;
  };
}
