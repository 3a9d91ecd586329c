/** Asks a person at a terminal; whoever runs a command without one has decided already. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { CommandError } from './command-error.ts';
import { isInteractive, type Surroundings } from './surroundings.ts';

/** @throws CommandError refused unless the answer is yes */
export async function confirm(question: string, surroundings: Surroundings): Promise<void> {
  if (!isInteractive(surroundings)) return;
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
