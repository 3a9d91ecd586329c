/** A readable report: headings, facts and tables in aligned columns, coloured only where a terminal wants it. */
import { styleText } from 'node:util';
import { printable, printableLine } from './printable.ts';
import type { OutputStream } from './surroundings.ts';

type Style = Parameters<typeof styleText>[0];

/** Words that stand alone in a cell and mean good, waiting or bad. */
const WORD_STYLES: Readonly<Record<string, Style>> = {
  active: 'green',
  passed: 'green',
  resolved: 'green',
  announced: 'yellow',
  pending: 'yellow',
  skipped: 'yellow',
  retired: 'yellow',
  suspended: 'red',
  rejected: 'red',
  withdrawn: 'red',
  revoked: 'red',
  expired: 'red',
  failed: 'red',
};

const INDENT = '  ';
const GAP = '  ';

export class Report {
  readonly #lines: string[] = [];
  readonly #stream: OutputStream;

  /** @param stream where the report will stand; decides about colours (NO_COLOR is obeyed) */
  constructor(stream: OutputStream) {
    this.#stream = stream;
  }

  line(text = ''): void {
    this.#lines.push(printable(text));
  }

  /** A heading, with an empty line before it unless it is the first. */
  heading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push('');
    this.#lines.push(this.#style('bold', printableLine(text)));
  }

  /** Names and values below a heading; what has no value is left out. */
  facts(facts: readonly (readonly [name: string, value: string | undefined])[]): void {
    const rows = facts.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value]]));
    this.#columns(rows, INDENT);
  }

  /** @param header column titles; none for rows that explain themselves, which are indented */
  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    if (rows.length === 0) this.#lines.push('(none)');
    else if (header.length === 0) this.#columns(rows, INDENT);
    else this.#columns([header, ...rows], '', 1);
  }

  json(value: unknown): void {
    this.#lines.push(printable(JSON.stringify(value, null, 2)).replace(/^/gm, INDENT));
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #columns(rows: readonly (readonly string[])[], indent: string, headerRows = 0): void {
    const cells = rows.map((row) => row.map(printableLine));
    const widths = columnWidths(cells);
    cells.forEach((row, index) => {
      const columns = row.map((cell, column) => {
        const styled = index < headerRows ? this.#style('dim', cell) : this.#word(cell);
        return column === row.length - 1 ? styled : styled + ' '.repeat((widths[column] ?? 0) - cell.length);
      });
      this.#lines.push(`${indent}${columns.join(GAP)}`.trimEnd());
    });
  }

  #word(cell: string): string {
    const style = WORD_STYLES[cell];
    return style === undefined ? cell : this.#style(style, cell);
  }

  #style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }
}

function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return widths;
}
