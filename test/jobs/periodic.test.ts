import { describe, expect, it } from 'vitest';
import { startPeriodic } from '../../src/jobs/periodic.ts';

/** Runs until the round of this number began. */
function rounds(count: number): {
  began: Promise<void>;
  run: (signal: AbortSignal) => Promise<void>;
  seen: () => number;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  let seen = 0;
  return {
    began: promise,
    seen: () => seen,
    run: async () => {
      seen++;
      if (seen === count) resolve();
    },
  };
}

const never = (error: unknown): void => expect.unreachable(String(error));

describe('periodic work', () => {
  it('begins at once, and goes on', async () => {
    const { began, run, seen } = rounds(3);
    const work = startPeriodic({ everyMs: 1, run, onError: never });
    await began;
    await work[Symbol.asyncDispose]();
    expect(seen()).toBeGreaterThanOrEqual(3);
  });

  it('never overlaps, and stops only after the round under way, which is told', async () => {
    const { promise: began, resolve: begin } = Promise.withResolvers<AbortSignal>();
    const { promise: end, resolve: finish } = Promise.withResolvers<void>();
    let running = 0;
    const work = startPeriodic({
      everyMs: 0,
      onError: never,
      run: async (signal) => {
        running++;
        expect(running).toBe(1);
        begin(signal);
        await end;
        running--;
      },
    });
    const signal = await began;
    let isStopped = false;
    const stopping = work[Symbol.asyncDispose]().then(() => {
      isStopped = true;
    });
    expect([signal.aborted, isStopped]).toEqual([true, false]);
    finish();
    await stopping;
    expect(running).toBe(0);
  });

  it('ends at once while it pauses', async () => {
    const { began, run, seen } = rounds(1);
    const work = startPeriodic({ everyMs: 3_600_000, run, onError: never });
    await began;
    await work[Symbol.asyncDispose]();
    expect(seen()).toBe(1);
  });

  it('tells the first of several failures in a row, and goes on', async () => {
    const errors: unknown[] = [];
    const { began, run } = rounds(6);
    let round = 0;
    const work = startPeriodic({
      everyMs: 1,
      onError: (error) => errors.push(error),
      run: async (signal) => {
        await run(signal);
        round++;
        if (round !== 3) throw new Error(`round ${round}`);
      },
    });
    await began;
    await work[Symbol.asyncDispose]();
    expect(errors.map(String).slice(0, 2)).toEqual(['Error: round 1', 'Error: round 4']);
    expect(errors).toHaveLength(2);
  });
});
