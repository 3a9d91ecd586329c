/** Files with private keys: only their owner reads them, and none is ever overwritten. */
import { open, readFile, stat } from 'node:fs/promises';
import { CommandError } from '../command-error.ts';
import { causeText } from '../input-file.ts';

const OTHERS_MAY_ACCESS = 0o007;

/** Makes the file, mode 0600. @param content text as it is, or what becomes JSON @throws CommandError usage */
export async function createPrivateFile(file: string, content: unknown): Promise<void> {
  try {
    await using handle = await open(file, 'wx', 0o600);
    await handle.writeFile(typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
    await handle.sync();
  } catch (error) {
    throw new CommandError('usage', `cannot make the key file ${file}: ${causeText(error)}`, {
      code: 'file_unwritable',
      cause: error,
    });
  }
}

/** @param origin how to get such a file, if it cannot be read. @throws CommandError usage */
export async function readPrivateFile(file: string, origin: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    if ((mode & OTHERS_MAY_ACCESS) !== 0) {
      throw unusable(file, 'every user of this machine can read it', `Run: chmod 600 ${file}`);
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw unusable(file, causeText(error), origin);
  }
}

/** Names the file and never quotes it. */
export function unusable(file: string, complaint: string, hint?: string): CommandError {
  return new CommandError('usage', `cannot use the key file ${file}: ${complaint}`, {
    hint,
    code: 'key_file_unusable',
  });
}
