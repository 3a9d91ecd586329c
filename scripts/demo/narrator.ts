/** Tells a story to a person: numbered scenes, one line for each thing done with the time that it took, small tables. */
import { styleText } from 'node:util';
import { printable } from '../../src/cli/printable.ts';
import { Report } from '../../src/cli/report.ts';

type Style = Parameters<typeof styleText>[0];

/** Columns of the duration in front of a line, and of the indentation below it. */
const DURATION_WIDTH = 11;
const GAP = '  ';
const INDENT = ' '.repeat(DURATION_WIDTH + GAP.length);
/** Columns of what was done, before how it was done. */
const DEED_WIDTH = 58;

export class Narrator {
  readonly #stream: NodeJS.WriteStream;
  #scenes = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  title(text: string, ...intro: readonly string[]): void {
    this.#write(this.#style('bold', text), ...intro);
  }

  /** Begins a scene. @param intro lines that say what happens and what to look at */
  scene(title: string, ...intro: readonly string[]): void {
    this.#scenes++;
    this.#write('', this.#style('bold', `${this.#scenes}. ${title}`), ...intro.map((line) => `   ${line}`));
  }

  /**
   * Does something and tells it with the time that it took.
   * @param how what a person would type or send to do the same
   */
  async step<T>(work: () => Promise<T>, describe: (outcome: T) => string, how?: string): Promise<T> {
    const startedAt = performance.now();
    const outcome = await work();
    this.tell(describe(outcome), { durationMs: performance.now() - startedAt, how });
    return outcome;
  }

  /** One line of the story. */
  tell(text: string, { durationMs, how }: { durationMs?: number; how?: string } = {}): void {
    const duration = durationMs === undefined ? '' : `+${millisecondsText(durationMs)}`;
    const deed = how === undefined ? text : text.padEnd(DEED_WIDTH);
    const line = `${this.#style('cyan', duration.padStart(DURATION_WIDTH))}${GAP}${deed}`;
    this.#write(how === undefined ? line : `${line}${GAP}${this.#style('dim', how)}`);
  }

  /** Rows below a line of the story. */
  table(rows: readonly (readonly string[])[]): void {
    const report = new Report(this.#stream);
    report.table([], rows);
    this.#write(
      ...report
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => `${INDENT}${line}`),
    );
  }

  /** Names and values, each name in the same style as a heading of its own. */
  facts(facts: readonly (readonly [name: string, value: string])[]): void {
    const report = new Report(this.#stream);
    report.facts(facts);
    this.#write(report.toString().trimEnd());
  }

  /** Text as it stands. */
  say(...lines: readonly string[]): void {
    this.#write(...lines);
  }

  success(text: string): void {
    this.#write('', this.#style('green', text));
  }

  failure(text: string): void {
    this.#write('', this.#style('red', text));
  }

  #write(...lines: readonly string[]): void {
    this.#stream.write(`${lines.join('\n')}\n`);
  }

  #style(style: Style, text: string): string {
    return styleText(style, printable(text), { stream: this.#stream });
  }
}

/** `3.4 ms`, `38 ms`, `1,204 ms` */
export function millisecondsText(milliseconds: number): string {
  const digits = milliseconds < 10 ? 1 : 0;
  const text = milliseconds.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${text} ms`;
}

/** Identifiers as a person can compare them: URLs without their scheme, the beginning of a key id. */
export function short(text: string): string {
  return text.replaceAll('http://', '').replace(/(?<![\w-])([\w-]{8})[\w-]{35}(?![\w-])/g, '$1…');
}
