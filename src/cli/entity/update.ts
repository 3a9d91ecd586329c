/** `holdfast entity update` */
import type { Command } from 'commander';
import { entitySchema } from '../api-records.ts';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import { readJsonInput } from '../input-file.ts';
import { recordVersion } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { requireSomeChange } from '../require-change.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type AttributeOptions, addAttributeOptions, attributeSettings } from './attribute-options.ts';
import { describeEntity } from './entity-report.ts';
import { addSubordinateOptions, type SubordinateOptions, subordinateSettings } from './subordinate-options.ts';

interface UpdateOptions extends SubordinateOptions, AttributeOptions {
  jwks?: string;
  ifMatch?: number;
}

export function addEntityUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change what is said about an entity, or its keys')
    .description('Change what Subordinate Statements say about an entity, or the keys registered for it.')
    .argument('<entity>', 'id, or Entity Identifier');
  addAttributeOptions(command)
    .option('--no-name', 'nothing in particular')
    .option('--no-on-behalf-of', 'it acts for its own organisation');
  addSubordinateOptions(command)
    .option('--jwks <file>', 'JWK Set that replaces its registered keys; new ones are those that it publishes')
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText('after', example('holdfast entity update https://rp.example.edu --metadata-policy policy.json'));
  command.action(async (given: string, options: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    const jwks = options.jwks && (await readJsonInput(options.jwks, session));
    const attributes = await attributeSettings(options, session.client);
    const body = { ...attributes, ...(await subordinateSettings(options, session)), jwks };
    requireSomeChange(body);
    const { id, version } = await findEntity(session.client, given);
    const entity = await session.client.send(
      { method: 'PATCH', path: `entities/${id}`, body, ifMatch: options.ifMatch ?? version },
      entitySchema,
    );
    await showRecord(session, entity, describeEntity);
  });
}
