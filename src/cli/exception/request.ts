/** `holdfast exception request` */
import { type Command, Option } from 'commander';
import { isRecordId } from '../../registry/record-id.ts';
import { CommandError } from '../command-error.ts';
import { findEntity, findToken } from '../find-record.ts';
import { example } from '../help-text.ts';
import { HOLDFAST } from '../invocation.ts';
import { type Moment, moment } from '../moment-option.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { describeException, exceptionSchema } from './exception-report.ts';

interface RequestOptions {
  kind: string;
  owner: string;
  ends: Moment;
  reason: string;
}

export function addExceptionRequestCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('request')
    .summary('ask for one; somebody else approves it')
    .description(
      'Ask for an exception; it has no effect before somebody approves it who neither asked nor answers for it.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .addOption(
      new Option('--kind <kind>', 'what it is let off: a client certificate, or tokens bound to one')
        .choices(['no_mtls', 'unbound_token'])
        .makeOptionMandatory(),
    )
    .requiredOption(
      '--owner <token>',
      'API token of whoever answers for it: id, as `holdfast whoami` tells it; admins may name it',
    )
    .requiredOption('--ends <moment>', 'when it is over by itself, within a year: 2027-06-30, or a moment', moment)
    .requiredOption('--reason <text>', 'why the partner cannot do without, and what is done about it')
    .addHelpText(
      'after',
      example(
        'holdfast exception request https://rp.example.edu --kind no_mtls --owner olu --ends 2027-06-30 --reason "gateway is replaced in autumn"',
      ),
    );
  command.action(async (given: string, { kind, owner, ends, reason }: RequestOptions) => {
    if (ends.at === null) throw new CommandError('usage', 'an exception has an end: --ends names a day or a moment');
    const session = openServiceSession(command, surroundings);
    const { id } = await findEntity(session.client, given);
    const body = {
      kind,
      ownerId: isRecordId(owner) ? owner : (await findToken(session.client, owner)).id,
      endsAt: ends.at,
      reason,
    };
    const exception = await session.client.send(
      { method: 'POST', path: `entities/${id}/exceptions`, body },
      exceptionSchema,
    );
    session.output.result(exception, (report) => describeException(report, exception));
    session.output.note(`Next, with a token of somebody else: ${HOLDFAST} exception approve ${exception.id}`);
  });
}
