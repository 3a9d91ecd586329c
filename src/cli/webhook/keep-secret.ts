/** Where the secret of a webhook goes: to standard output alone, or into a file that only its owner reads. */
import { open, unlink } from 'node:fs/promises';
import { CommandError } from '../command-error.ts';
import { causeText } from '../input-file.ts';
import type { Output } from '../output.ts';
import { unwritable } from '../output-file.ts';
import { describeWebhook, type WebhookRecord } from './webhook-records.ts';

export const SECRET_FILE_OPTION = [
  '--secret-file <file>',
  'a new file for the secret, mode 0600, in place of standard output',
] as const;

/**
 * Makes the file first, so that no secret is made that could not be kept, and takes it back if none was.
 * @param make asks the service for the secret
 * @throws CommandError usage, naming the file
 */
export async function keepSecret(
  file: string | undefined,
  output: Output,
  make: () => Promise<WebhookRecord & { secret: string }>,
): Promise<void> {
  if (file === undefined) {
    const { secret, ...webhook } = await make();
    output.explain((report) => describeWebhook(report, webhook));
    output.text(secret, { ...webhook, secret });
    output.note('The secret is shown this once; the receiver verifies messages with it.');
    return;
  }
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw unwritable(file, error);
  });
  let isKept = false;
  try {
    const { secret, ...webhook } = await make();
    await handle.writeFile(`${secret}\n`).catch((error: unknown) => {
      const hint = 'The secret is lost: `holdfast webhook rotate-secret` makes another one.';
      const message = `cannot write ${file}: ${causeText(error)}`;
      throw new CommandError('usage', message, { hint, code: 'file_unwritable', cause: error });
    });
    await handle.sync();
    isKept = true;
    output.result(webhook, (report) => describeWebhook(report, webhook));
    output.note(`Its secret is in ${file}; it is shown nowhere else.`);
  } finally {
    await handle.close();
    if (!isKept) await unlink(file).catch(() => {});
  }
}
