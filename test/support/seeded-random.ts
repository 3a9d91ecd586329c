/** Chance that comes out the same in every run. */

export interface Chance {
  /** From 0, below 1. */
  next(): number;
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number;
  /** How often something happens that happens so often on average. */
  times(average: number): number;
  /** One of several; undefined of none. */
  of<T>(list: readonly T[]): T | undefined;
  /** So many of several, each once; all of fewer. */
  some<T>(list: readonly T[], count: number): T[];
}

/** The numbers are those of mulberry32. @param seed a whole number of 32 bits */
export function chance(seed: number): Chance {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    between,
    times: (average) => Math.floor(average) + (next() < average % 1 ? 1 : 0),
    of: (list) => list[between(0, list.length - 1)],
    some(list, count) {
      const left = [...list];
      const taken: typeof left = [];
      while (taken.length < count && left.length > 0) taken.push(...left.splice(between(0, left.length - 1), 1));
      return taken;
    },
  };
}
