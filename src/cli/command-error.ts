/** Why a command ends without success, with its exit code and what to do next. */

/** Exit codes of every command; scripts rely on them. */
export const EXIT = {
  ok: 0,
  /** The answer is no: it did not resolve, a check failed, the service refused. */
  refused: 1,
  /** The command line, an input file or the environment is wrong. */
  usage: 2,
  /** The service or the database cannot be reached, or is not able to answer. */
  unreachable: 3,
  /** A fault of this program. */
  fault: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface CommandErrorOptions extends ErrorOptions {
  /** What to do about it. */
  hint?: string;
  /** Stable code for machines. */
  code?: string;
  /** Wrong fields, each by JSON Pointer. */
  fields?: readonly { pointer: string; detail: string }[];
}

export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly code: string;
  readonly fields: readonly { pointer: string; detail: string }[];

  constructor(kind: Exclude<keyof typeof EXIT, 'ok'>, message: string, options: CommandErrorOptions = {}) {
    super(message, options);
    this.exitCode = EXIT[kind];
    this.hint = options.hint;
    this.code = options.code ?? kind;
    this.fields = options.fields ?? [];
  }
}
