/** `holdfast api-resource update` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { findApiResource } from '../offers/find-offer.ts';
import { apiResourceSchema } from '../offers/offer-records.ts';
import { describeApi } from '../offers/offer-report.ts';
import { recordVersion } from '../option-values.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type ApiOptions, addApiOptions, apiSettings } from './api-settings.ts';

export function addApiUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .description('Change where a version of an API is, what is certified of it, and how long it is offered.')
    .argument('<api>', 'id, or family and version such as payments@2.1.0');
  addApiOptions(command)
    .option('--no-endpoint', 'it is nowhere yet')
    .option('--no-required-role', 'whoever is active may come in')
    .option('--no-audience', 'tokens for any audience of their issuer count')
    .option('--no-superseded-by', 'nothing takes its place')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText(
      'after',
      example('holdfast api-resource update payments@2.1.0 --certification certified --certified-until 2028-06-30'),
    );
  command.action(async (given: string, options: ApiOptions & { ifMatch?: number }) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const body = await apiSettings(options, client);
    requireSomeChange(body);
    const { id, version } = await findApiResource(client, given);
    const api = await client.send(
      { method: 'PATCH', path: `api-resources/${id}`, body, ifMatch: options.ifMatch ?? version },
      apiResourceSchema,
    );
    session.output.result(api, (report) => describeApi(report, api));
  });
}
