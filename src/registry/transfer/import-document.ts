/** The document that somebody wants to import: its form, record by record, and all that is wrong with it. */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { pointer } from '../../federation/errors.ts';
import { isJsonObject, type JsonValue } from '../../federation/json.ts';
import { type FieldError, RegistryError } from '../registry-error.ts';
import { EXPORT_FORMAT } from './export-registry.ts';
import type { KindName, TransferRecord } from './record-kind.ts';
import { kindNamed, RECORD_KINDS } from './record-kinds.ts';

/** Largest document, as bytes of JSON: about 20,000 entities with what belongs to them. */
export const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** Claims of a statement nest 32 levels deep at most, and stand a few levels deep in the document. */
export const MAX_DOCUMENT_DEPTH = 40;

/** A record and its JSON Pointer in the document. */
export interface Placed {
  record: TransferRecord;
  at: string;
}

export type TransferDocument = ReadonlyMap<KindName, readonly Placed[]>;

/** Most complaints that are listed; the rest is counted. */
const MAX_LISTED = 1000;

/** What is wrong with a document: all of it is told at once. */
export class Problems {
  readonly #listed: FieldError[] = [];
  #count = 0;

  add(at: string, detail: string): void {
    this.#count++;
    if (this.#listed.length < MAX_LISTED) this.#listed.push({ pointer: at, detail });
  }

  /** What a check refuses a record for, at its place. Other errors are thrown on. */
  addRefusal(at: string, error: unknown): void {
    if (!(error instanceof RegistryError)) throw error;
    const { errors = [{ pointer: '', detail: error.message }] } = error.details;
    for (const { pointer: member, detail } of errors) this.add(`${at}${member}`, detail);
  }

  /** @throws RegistryError validation_failed where anything is wrong */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const rest = this.#count - this.#listed.length;
    const more = rest === 0 ? '' : `, ${rest} of which are not listed`;
    const message = `the document has ${this.#count} error(s)${more}; nothing was imported`;
    throw new RegistryError('validation_failed', message, { errors: this.#listed });
  }
}

const documentSchema = z.strictObject({
  format: z.literal(EXPORT_FORMAT),
  seq: z.int().min(0).optional(),
  records: z.strictObject(
    Object.fromEntries(RECORD_KINDS.map(({ name }) => [name, z.array(z.unknown()).default([])])) as Record<
      KindName,
      z.ZodDefault<z.ZodArray<z.ZodUnknown>>
    >,
  ),
});

/** Between pieces others have their turn. */
const RECORDS_AT_A_TIME = 100;

/** Records by kind, in the order of the document. @throws RegistryError validation_failed */
export async function readDocument(value: JsonValue): Promise<TransferDocument> {
  const problems = new Problems();
  const parsed = documentSchema.safeParse(value);
  if (!parsed.success) {
    addIssues(problems, '', parsed.error);
    problems.throwIfAny();
  }
  const document = new Map<KindName, Placed[]>();
  for (const { name } of RECORD_KINDS)
    document.set(name, await readRecords(problems, name, parsed.data?.records[name]));
  problems.throwIfAny();
  return document;
}

async function readRecords(problems: Problems, name: KindName, values: unknown[] = []): Promise<Placed[]> {
  const { schema } = kindNamed(name);
  const seen = new Set<string>();
  const placed: Placed[] = [];
  for (const [index, value] of values.entries()) {
    if (index % RECORDS_AT_A_TIME === 0) await setImmediate();
    const at = `/records${pointer(name, index)}`;
    const parsed = isJsonObject(value) ? schema.safeParse(value) : undefined;
    if (parsed === undefined) problems.add(at, 'is no object');
    else if (!parsed.success) addIssues(problems, at, parsed.error);
    else if (seen.has(parsed.data.id)) problems.add(`${at}/id`, 'is the id of a record before it');
    else {
      seen.add(parsed.data.id);
      placed.push({ record: parsed.data, at });
    }
  }
  return placed;
}

function addIssues(problems: Problems, at: string, error: z.ZodError): void {
  for (const { path, message } of error.issues) {
    problems.add(`${at}${pointer(...path.map((step) => (typeof step === 'symbol' ? String(step) : step)))}`, message);
  }
}
