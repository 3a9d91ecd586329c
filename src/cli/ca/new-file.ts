/** Files that a command makes and never writes over. */
import { writeFile } from 'node:fs/promises';
import { unwritable } from '../output-file.ts';

/** @throws CommandError usage, also when it is there */
export async function writeNewFile(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    throw unwritable(file, error);
  }
}
