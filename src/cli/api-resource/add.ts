/** `holdfast api-resource add` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { findAuthorizationServer } from '../offers/find-offer.ts';
import { apiResourceSchema } from '../offers/offer-records.ts';
import { describeApi } from '../offers/offer-report.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type ApiOptions, addApiOptions, apiSettings } from './api-settings.ts';

interface AddOptions extends ApiOptions {
  server: string;
  idempotencyKey?: string;
}

export function addApiAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .description('Record a version of an API that an authorization server protects.')
    .argument('<family>', 'what all its versions are called, such as payments')
    .argument('<version>', 'by Semantic Versioning, such as 2.1.0')
    .requiredOption('--server <server>', 'the authorization server: id, or issuer');
  addApiOptions(command)
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText(
      'after',
      example(
        'holdfast api-resource add payments 2.1.0 --server https://op.bank.example \\\n' +
          '      --endpoint https://api.bank.example/payments/v2 --certification self_certified',
      ),
    );
  command.action(async (family: string, apiVersion: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const { id: authorizationServerId } = await findAuthorizationServer(client, options.server);
    const body = { authorizationServerId, family, apiVersion, ...(await apiSettings(options, client)) };
    const api = await client.send(
      { method: 'POST', path: 'api-resources', body, idempotencyKey: options.idempotencyKey },
      apiResourceSchema,
    );
    session.output.result(api, (report) => describeApi(report, api));
  });
}
