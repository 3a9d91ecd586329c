/** `holdfast anchor remove` */
import type { Command } from 'commander';
import { nothingSchema } from '../api-records.ts';
import { confirm } from '../confirm.ts';
import { findTrustAnchor } from '../find-record.ts';
import { example } from '../help-text.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addAnchorRemoveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('remove')
    .description('Take a Trust Anchor out of trust; nothing is resolved towards it any more.')
    .argument('<anchor>', 'id, or Entity Identifier if unique')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast anchor remove https://fed.example.org'));
  command.action(async (given: string, options: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const anchor = await findTrustAnchor(session.client, given);
    const lookAt = `holdfast anchor show ${anchor.id}`;
    await confirm(`remove ${anchor.entityIdentifier}?`, session, { yes: options.yes, lookAt });
    await session.client.send({ method: 'DELETE', path: `trust-anchors/${anchor.id}` }, nothingSchema);
    session.output.result({ removed: anchor.id }, (report) => report.line(`${anchor.entityIdentifier} is removed.`));
  });
}
