/** `holdfast trust-mark type update` */
import type { Command } from 'commander';
import { example } from '../../help-text.ts';
import { recordVersion } from '../../option-values.ts';
import { requireSomeChange } from '../../require-change.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { findTrustMarkType } from '../find-trust-mark.ts';
import { trustMarkTypeSchema } from '../trust-mark-records.ts';
import { showType } from './show-type.ts';
import { addTypeOptions, type TypeOptions, typeSettings } from './type-settings.ts';

export function addTypeUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change what its marks say, and who may get one')
    .description('Change a Trust Mark type. Marks signed from now on follow; those signed before stay as they are.')
    .argument('<type>', 'id or name')
    .option('--name <name>', 'what people call it');
  addTypeOptions(command)
    .option('--no-rules', 'let anybody have one who is granted one')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText(
      'after',
      example('holdfast trust-mark type update https://fed.example.org/marks/member --lifetime 3600'),
    );
  command.action(async (given: string, options: TypeOptions & { ifMatch?: number }) => {
    const session = openServiceSession(command, surroundings);
    const body = await typeSettings(options, session);
    requireSomeChange(body);
    const { id, version } = await findTrustMarkType(session.client, given);
    const type = await session.client.send(
      { method: 'PATCH', path: `trust-mark-types/${id}`, body, ifMatch: options.ifMatch ?? version },
      trustMarkTypeSchema,
    );
    await showType(session, type);
  });
}
