/** The folder of a partner, which nobody else looks into. */
import { mkdir } from 'node:fs/promises';
import { CommandError } from '../command-error.ts';
import { causeText } from '../input-file.ts';

/** @throws CommandError usage */
export async function makeFolder(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CommandError('usage', `cannot make the folder ${dir}: ${causeText(error)}`, { cause: error });
  }
}
