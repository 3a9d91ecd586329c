/** An export as files: one JSON file a record, by kind and id, the same for the same registry, to be reviewed with git. */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue, MAX_JSON_DEPTH } from '../../federation/json.ts';
import { isRecordId } from '../../registry/record-id.ts';
import { EXPORT_FORMAT } from '../../registry/transfer/export-registry.ts';
import { KIND_NAMES, type KindName } from '../../registry/transfer/record-kind.ts';
import { CommandError } from '../command-error.ts';
import { causeText, parseJsonInput } from '../input-file.ts';
import { unwritable } from '../output-file.ts';
import { printable } from '../printable.ts';

export interface ExportDocument {
  format: string;
  seq: number;
  records: Partial<Record<KindName, JsonObject[]>>;
}

/** Tells that a directory is an export, of which format and which change. */
const MANIFEST = 'holdfast-export.json';

/** A document has records a few levels deep. */
const MAX_DEPTH = MAX_JSON_DEPTH + 8;

/** Members of every object in order, a newline at the end. */
export function documentText(value: JsonValue): string {
  return printable(`${JSON.stringify(sorted(value), null, 2)}\n`);
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  // By code units, so that the order depends on no locale.
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

/**
 * Writes the document into a directory; files of records that are gone are removed, all others are left alone.
 * @throws CommandError usage where the directory has something else in it, or cannot be written
 */
export async function writeExportDirectory(directory: string, document: ExportDocument): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    const before = await readdir(directory);
    if (!before.includes(MANIFEST) && before.some((name) => !name.startsWith('.'))) {
      const message = `${directory} has files in it and no ${MANIFEST}: it is no export; name an empty directory`;
      throw new CommandError('usage', message, { code: 'directory_not_empty' });
    }
    for (const kind of KIND_NAMES) await writeKind(path.join(directory, kind), document.records[kind] ?? []);
    const { format, seq } = document;
    await writeFile(path.join(directory, MANIFEST), documentText({ format, seq }));
  } catch (error) {
    throw error instanceof CommandError ? error : unwritable(directory, error);
  }
}

async function writeKind(folder: string, records: readonly JsonObject[]): Promise<void> {
  const files = new Map(records.map((record) => [`${String(record['id'])}.json`, documentText(record)]));
  const before = await filesIn(folder);
  for (const file of before) if (!files.has(file)) await rm(path.join(folder, file));
  if (files.size > 0) await mkdir(folder, { recursive: true });
  for (const [file, text] of files) {
    const place = path.join(folder, file);
    if (!before.includes(file) || (await readFile(place, 'utf8')) !== text) await writeFile(place, text);
  }
}

/** Names of record files, in order; none where there is no such folder. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.json') && isRecordId(name.slice(0, -'.json'.length))).toSorted();
}

/** A document, and where each of its records stands. */
export interface ReadDocument {
  document: JsonObject;
  /** The file and the place in it of a JSON Pointer into the document. */
  placeOf: (pointer: string) => string;
}

/** @throws CommandError usage, naming the file */
export async function readExport(place: string): Promise<ReadDocument> {
  try {
    return (await stat(place)).isDirectory() ? await readDirectory(place) : await readSingle(place);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError('usage', `cannot read ${place}: ${causeText(error)}`, {
      code: 'file_unreadable',
      cause: error,
    });
  }
}

async function readSingle(file: string): Promise<ReadDocument> {
  const document = parseRecord(await readFile(file, 'utf8'), file);
  return { document, placeOf: (pointer) => `${file} ${pointer}` };
}

async function readDirectory(directory: string): Promise<ReadDocument> {
  const manifest = parseRecord(await readFile(path.join(directory, MANIFEST), 'utf8'), path.join(directory, MANIFEST));
  const records: Record<string, JsonObject[]> = {};
  const files = new Map<string, string>();
  for (const kind of KIND_NAMES) {
    const names = await filesIn(path.join(directory, kind));
    if (names.length === 0) continue;
    const read: JsonObject[] = [];
    for (const [index, name] of names.entries()) {
      const file = path.join(directory, kind, name);
      const record = parseRecord(await readFile(file, 'utf8'), file);
      if (record['id'] !== name.slice(0, -'.json'.length)) {
        throw new CommandError('usage', `${file} has another id than its name`, { code: 'file_invalid' });
      }
      read.push(record);
      files.set(`/records/${kind}/${index}`, file);
    }
    records[kind] = read;
  }
  const placeOf = (pointer: string) => {
    const [, above = '', within = ''] = /^(\/records\/[^/]+\/\d+)(.*)$/.exec(pointer) ?? [];
    return files.has(above) ? `${files.get(above)} ${within}`.trim() : pointer;
  };
  return { document: { format: manifest['format'] ?? EXPORT_FORMAT, records }, placeOf };
}

function parseRecord(text: string, file: string): JsonObject {
  const value = parseJsonInput(text, file, MAX_DEPTH);
  if (isJsonObject(value)) return value;
  throw new CommandError('usage', `${file} must hold a JSON object`, { code: 'file_invalid' });
}
