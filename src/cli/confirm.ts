/** Asks a person at a terminal; without one, only `--yes` decides, or what a command has in its place. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { CommandError } from './command-error.ts';
import { isInteractive, type Surroundings } from './surroundings.ts';

export interface ConfirmOptions {
  /** Value of `--yes`: nothing is asked. */
  yes?: boolean;
  /** The command that shows what is decided about. */
  lookAt?: string;
  /** What decides where there is no terminal, if it is not `--yes`. */
  instead?: string;
}

/** @throws CommandError refused unless the answer is yes, usage when there is nobody to ask */
export async function confirm(
  question: string,
  surroundings: Surroundings,
  { yes, lookAt, instead = '--yes' }: ConfirmOptions = {},
): Promise<void> {
  if (yes === true) return;
  if (!isInteractive(surroundings)) {
    const look = lookAt === undefined ? '' : `look at \`${lookAt}\`, then `;
    throw new CommandError('usage', `nobody to ask: this is no terminal; ${look}repeat with ${instead}`, {
      code: 'not_confirmed',
    });
  }
  const terminal = createInterface({ input: surroundings.stdin, output: surroundings.stderr });
  try {
    // End of input and Ctrl-C close the terminal and leave the question open.
    const closed = once(terminal, 'close').then(() => '');
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new CommandError('refused', 'nothing was changed', { code: 'not_confirmed' });
}
