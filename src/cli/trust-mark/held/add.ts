/** `holdfast trust-mark held add` */
import type { Command } from 'commander';
import { CommandError } from '../../command-error.ts';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { readTextInput } from '../../input-file.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { heldTrustMarkSchema } from '../trust-mark-records.ts';
import { HELD_COLUMNS, heldRow } from '../trust-mark-report.ts';

interface AddOptions {
  issuer?: string;
  type?: string;
  mark?: string;
  authority?: string;
}

export function addHeldAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .description('Show a Trust Mark: fetched from its issuer, or from a file.')
    .option('--issuer <entity-identifier>', 'who issued it; asked for the mark')
    .option('--type <type>', 'the Trust Mark type')
    .option('--mark <file>', 'the mark, a compact JWT; - is standard input')
    .option('--authority <authority>', 'the bearer; may be left out if there is only one authority')
    .addHelpText(
      'after',
      example(
        'holdfast trust-mark held add --issuer https://issuer.example --type https://issuer.example/marks/audited',
      ),
    );
  command.action(async (options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const { issuer, type: trustMarkType, mark } = options;
    const isFetched = issuer !== undefined && trustMarkType !== undefined && mark === undefined;
    const isHandedIn = mark !== undefined && issuer === undefined && trustMarkType === undefined;
    if (!isFetched && !isHandedIn) {
      throw new CommandError('usage', 'say either --issuer and --type, or --mark');
    }
    const trustMark = mark === undefined ? undefined : (await readTextInput(mark, session)).trim();
    const { id: authorityId } = await findAuthority(session.client, options.authority);
    const body = { authorityId, issuer, trustMarkType, trustMark };
    const held = await session.client.send({ method: 'POST', path: 'held-trust-marks', body }, heldTrustMarkSchema);
    session.output.result(held, (report) => report.table(HELD_COLUMNS, [heldRow(held)]));
  });
}
