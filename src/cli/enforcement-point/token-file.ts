/** Where the token of an enforcement point goes: to standard output alone, or into a file that only its owner reads. */
import { open, unlink } from 'node:fs/promises';
import { CommandError } from '../command-error.ts';
import { causeText } from '../input-file.ts';
import { unwritable } from '../output-file.ts';
import { withNames } from '../record-names.ts';
import type { ServiceSession } from '../session.ts';
import { describePoint, type EnforcementPointRecord } from './enforcement-point-records.ts';

export const TOKEN_FILE_OPTION = [
  '--token-file <file>',
  'a new file for the token, mode 0600, in place of standard output',
] as const;

type PointWithToken = EnforcementPointRecord & { token: string | null };

/**
 * Makes the file first, so that no token is made that could not be kept, and takes it back if none was.
 * @param make asks the service for the token
 * @throws CommandError usage, naming the file
 */
export async function keepToken(
  file: string | undefined,
  session: Pick<ServiceSession, 'client' | 'output'>,
  make: () => Promise<PointWithToken>,
): Promise<void> {
  const { output } = session;
  if (file === undefined) {
    const { token, ...point } = await make();
    if (token === null) {
      const readable = await named(session, point);
      output.result({ ...point, token }, (report) => describePoint(report, readable));
      return;
    }
    const readable = await named(session, point);
    output.explain((report) => describePoint(report, readable));
    output.text(token, { ...point, token });
    output.note('The token is shown this once; it goes into the header Holdfast-Enforcement-Point.');
    return;
  }
  const handle = await open(file, 'wx', 0o600).catch((error: unknown) => {
    throw unwritable(file, error);
  });
  let isKept = false;
  try {
    const { token, ...point } = await make();
    if (token === null) throw new Error('the service made no token');
    await handle.writeFile(`${token}\n`).catch((error: unknown) => {
      const hint = 'The token is lost: `holdfast enforcement-point rotate-token` makes another one.';
      const message = `cannot write ${file}: ${causeText(error)}`;
      throw new CommandError('usage', message, { hint, code: 'file_unwritable', cause: error });
    });
    await handle.sync();
    isKept = true;
    const readable = await named(session, point);
    output.result(point, (report) => describePoint(report, readable));
    output.note(`Its token is in ${file}; it is kept nowhere else.`);
  } finally {
    await handle.close();
    if (!isKept) await unlink(file).catch(() => {});
  }
}

/** With the name of its authority, unless that cannot be had: the token is there once, and comes first. */
async function named(
  session: Pick<ServiceSession, 'client' | 'output'>,
  point: EnforcementPointRecord,
): Promise<EnforcementPointRecord> {
  const [readable = point] = await withNames(session, [point]).catch(() => [point]);
  return readable;
}
