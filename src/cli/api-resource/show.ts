/** `holdfast api-resource show` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { findApiResource } from '../offers/find-offer.ts';
import { describeApi } from '../offers/offer-report.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addApiShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a version of an API.')
    .argument('<api>', 'id, or family and version such as payments@2.1.0')
    .addHelpText('after', example('holdfast api-resource show payments@2.1.0'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const api = await findApiResource(session.client, given);
    await showRecord(session, api, describeApi);
  });
}
