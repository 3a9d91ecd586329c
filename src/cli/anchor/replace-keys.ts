/** `holdfast anchor replace-keys` */
import type { Command } from 'commander';
import type { EntityIdentifier } from '../../federation/identifiers.ts';
import { trustAnchorSchema } from '../api-records.ts';
import { findTrustAnchor } from '../find-record.ts';
import { example } from '../help-text.ts';
import { recordVersion } from '../option-values.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { readAnchorKeys } from './anchor-keys.ts';
import { describeAnchor } from './anchor-report.ts';

interface ReplaceOptions {
  anchorJwks: string;
  ifMatch?: number;
}

export function addAnchorReplaceKeysCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('replace-keys')
    .summary('pin other keys for a Trust Anchor')
    .description('Replace the keys pinned for a Trust Anchor. Compare the new ones out of band first.')
    .argument('<anchor>', 'id, or Entity Identifier if unique')
    .requiredOption('--anchor-jwks <file>', 'its JWK Set, or its Entity Configuration; - is standard input')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast anchor replace-keys https://fed.example.org --anchor-jwks new-keys.json'));
  command.action(async (given: string, options: ReplaceOptions) => {
    const session = openServiceSession(command, surroundings);
    const { id, version, entityIdentifier } = await findTrustAnchor(session.client, given);
    const source = { anchor: entityIdentifier as EntityIdentifier, file: options.anchorJwks, allowHttp: true };
    const { jwks, warning } = await readAnchorKeys(source, session);
    if (warning !== undefined) session.output.warn(warning);
    const anchor = await session.client.send(
      { method: 'PUT', path: `trust-anchors/${id}`, body: { jwks }, ifMatch: options.ifMatch ?? version },
      trustAnchorSchema,
    );
    session.output.result(anchor, (report) => describeAnchor(report, anchor));
  });
}
