/** `holdfast trust-mark type define` */
import type { Command } from 'commander';
import { findAuthority } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { noteUnrecognised } from '../recognition.ts';
import { trustMarkTypeSchema } from '../trust-mark-records.ts';
import { showType } from './show-type.ts';
import { addTypeOptions, type TypeOptions, typeSettings } from './type-settings.ts';

interface DefineOptions extends TypeOptions {
  authority?: string;
  idempotencyKey?: string;
}

export function addTypeDefineCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('define')
    .summary('define a type of Trust Mark that an authority issues')
    .description(
      'Define a type of Trust Mark that an authority issues. A federation recognises it once its Trust Anchor lists it:\n' +
        '`holdfast authority update ANCHOR --trust-mark-issuers issuers.json`, where issuers.json has the type with its\n' +
        'issuers: {"https://fed.example.org/marks/member": ["https://fed.example.org"]}',
    )
    .argument('<type>', 'its name: a URL of yours')
    .requiredOption('--name <name>', 'what people call it');
  addTypeOptions(command)
    .option('--authority <authority>', 'id, Entity Identifier or name; may be left out if there is only one')
    .option('--idempotency-key <key>', 'repeating the command with this key defines nothing twice')
    .addHelpText(
      'after',
      example('holdfast trust-mark type define https://fed.example.org/marks/member --name Member'),
    );
  command.action(async (trustMarkType: string, options: DefineOptions) => {
    const session = openServiceSession(command, surroundings);
    const settings = await typeSettings(options, session);
    const { id: authorityId } = await findAuthority(session.client, options.authority);
    const body = { authorityId, trustMarkType, ...settings };
    const type = await session.client.send(
      { method: 'POST', path: 'trust-mark-types', body, idempotencyKey: options.idempotencyKey },
      trustMarkTypeSchema,
    );
    await showType(session, type);
    await noteUnrecognised(session, type);
  });
}
