/** `holdfast export`: the whole registry as reviewable files, or as one document. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { isJsonObject, type JsonObject, MAX_JSON_DEPTH } from '../../federation/json.ts';
import { KIND_NAMES, type KindName } from '../../registry/transfer/record-kind.ts';
import type { ApiClient } from '../api-client.ts';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import { parseJsonInput } from '../input-file.ts';
import { unwritable } from '../output-file.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { documentText, type ExportDocument, writeExportDirectory } from './export-directory.ts';

export function addExportCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('export')
    .summary('the whole registry as reviewable files')
    .description(
      'Write the registry at one moment: a JSON file a record, KIND/ID.json, sorted, so that git shows what changed.\n' +
        'A name that ends with .json gets one document, and so does standard output without --out.\n' +
        'Public keys only: no tokens, no secrets, no webhooks. `holdfast import` reads it.',
    )
    .option('--out <place>', 'an empty directory, or one with an earlier export; or a file that ends with .json')
    .addHelpText('after', example('holdfast export --out registry'));
  command.action(async ({ out }: { out?: string }) => {
    const { client, output, stdout } = openServiceSession(command, surroundings);
    const document = await download(client);
    const text = () => documentText({ format: document.format, seq: document.seq, records: { ...document.records } });
    if (out === undefined) {
      stdout.write(text());
      return;
    }
    if (out.endsWith('.json')) {
      await writeFile(out, text()).catch((error) => {
        throw unwritable(out, error);
      });
    } else await writeExportDirectory(out, document);
    const { seq } = document;
    const records = Object.values(document.records).reduce((sum, { length }) => sum + length, 0);
    output.result({ place: out, seq, records }, (report) =>
      report.line(`the registry at change ${seq} in ${out}: ${records} records`),
    );
  });
}

/** Reads the lines of the service. @throws CommandError unreachable where they broke off */
async function download(client: ApiClient): Promise<ExportDocument> {
  const document: ExportDocument = { format: '', seq: 0, records: {} };
  let [count, total] = [0, -1];
  for await (const line of lines(client.download('export', {}))) {
    const value = parseJsonInput(line, 'the export', MAX_JSON_DEPTH + 8);
    if (!isJsonObject(value)) continue;
    const { format, seq, kind, record, records } = value;
    if (typeof format === 'string' && typeof seq === 'number') Object.assign(document, { format, seq });
    if (typeof records === 'number') total = records;
    if (!isKind(kind) || !isJsonObject(record)) continue;
    const known: JsonObject[] = document.records[kind] ?? [];
    known.push(record);
    document.records[kind] = known;
    count++;
  }
  if (total === count) return document;
  throw new CommandError('unreachable', 'the export broke off; run it again', { code: 'export_incomplete' });
}

function isKind(name: unknown): name is KindName {
  return KIND_NAMES.some((known) => known === name);
}

async function* lines(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of text) {
    const parts = (rest + piece).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}
