/** `holdfast api-resource remove` */
import type { Command } from 'commander';
import { nothingSchema } from '../api-records.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { findApiResource } from '../offers/find-offer.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addApiRemoveCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('remove')
    .description('Take a version of an API off the record. It can still be looked at.')
    .argument('<api>', 'id, or family and version such as payments@2.1.0')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast api-resource remove payments@2.1.0'));
  command.action(async (given: string, { yes }: { yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const { id, family, apiVersion, version } = await findApiResource(session.client, given);
    const name = `${family} ${apiVersion}`;
    await confirm(`remove ${name}?`, session, { yes, lookAt: `holdfast api-resource show ${id}` });
    await session.client.send({ method: 'DELETE', path: `api-resources/${id}`, ifMatch: version }, nothingSchema);
    session.output.result({ removed: id }, (report) => report.line(`${name} is removed.`));
  });
}
