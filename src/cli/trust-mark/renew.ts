/** `holdfast trust-mark renew` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { readJsonInput } from '../input-file.ts';
import { recordVersion } from '../option-values.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type End, endTime } from './end-option.ts';
import { findTrustMark } from './find-trust-mark.ts';
import { trustMarkSchema } from './trust-mark-records.ts';
import { describeMark } from './trust-mark-report.ts';

interface RenewOptions {
  type?: string;
  until?: End;
  claims?: string;
  ifMatch?: number;
}

export function addTrustMarkRenewCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('renew')
    .summary('change the end of a grant, or its claims')
    .description('Change the end of a grant, or the further claims of the mark. The bearer must be eligible now.')
    .argument('<mark>', 'id, or Entity Identifier of the bearer')
    .option('--type <type>', 'the type, where the bearer has several marks')
    .option('--until <day>', 'the end of the grant, such as 2027-12-31; or never', endTime)
    .option('--claims <file>', 'JSON: further claims of this mark; - is standard input')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast trust-mark renew https://rp.example.edu --until 2028-12-31'));
  command.action(async (given: string, options: RenewOptions) => {
    const session = openServiceSession(command, surroundings);
    const additionalClaims = options.claims === undefined ? undefined : await readJsonInput(options.claims, session);
    const body = { additionalClaims, expiresAt: options.until?.expiresAt };
    requireSomeChange(body);
    const { id, version } = await findTrustMark(session.client, given, options.type);
    const mark = await session.client.send(
      { method: 'PATCH', path: `trust-marks/${id}`, body, ifMatch: options.ifMatch ?? version },
      trustMarkSchema,
    );
    session.output.result(mark, (report) => describeMark(report, mark));
  });
}
