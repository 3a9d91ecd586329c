/** The command line of the bench. */
import { parseArgs } from 'node:util';
import { FULL_PLAN, type RoundPlan } from './bench.ts';
import type { Figure } from './figure.ts';

export interface Options {
  /** The figures to measure, in their order. */
  figures: Figure[];
  plan: RoundPlan;
  isJson: boolean;
  isHelp: boolean;
}

/** What is wrong with a command line, for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export function parseOptions(args: readonly string[], known: readonly Figure[]): Options {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter((name) => !known.some((figure) => figure.name === name));
  if (unknown.length > 0) {
    const names = known.map((figure) => figure.name).join(', ');
    throw new UsageError(`there is no figure ${unknown.join(', ')}; there are ${names}`);
  }
  return {
    figures: known.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    plan: {
      rounds: numberOption('--rounds', values.rounds, FULL_PLAN.rounds, Number.isInteger),
      roundSeconds: numberOption('--seconds', values.seconds, FULL_PLAN.roundSeconds, Number.isFinite),
    },
    isJson: values.json,
    isHelp: values.help,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function numberOption(
  option: string,
  text: string | undefined,
  otherwise: number,
  isFine: (value: number) => boolean,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() !== '' && isFine(value) && value > 0) return value;
  throw new UsageError(`${option} must be a positive number, not ${JSON.stringify(text)}`);
}

/** Shorter rounds than those that count. */
export function isShortened({ rounds, roundSeconds }: RoundPlan): boolean {
  return rounds < FULL_PLAN.rounds || roundSeconds < FULL_PLAN.roundSeconds;
}

export function helpText(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const rows = figures.map(({ name, summary, better, target, unit }) => {
    const wanted = `${better === 'higher' ? '≥' : '≤'} ${target.toLocaleString('en')}${unit === 'ratio' ? '' : ` ${unit}`}`;
    return `  ${name.padEnd(width)}  ${summary} (${wanted})`;
  });
  return `Measures how fast Holdfast is and how much memory it takes.

Usage: npm run bench -- [options] [NAME…]

Without a NAME all figures are measured. A figure in rounds is the median of its rounds; a ratio compares with a floor
that does the unavoidable only, by turns. The exit code is 0 only if every figure meets its target, 1 if one does not
or fails, and 2 if the command line is wrong.

Figures:
${rows.join('\n')}

Options:
  --json         one JSON object a line instead of a table
  --rounds N     rounds of each figure (${FULL_PLAN.rounds})
  --seconds S    length of a round (${FULL_PLAN.roundSeconds}); what counts are ${FULL_PLAN.rounds} rounds of ${FULL_PLAN.roundSeconds} s or more
  -h, --help     this text

Leave the machine alone meanwhile: figures of a busy one say little.
`;
}
