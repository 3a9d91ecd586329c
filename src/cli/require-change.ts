/** An update that would change nothing is a mistake of whoever typed it. */
import { CommandError } from './command-error.ts';

/** @throws CommandError usage when no member has a value */
export function requireSomeChange(changes: Readonly<Record<string, unknown>>): void {
  if (Object.values(changes).some((value) => value !== undefined)) return;
  throw new CommandError('usage', 'there is nothing to change', { hint: 'Name at least one setting; see --help.' });
}
