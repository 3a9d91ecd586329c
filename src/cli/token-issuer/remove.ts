/** `holdfast token-issuer remove` */
import type { Command } from 'commander';
import { nothingSchema } from '../api-records.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { findTokenIssuer, ISSUER_ARGUMENT } from './token-issuer-records.ts';

export function addIssuerRemoveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('remove')
    .description('Take an authorization server off the list: its tokens let nobody in any more.')
    .argument('<issuer>', ISSUER_ARGUMENT)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast token-issuer remove https://as.bank.example'));
  command.action(async (given: string, { yes }: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, issuer, version } = await findTokenIssuer(session.client, given);
    const lookAt = `holdfast token-issuer show ${id}`;
    await confirm(`believe tokens of ${issuer} no more?`, session, { yes, lookAt });
    const path = `token-issuers/${id}`;
    await session.client.send({ method: 'DELETE', path, ifMatch: version }, nothingSchema);
    session.output.result({ removed: id }, (report) => report.line(`${issuer} is removed.`));
  });
}
