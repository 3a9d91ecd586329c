/** `holdfast entity host update` */
import type { Command } from 'commander';
import { entitySchema } from '../../api-records.ts';
import { findEntity } from '../../find-record.ts';
import { example } from '../../help-text.ts';
import { readJsonObjectInput } from '../../input-file.ts';
import { recordVersion, wholeNumber } from '../../option-values.ts';
import { requireSomeChange } from '../../require-change.ts';
import { openServiceSession } from '../../session.ts';
import type { Surroundings } from '../../surroundings.ts';
import { requirePassedChecks } from '../add.ts';
import { describeEntity } from '../entity-report.ts';

interface UpdateOptions {
  metadata?: string;
  lifetime?: number;
  ifMatch?: number;
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
    const body = {
      metadata: metadata && (await readJsonObjectInput(metadata, session)),
      configurationLifetimeSeconds: lifetime,
    };
    requireSomeChange(body);
    const { id, version } = await findEntity(session.client, given);
    const entity = await session.client.send(
      { method: 'PATCH', path: `entities/${id}/hosting`, body, ifMatch: ifMatch ?? version },
      entitySchema,
    );
    session.output.result(entity, (report) => describeEntity(report, entity));
    requirePassedChecks(entity);
  });
}
