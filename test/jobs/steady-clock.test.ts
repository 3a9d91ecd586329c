import { describe, expect, it } from 'vitest';
import { createSteadyClockCheck } from '../../src/jobs/steady-clock.ts';
import { ManualClock } from '../support/federation.ts';

/** A machine with a clock that can be set, one that cannot, and a database whose clock is right if there is one. */
function machine({ isShared }: { isShared: boolean }) {
  const clock = new ManualClock();
  const startedAt = clock.now();
  let ms = 0;
  const [leaps, aparts]: [number[], number[]] = [[], []];
  const isSteady = createSteadyClockCheck({
    clock,
    monotonicMs: () => ms,
    ...(isShared && { sharedSeconds: async () => startedAt + ms / 1000 }),
    onLeap: (leap) => leaps.push(leap),
    onApart: (apart) => aparts.push(apart),
  });
  return {
    leaps,
    aparts,
    isSteady,
    /** Time passes, and the clock is set meanwhile. */
    pass(seconds: number, setBy = 0): Promise<boolean> {
      clock.advance(seconds + setBy);
      ms += seconds * 1000;
      return isSteady();
    },
  };
}

async function inTurn(...looks: (() => Promise<boolean>)[]): Promise<boolean[]> {
  const seen: boolean[] = [];
  for (const look of looks) seen.push(await look());
  return seen;
}

describe('a clock that nobody else sees', () => {
  it('is believed when it has gone evenly for ten minutes, whatever it shows', async () => {
    const { isSteady, pass, leaps } = machine({ isShared: false });
    const looks = [isSteady, () => pass(60), () => pass(539), () => pass(1), () => pass(60, 59), () => pass(60, -59)];
    expect(await inTurn(...looks)).toEqual([false, false, false, true, true, true]);
    expect(leaps).toEqual([]);
  });

  it.each([365 * 86_400, 61, -61, -365 * 86_400])(
    'is not believed for ten minutes after it leapt by %d s',
    async (leap) => {
      const { isSteady, pass, leaps } = machine({ isShared: false });
      const looks = [isSteady, () => pass(600), () => pass(60, leap), () => pass(60), () => pass(539), () => pass(1)];
      expect(await inTurn(...looks)).toEqual([false, true, false, false, false, true]);
      expect(leaps).toEqual([leap]);
    },
  );

  it('is not believed for longer when it is set right again', async () => {
    const { isSteady, pass, leaps } = machine({ isShared: false });
    const looks = [isSteady, () => pass(600, 86_400), () => pass(60, -86_400), () => pass(599), () => pass(1)];
    expect(await inTurn(...looks)).toEqual([false, false, false, false, true]);
    expect(leaps).toEqual([86_400, -86_400]);
  });
});

describe('a clock beside that of the database', () => {
  it('is believed at once where they agree within ten seconds', async () => {
    const { isSteady, pass, aparts } = machine({ isShared: true });
    expect(
      await inTurn(
        isSteady,
        () => pass(60, 10),
        () => pass(60, -20),
      ),
    ).toEqual([true, true, true]);
    expect(aparts).toEqual([]);
  });

  it.each([11, -11, 365 * 86_400])('is not while it differs by %d s, which is told once', async (seconds) => {
    const { pass, aparts } = machine({ isShared: true });
    const looks = [() => pass(0, seconds), () => pass(3600), () => pass(60), () => pass(60, -seconds)];
    expect(await inTurn(...looks)).toEqual([false, false, false, Math.abs(seconds) <= 60]);
    expect(aparts).toEqual([seconds]);
  });
});
