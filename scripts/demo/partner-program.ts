/** A partner: a program of its own, with keys of its own, that publishes an Entity Configuration. */
import { readFile, writeFile } from 'node:fs/promises';
import type { AuthorityRecord } from '../../src/cli/api-records.ts';
import type { JsonObject } from '../../src/federation/json.ts';
import type { Metadata } from '../../src/federation/metadata/metadata.ts';
import { publishedMetadata } from './federation-client.ts';
import { short } from './narrator.ts';
import type { Stage } from './stage.ts';

/** Everybody asks anew each time, so that the story goes on at once when a partner changes what it publishes. */
const MAX_AGE_SECONDS = 0;

export interface PartnerProgram {
  role: string;
  /** Name of its folder and its files. */
  folder: string;
  entityType: string;
  /** Of its organisation. */
  name: string;
  entity: string;
  superior: AuthorityRecord;
  /** Metadata of the Entity Type. */
  published: JsonObject;
  /** For how long others may go by what they got; not at all unless given. */
  maxAgeSeconds?: number;
}

/** @returns what it really publishes, by Entity Type */
export async function publishPartner(stage: Stage, program: PartnerProgram): Promise<Metadata> {
  const { role, folder, entityType, name, entity, superior, published, maxAgeSeconds = MAX_AGE_SECONDS } = program;
  const dir = stage.file(folder);
  const metadataFile = await stage.write(`${folder}-metadata.json`, JSON.stringify(published, null, 2));
  return await stage.narrator.step(
    async () => {
      await stage.mustRun([
        ...['configuration', 'init', '--entity', entity, '--superior', superior.entityIdentifier],
        ...['--type', entityType, '--metadata', metadataFile, '--name', name, '--dir', dir],
      ]);
      const listen = `127.0.0.1:${new URL(entity).port}`;
      await stage.serve(folder, [
        ...['configuration', 'serve', '--dir', dir, '--listen', listen],
        ...['--max-age', String(maxAgeSeconds)],
      ]);
      return await publishedMetadata(entity);
    },
    () => `${role} ${short(entity)}, below ${superior.name}`,
    'holdfast configuration init; … serve',
  );
}

/** Edits the settings of what is published, as a person does with an editor; it is served at once. */
export async function editConfiguration(
  stage: Stage,
  folder: string,
  edit: (settings: JsonObject) => JsonObject,
): Promise<void> {
  const file = stage.file(folder, 'configuration.json');
  const settings: JsonObject = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify(edit(settings), null, 2));
}
