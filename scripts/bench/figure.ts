/** What a figure of the bench is: a named measurement with a target that says what is good enough. */
import type { Bench } from './bench.ts';
import type { Spread } from './rounds.ts';

export interface Figure {
  /** Stable: issues, README and CI refer to it. */
  readonly name: string;
  /** What is measured against what, in one line. */
  readonly summary: string;
  readonly unit: string;
  readonly target: number;
  /** Which side of the target is the good one. */
  readonly better: 'higher' | 'lower';
  measure(bench: Bench): Promise<Measurement>;
}

/** What came out, and what helps to judge whether to believe it. */
export interface Measurement {
  /** In the figure's unit; the median where there were several rounds. */
  value: number;
  /** Lowest and highest round. */
  spread?: Spread;
  rounds?: number;
  /** Further numbers and words, by name. */
  details?: Record<string, number | string>;
}

export interface Result extends Measurement {
  figure: Figure;
}

export function meetsTarget({ figure, value }: Pick<Result, 'figure' | 'value'>): boolean {
  return figure.better === 'higher' ? value >= figure.target : value <= figure.target;
}
