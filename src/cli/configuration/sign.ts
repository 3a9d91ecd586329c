/** `holdfast configuration sign` */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import { example } from '../help-text.ts';
import { writeWhole } from '../output-file.ts';
import { openLocalSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText } from '../times.ts';
import { signConfiguration } from './sign-configuration.ts';

interface SignOptions {
  dir: string;
  out?: string;
  allowHttp?: boolean;
}

const WELL_KNOWN = '.well-known';
const FILE_NAME = 'openid-federation';

const DESCRIPTION = `Check the settings, sign the Entity Configuration, and write it where your web server publishes it.
Run it again before half of its lifetime is over, for instance from cron.`;

export function addConfigurationSignCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('sign')
    .summary('sign it and write the well-known file')
    .description(DESCRIPTION)
    .requiredOption('--dir <folder>', 'the folder that `configuration init` made')
    .option('--out <path>', 'a web root, its .well-known folder, or a file (default: standard output)')
    .option('--allow-http', 'accept http identifiers beyond loopback')
    .addHelpText('after', example('holdfast configuration sign --dir rp --out /var/www/rp'));
  command.action(async (options: SignOptions) => {
    const { output, allowHttp, clock } = openLocalSession(command, surroundings, options);
    const signed = await signConfiguration({ dir: options.dir, allowHttp, now: clock.now() }, surroundings);
    if (options.out === undefined || options.out === '-') return output.text(signed.jwt, signed);
    const file = await wellKnownFile(options.out);
    await writeWhole(file, signed.jwt);
    output.result({ ...signed, file }, (report) => {
      report.heading(signed.entity);
      report.facts([
        ['written to', file],
        ['publish at', signed.url],
        ['as', MEDIA_TYPE.entityStatement],
        ['good until', momentText(signed.expiresAt)],
        ['signed by', signed.kid],
      ]);
    });
  });
}

/** A folder that is there, or whose path ends with a slash, gets the file where the standard wants it. */
async function wellKnownFile(out: string): Promise<string> {
  const isFolder =
    out.endsWith('/') ||
    (await stat(out).then(
      (found) => found.isDirectory(),
      () => false,
    ));
  if (path.basename(out) === WELL_KNOWN) return path.join(out, FILE_NAME);
  return isFolder ? path.join(out, WELL_KNOWN, FILE_NAME) : out;
}
