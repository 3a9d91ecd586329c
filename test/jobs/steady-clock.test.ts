import { describe, expect, it } from 'vitest';
import { createSteadyClockCheck } from '../../src/jobs/steady-clock.ts';
import { ManualClock } from '../support/federation.ts';

/** A machine with a clock that can be set, and one that cannot. */
function machine() {
  const clock = new ManualClock();
  let ms = 0;
  const leaps: number[] = [];
  const isSteady = createSteadyClockCheck({ clock, monotonicMs: () => ms, onLeap: (leap) => leaps.push(leap) });
  return {
    leaps,
    isSteady,
    /** Time passes, and the clock is set meanwhile. */
    pass(seconds: number, setBy = 0): boolean {
      clock.advance(seconds + setBy);
      ms += seconds * 1000;
      return isSteady();
    },
  };
}

describe('a clock', () => {
  it('is believed while it goes evenly, whatever it showed at first', () => {
    const { isSteady, pass, leaps } = machine();
    expect([isSteady(), pass(60), pass(3600), pass(60, 59), pass(60, -59), leaps]).toEqual([
      true,
      true,
      true,
      true,
      true,
      [],
    ]);
  });

  it.each([365 * 86_400, 61, -61, -365 * 86_400])('is not believed for ten minutes after it leapt by %d s', (leap) => {
    const { isSteady, pass, leaps } = machine();
    isSteady();
    expect([pass(60, leap), pass(60), pass(539), pass(1)]).toEqual([false, false, false, true]);
    expect(leaps).toEqual([leap]);
  });

  it('is not believed for longer when it is set right again', () => {
    const { isSteady, pass, leaps } = machine();
    isSteady();
    expect([pass(60, 86_400), pass(60, -86_400), pass(599), pass(1)]).toEqual([false, false, false, true]);
    expect(leaps).toEqual([86_400, -86_400]);
  });
});
