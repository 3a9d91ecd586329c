/** `holdfast ca root-list` */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import { example } from '../help-text.ts';
import { readTextInput } from '../input-file.ts';
import { positiveInteger } from '../option-values.ts';
import { writeWhole } from '../output-file.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type RootOptions, rootPassphrase } from './root-options.ts';

interface RootListOptions extends Pick<RootOptions, 'passphraseFile'> {
  root: string;
  revoke?: string;
  reasonCode: keyof typeof REASONS;
  days: number;
}

/** @see RFC 5280 §5.3.1 */
const REASONS = { unspecified: 0, ca_compromise: 2, superseded: 4, cessation_of_operation: 5 } as const;

export function addCaRootListCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('root-list')
    .summary('make the list of what the root revoked, on a machine without any network')
    .description(
      'Make the list of revocations of a root, `root.crl` in its folder: what it revoked before and, with --revoke, one\n' +
        'certification authority more. Servers that check whole chains against lists (nginx: ssl_crl) need it although\n' +
        'nothing is on it; make it anew before it ends. Who believes the root through the trust list of holdfast alone\n' +
        'need not have it: retire the certification authority there.',
    )
    .requiredOption('--root <folder>', 'the folder of the root')
    .option('--revoke <file>', 'the certificate of a certification authority of this root, PEM')
    .addOption(new Option('--reason-code <code>', 'why').choices(Object.keys(REASONS)).default('unspecified'))
    .option('--days <days>', 'until it ends', positiveInteger, 365)
    .option('--passphrase-file <file>', 'file with the passphrase of the root; or set HOLDFAST_ROOT_PASSPHRASE')
    .addHelpText(
      'after',
      example(
        'holdfast ca root-list --root /media/stick/root --passphrase-file /media/stick/passphrase',
        'holdfast ca root-list --root /media/stick/root --passphrase-file /media/stick/passphrase --revoke chain.pem --reason-code ca_compromise',
      ),
    );
  command.action(async ({ root: folder, revoke, reasonCode, days, ...options }: RootListOptions) => {
    const session = openSession(command, surroundings);
    const passphrase = await rootPassphrase(options, session);
    const { listRevoked } = await import('./root-ceremony.ts');
    const { openOfflineRoot, ROOT_LIST_FILE } = await import('../../signer/offline-root.ts');
    const { asOfRoot } = await import('./root-failure.ts');
    const file = path.join(folder, ROOT_LIST_FILE);
    const order = {
      before: existsSync(file) ? await readTextInput(file, session) : undefined,
      revoke: revoke === undefined ? undefined : await readTextInput(revoke, session),
      ...{ reason: REASONS[reasonCode], days },
    };
    const now = Math.floor(Date.now() / 1000);
    const list = await asOfRoot(async () => listRevoked(await openOfflineRoot(folder, passphrase), order, now));
    await writeWhole(file, list);
    session.output.result({ list: file }, (report) => report.line(file));
  });
}
