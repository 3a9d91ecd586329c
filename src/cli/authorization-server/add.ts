/** `holdfast authorization-server add` */
import type { Command } from 'commander';
import { findAuthority, findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { findAuthorizationServer } from '../offers/find-offer.ts';
import { addOfferOptions, type OfferOptions, offerSettings, successorId } from '../offers/offer-options.ts';
import { authorizationServerSchema } from '../offers/offer-records.ts';
import { describeServer } from '../offers/offer-report.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';

interface AddOptions extends OfferOptions {
  authority?: string;
  idempotencyKey?: string;
}

export function addServerAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('record the authorization server of an entity')
    .description('Record the authorization server that an entity runs; its issuer is the Entity Identifier.')
    .argument('<entity>', 'id, or Entity Identifier')
    .option('--authority <authority>', 'the authority meant, if several have enrolled the entity');
  addOfferOptions(command)
    .option('--superseded-by <server>', 'the authorization server that takes its place: id, or issuer')
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText('after', example('holdfast authorization-server add https://op.example.edu'));
  command.action(async (given: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const { client } = session;
    const authorityId = options.authority && (await findAuthority(client, options.authority)).id;
    const { id: entityId } = await findEntity(client, given, authorityId);
    const supersededBy = await successorId(options.supersededBy, (other) => findAuthorizationServer(client, other));
    const body = { entityId, ...offerSettings(options), supersededBy };
    const server = await client.send(
      { method: 'POST', path: 'authorization-servers', body, idempotencyKey: options.idempotencyKey },
      authorizationServerSchema,
    );
    session.output.result(server, (report) => describeServer(report, server));
  });
}
