/** `holdfast anchor add` */
import type { Command } from 'commander';
import { trustAnchorSchema } from '../api-records.ts';
import { findAuthority } from '../find-record.ts';
import { example } from '../help-text.ts';
import { parseNamedEntity } from '../outbound-options.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { readAnchorKeys } from './anchor-keys.ts';
import { describeAnchor } from './anchor-report.ts';

interface AddOptions {
  anchorJwks: string;
  authority?: string;
  idempotencyKey?: string;
}

export function addAnchorAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('pin the keys of a Trust Anchor')
    .description('Pin the keys of a Trust Anchor of others for one of our authorities. Compare them out of band first.')
    .argument('<entity-identifier>', 'the Trust Anchor')
    .requiredOption('--anchor-jwks <file>', 'its JWK Set, or its Entity Configuration; - is standard input')
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice')
    .addHelpText('after', example('holdfast anchor add https://fed.example.org --anchor-jwks fed-keys.json'));
  command.action(async (entityIdentifier: string, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    // Whether http will do is for the service to say.
    const source = { anchor: parseNamedEntity(entityIdentifier, true), file: options.anchorJwks, allowHttp: true };
    const { jwks, warning } = await readAnchorKeys(source, session);
    if (warning !== undefined) session.output.warn(warning);
    const authority = await findAuthority(session.client, options.authority);
    const body = { authorityId: authority.id, entityIdentifier, jwks };
    const anchor = await session.client.send(
      { method: 'POST', path: 'trust-anchors', body, idempotencyKey: options.idempotencyKey },
      trustAnchorSchema,
    );
    session.output.result(anchor, (report) => describeAnchor(report, anchor));
  });
}
