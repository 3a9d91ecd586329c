/** `holdfast authorization-server update` */
import type { Command } from 'commander';
import { example } from '../help-text.ts';
import { findAuthorizationServer } from '../offers/find-offer.ts';
import { addOfferOptions, type OfferOptions, offerSettings, successorId } from '../offers/offer-options.ts';
import { authorizationServerSchema } from '../offers/offer-records.ts';
import { describeServer } from '../offers/offer-report.ts';
import { recordVersion } from '../option-values.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

export function addServerUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .description('Change how long an authorization server is offered, and what takes its place.')
    .argument('<server>', 'id, or issuer');
  addOfferOptions(command)
    .option('--superseded-by <server>', 'the authorization server that takes its place: id, or issuer')
    .option('--no-superseded-by', 'nothing takes its place')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast authorization-server update https://op.example.edu --retires 2027-12-31'));
  command.action(async (given: string, options: OfferOptions & { ifMatch?: number }) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const supersededBy = await successorId(options.supersededBy, (other) => findAuthorizationServer(client, other));
    const body = { ...offerSettings(options), supersededBy };
    requireSomeChange(body);
    const { id, version } = await findAuthorizationServer(client, given);
    const server = await client.send(
      { method: 'PATCH', path: `authorization-servers/${id}`, body, ifMatch: options.ifMatch ?? version },
      authorizationServerSchema,
    );
    session.output.result(server, (report) => describeServer(report, server));
  });
}
