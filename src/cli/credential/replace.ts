/** `holdfast credential replace` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { type Moment, moment } from '../moment-option.ts';
import { recordVersion } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { credentialSchema } from './credential-records.ts';
import { describeCredential } from './credential-report.ts';
import { findCredential } from './find-credential.ts';
import { addMaterialOptions, type MaterialOptions, readMaterialOptions } from './material-options.ts';

interface ReplaceOptions extends MaterialOptions {
  until?: Moment;
  ifMatch?: number;
  idempotencyKey?: string;
}

export function addCredentialReplaceCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('replace')
    .summary('let another one take its place')
    .description('Record a certificate or key that takes the place of another one, at once or from a moment on.')
    .argument('<credential>', 'id, or SHA-256 of the certificate');
  addMaterialOptions(command)
    .option('--until <day>', 'until then both count: 2027-12-31, or a moment (default: the new one alone, now)', moment)
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText(
      'after',
      example(
        'holdfast credential replace 019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f --certificate next.pem --until 2027-12-31',
      ),
    );
  command.action(async (given: string, options: ReplaceOptions) => {
    const session = openServiceSession(command, surroundings);
    const material = await readMaterialOptions(options, session);
    const { id, version } = await findCredential(session.client, given);
    const { until, idempotencyKey } = options;
    const body = { ...material, until: until?.at };
    const ifMatch = options.ifMatch ?? version;
    const path = `credentials/${id}/replace`;
    const credential = await session.client.send(
      { method: 'POST', path, body, ifMatch, idempotencyKey },
      credentialSchema,
    );
    session.output.result(credential, (report) => describeCredential(report, credential));
  });
}
