/** `holdfast anchor fetch` */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { validateEntityConfiguration } from '../../federation/statement/validate-statement.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { causeText } from '../input-file.ts';
import {
  addOutboundOptions,
  isHttpAllowed,
  type OutboundOptions,
  openOutbound,
  parseNamedEntity,
} from '../outbound-options.ts';
import { openSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { grouped, keyThumbprints } from './thumbprints.ts';

interface FetchOptions extends OutboundOptions {
  out?: string;
}

const DESCRIPTION = `Download the Entity Configuration of a Trust Anchor and show its keys with their RFC 7638 thumbprints.
What comes over the network proves nothing: compare the thumbprints with what the Trust Anchor publishes elsewhere, or
tells you on the telephone, before you trust the file that --out writes. Needs no running service.`;

export function addAnchorFetchCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('fetch')
    .summary('download the keys of a Trust Anchor, to be compared')
    .description(DESCRIPTION)
    .argument('<entity-identifier>', 'the Trust Anchor')
    .option('--out <file>', 'write the JWK Set to this file');
  addOutboundOptions(command).addHelpText(
    'after',
    example('holdfast anchor fetch https://fed.example.org --out fed-keys.json'),
  );
  command.action(async (given: string, options: FetchOptions) => {
    const { output } = openSession(command, surroundings);
    const allowHttp = isHttpAllowed(options, surroundings);
    const anchor = parseNamedEntity(given, allowHttp);
    await using outbound = await openOutbound(options, surroundings, [anchor]);
    const { retrieveEntityConfiguration } = await import('../../resolver/http-statement-source.ts');
    const jwt = await retrieveEntityConfiguration(outbound, anchor);
    const now = Math.floor(Date.now() / 1000);
    const { jwks } = (await validateEntityConfiguration(jwt, anchor, { allowHttp, now })).claims;
    const thumbprints = await keyThumbprints(jwks.keys);
    if (options.out !== undefined) await writeJwks(options.out, jwks);
    output.result({ trustAnchor: anchor, thumbprints, jwks }, (report) => {
      report.heading(`Keys that ${anchor} publishes: compare these out of band`);
      report.table(
        [],
        thumbprints.map(({ algorithm, thumbprint }) => [algorithm, grouped(thumbprint)]),
      );
      report.heading('JWK Set');
      report.json(jwks);
    });
    if (options.out !== undefined)
      output.note(`\nWritten to ${options.out}, for --anchor-jwks or \`holdfast anchor add\`.`);
  });
}

async function writeJwks(file: string, jwks: object): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(jwks, null, 2)}\n`);
  } catch (error) {
    throw new CommandError('usage', `cannot write ${file}: ${causeText(error)}`, {
      code: 'file_unwritable',
      cause: error,
    });
  }
}
