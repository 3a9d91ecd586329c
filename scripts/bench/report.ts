/** Results for programs, one JSON object a line, and for people, a table. */
import { cpus, release, type } from 'node:os';
import { type Figure, meetsTarget, type Result } from './figure.ts';
import { readable } from './rounds.ts';

export function jsonLine({ figure, value, spread, rounds, details }: Result): string {
  const { name, unit, target, better } = figure;
  return JSON.stringify({
    name,
    value: rounded(value),
    unit,
    target,
    better,
    ...(spread && { spread: spread.map(rounded) }),
    ...(rounds !== undefined && { rounds }),
    ...Object.fromEntries(
      Object.entries(details ?? {}).map(([key, detail]) => [
        key,
        typeof detail === 'number' ? rounded(detail) : detail,
      ]),
    ),
  });
}

/** Four significant digits: more would be noise. */
function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}

const COLUMNS = ['figure', 'value', 'target', 'lowest … highest', 'verdict'] as const;

export function table(results: readonly Result[]): string {
  const rows = [
    COLUMNS,
    ...results.map((result) => [
      result.figure.name,
      withUnit(result.value, result.figure),
      targetText(result.figure),
      result.spread === undefined ? '' : result.spread.map(readable).join(' … '),
      meetsTarget(result) ? 'meets it' : 'MISSES IT',
    ]),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || column === COLUMNS.length - 1
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  return `${lines.join('\n')}\n\n${machine()}\n`;
}

function withUnit(value: number, { unit }: Figure): string {
  return unit === 'ratio' ? readable(value) : `${readable(value)} ${unit}`;
}

function targetText(figure: Figure): string {
  return `${figure.better === 'higher' ? '≥' : '≤'} ${withUnit(figure.target, figure)}`;
}

function machine(): string {
  const processors = cpus();
  return `Node ${process.version}, ${processors.length} × ${processors[0]?.model ?? 'unknown processor'}, ${type()} ${release()}`;
}
