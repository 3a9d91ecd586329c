/** `holdfast authorization-server remove` */
import type { Command } from 'commander';
import { nothingSchema } from '../api-records.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { findAuthorizationServer } from '../offers/find-offer.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addServerRemoveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('remove')
    .description('Take an authorization server off the record, and its APIs with it. Both can still be looked at.')
    .argument('<server>', 'id, or issuer')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast authorization-server remove https://op.example.edu'));
  command.action(async (given: string, { yes }: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, issuer, version } = await findAuthorizationServer(session.client, given);
    const lookAt = `holdfast authorization-server show ${id}`;
    await confirm(`remove the authorization server ${issuer} and its APIs?`, session, { yes, lookAt });
    const path = `authorization-servers/${id}`;
    await session.client.send({ method: 'DELETE', path, ifMatch: version }, nothingSchema);
    session.output.result({ removed: id }, (report) => report.line(`${issuer} is removed.`));
  });
}
