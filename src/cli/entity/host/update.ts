/** `holdfast entity host update` */
import type { Command } from 'commander';
import { type JsonObject, jsonEquals } from '../../../federation/json.ts';
import { entitySchema } from '../../api-records.ts';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { readJsonObjectInput } from '../../input-file.ts';
import { recordVersion, wholeNumber } from '../../option-values.ts';
import { showRecord } from '../../record-names.ts';
import { requireSomeChange } from '../../require-change.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { requirePassedChecks } from '../add.ts';
import { describeEntity } from '../entity-report.ts';
import { type HostingRecord, hostingSchema } from './hosting-report.ts';

interface UpdateOptions {
  metadata?: string;
  lifetime?: number;
  ifMatch?: number;
}

interface Changes {
  metadata: JsonObject | undefined;
  configurationLifetimeSeconds: number | undefined;
}

export function addHostUpdateCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('update')
    .summary('change what its configuration says')
    .description(
      'Change the configuration of a hosted entity. It is published at once, as what an entity publishes itself is; the\n' +
        'checks then look at it. Exits with 1 if one failed.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .option('--metadata <file>', 'JSON: the metadata by Entity Type, as the entity declares it')
    .option('--lifetime <seconds>', 'life of its configuration', wholeNumber)
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .addHelpText(
      'after',
      example('holdfast entity host update https://entities.example.org/clinic --metadata metadata.json'),
    );
  command.action(async (given: string, { metadata, lifetime, ifMatch }: UpdateOptions) => {
    const session = openServiceSession(command, surroundings);
    const body: Changes = {
      metadata: metadata === undefined ? undefined : await readJsonObjectInput(metadata, session),
      configurationLifetimeSeconds: lifetime,
    };
    requireSomeChange({ ...body });
    const { id, version } = await findEntity(session.client, given);
    const before = await session.client.send({ method: 'GET', path: `entities/${id}/hosting` }, hostingSchema);
    const entity = await session.client.send(
      { method: 'PATCH', path: `entities/${id}/hosting`, body, ifMatch: ifMatch ?? version },
      entitySchema,
    );
    await showRecord(session, entity, describeEntity);
    if (isSame(before, body)) session.output.note('Nothing changed: its configuration says so already.');
    requirePassedChecks(entity);
  });
}

function isSame(before: HostingRecord, { metadata, configurationLifetimeSeconds: lifetime }: Changes): boolean {
  const isSameMetadata = metadata === undefined || jsonEquals(before.metadata as JsonObject, metadata);
  return isSameMetadata && (lifetime === undefined || lifetime === before.configurationLifetimeSeconds);
}
