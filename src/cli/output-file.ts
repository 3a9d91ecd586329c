/** Files that a command writes. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CommandError } from './command-error.ts';
import { causeText } from './input-file.ts';

/** Also makes its folder. A reader sees the old file or the new one, never a part. @throws CommandError usage */
export async function writeWhole(file: string, content: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(draft, content, { mode: 0o644 });
    await rename(draft, file);
  } catch (error) {
    throw unwritable(file, error);
  }
}

export function unwritable(file: string, error: unknown): CommandError {
  return new CommandError('usage', `cannot write ${file}: ${causeText(error)}`, {
    code: 'file_unwritable',
    cause: error,
  });
}
