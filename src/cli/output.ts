/** Where a command's words go: its result to stdout, as text or as JSON, and all else to stderr. */
import { asTyped } from './invocation.ts';
import { printable } from './printable.ts';
import { Report } from './report.ts';
import type { OutputStream, Surroundings } from './surroundings.ts';

export class Output {
  readonly isJson: boolean;
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;

  constructor({ stdout, stderr }: Surroundings, isJson: boolean) {
    this.isJson = isJson;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** The result: `value` for machines, what `describe` writes for people. */
  result(value: unknown, describe: (report: Report) => void): void {
    if (this.isJson) this.json(value);
    else this.#write(this.#stdout, describe);
  }

  /** A result that is JSON for both. */
  json(value: unknown): void {
    this.#stdout.write(printable(`${JSON.stringify(value, null, 2)}\n`));
  }

  /** A single value that a shell can take with `$(…)`; as JSON the whole of `value`. */
  text(text: string, value: unknown): void {
    if (this.isJson) this.json(value);
    else this.#stdout.write(printable(`${text}\n`));
  }

  /** What a person should see before or beside the result. Machines see the result alone. */
  explain(describe: (report: Report) => void): void {
    if (!this.isJson) this.#write(this.#stderr, describe);
  }

  /** A line for a person. */
  note(text: string): void {
    this.explain((report) => report.line(asTyped(text)));
  }

  /** A line that machines should not miss either. */
  warn(text: string): void {
    this.#stderr.write(printable(`warning: ${asTyped(text)}\n`));
  }

  #write(stream: OutputStream, describe: (report: Report) => void): void {
    const report = new Report(stream);
    describe(report);
    stream.write(report.toString());
  }
}
