/** Documents that were handed in to be imported as they are: they wait until a second admin has decided. */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { and, desc, eq, getTableColumns, lt, lte, sql } from 'drizzle-orm';
import { type JsonObject, parseJson } from '../../federation/json.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { audit } from '../../storage/schema/audit.ts';
import { type ImportState, imports } from '../../storage/schema/imports.ts';
import { ACCESS } from '../access.ts';
import { type Actor, authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { cursorId, type Page, type PageRequest, pageOf } from '../page.ts';
import { isRecordId } from '../record-id.ts';
import { RegistryError } from '../registry-error.ts';
import { MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, readDocument, type TransferDocument } from './import-document.ts';
import { type ImportOutcome, importInto } from './import-registry.ts';

type ImportRow = typeof imports.$inferSelect;

/** One as it is shown: the document itself is not. */
export interface StoredImport extends Omit<ImportRow, 'document' | 'state'> {
  /** `lapsed` from its end on. */
  state: ImportState;
  lapsesAt: Date;
  /** Of the change that applied it. */
  seq: number | null;
}

/** Within these somebody else decides, or it lapses. */
export const IMPORT_WAITING_DAYS = 7;

/** Most that wait at a time: each is a whole registry. */
export const MAX_WAITING_IMPORTS = 10;

const [compress, decompress] = [promisify(gzip), promisify(gunzip)];

/** SHA-256 of a document, base64url: what two people compare. */
export function documentDigest(json: Uint8Array): string {
  return hash('sha256', json, 'base64url');
}

/** Names are for people: another one of a record that the differences rest on changes nothing of what is approved. */
function differencesDigest(differences: ImportOutcome['differences']): string {
  return hash('sha256', JSON.stringify(differences.map(({ name: _, ...difference }) => difference)), 'base64url');
}

/**
 * Keeps a document until a second admin approves it. It is tried at once, so that what waits can be applied.
 * @param json the document as it came
 * @throws RegistryError role_missing, limit_reached, and whatever its import would be refused with
 */
export async function requestRestore(
  context: ChangeContext,
  document: TransferDocument,
  json: Uint8Array,
): Promise<{ stored: StoredImport; outcome: ImportOutcome }> {
  authorise(context.actor, ACCESS.importRegistry.roles, null);
  const outcome = await tryRestore(context, document);
  const compressed = await compress(json);
  const id = context.newId();
  const digest = documentDigest(json);
  await changeRegistry(context, async (tx, record) => {
    for (const lapsed of await lapse(tx, context.now)) {
      record({ action: 'import.lapse', authorityId: null, subjectKind: 'import', subjectId: lapsed.id });
    }
    const waiting = await tx.select({ id: imports.id }).from(imports).where(eq(imports.state, 'waiting'));
    if (waiting.length >= MAX_WAITING_IMPORTS) {
      throw new RegistryError(
        'limit_reached',
        `${MAX_WAITING_IMPORTS} imports wait for a decision; decide about them first`,
      );
    }
    const summary = { ...outcome.summary };
    await tx.insert(imports).values({
      ...{ id, state: 'waiting', document: compressed, digest, summary },
      differencesDigest: differencesDigest(outcome.differences),
      ...{ requestedBy: context.actor.id, requestedByName: context.actor.name, requestedAt: context.now },
    });
    record({
      ...{ action: 'import.request', authorityId: null, subjectKind: 'import', subjectId: id },
      after: { digest, summary },
    });
  });
  return { stored: await readImport(context.db, context.actor, id, context.now), outcome };
}

/** What a restore would change, and does not. */
export async function tryRestore(context: ChangeContext, document: TransferDocument): Promise<ImportOutcome> {
  authorise(context.actor, ACCESS.importRegistry.roles, null);
  const options = { isRestore: true, record: () => {} };
  const plan = await changeRegistry(context, (tx) => importInto(tx, context, document, options), { isDryRun: true });
  return { seq: null, summary: plan.summary, differences: plan.differences };
}

/**
 * What one that waits would change now.
 * @throws RegistryError not_found, role_missing, illegal_transition once it was decided or lapsed, and whatever its import
 *   is refused with
 */
export async function readImportDifferences(context: ChangeContext, importId: string): Promise<ImportOutcome> {
  authorise(context.actor, ACCESS.readImportDifferences.roles, null);
  const [found] = isRecordId(importId) ? await context.db.select().from(imports).where(eq(imports.id, importId)) : [];
  const { document } = requireWaiting(found, importId, context.now);
  return await tryRestore(context, await readStored(document));
}

/**
 * Applies a document as it is, states included.
 * @throws RegistryError not_found, role_missing, four_eyes for who handed it in, illegal_transition once it was decided or
 *   lapsed, version_mismatch where it would change something else by now, and whatever its import is refused with
 */
export async function approveImport(context: ChangeContext, importId: string, reason: string): Promise<StoredImport> {
  authorise(context.actor, ACCESS.approveImport.roles, null);
  await changeRegistry(context, async (tx, record) => {
    const waiting = await lockWaiting(tx, importId, context.now);
    if (waiting.requestedBy === context.actor.id) {
      throw new RegistryError('four_eyes', 'whoever handed a document in cannot approve it; another admin has to');
    }
    const document = await readStored(waiting.document);
    const { summary, differences } = await importInto(tx, context, document, { isRestore: true, record });
    if (differencesDigest(differences) !== waiting.differencesDigest) {
      const message = 'the registry changed since, so it would change something else now; reject it, hand it in anew';
      throw new RegistryError('version_mismatch', message, { import: importId });
    }
    await decide(tx, context, waiting, { state: 'applied', reason, summary: { ...summary } });
    record({
      ...{ action: 'import.approve', authorityId: null, subjectKind: 'import', subjectId: importId, reason },
      after: { digest: waiting.digest, requestedBy: waiting.requestedBy, summary: { ...summary } },
    });
  });
  return readImport(context.db, context.actor, importId, context.now);
}

/** @throws RegistryError not_found, role_missing, illegal_transition once it was decided or lapsed */
export async function rejectImport(context: ChangeContext, importId: string, reason: string): Promise<StoredImport> {
  authorise(context.actor, ACCESS.rejectImport.roles, null);
  await changeRegistry(context, async (tx, record) => {
    const waiting = await lockWaiting(tx, importId, context.now);
    await decide(tx, context, waiting, { state: 'rejected', reason, summary: waiting.summary });
    record({
      ...{ action: 'import.reject', authorityId: null, subjectKind: 'import', subjectId: importId, reason },
      after: { digest: waiting.digest, requestedBy: waiting.requestedBy },
    });
  });
  return readImport(context.db, context.actor, importId, context.now);
}

async function readStored(compressed: Uint8Array): Promise<TransferDocument> {
  const json = await decompress(compressed, { maxOutputLength: MAX_DOCUMENT_BYTES });
  return await readDocument(parseJson(json.toString('utf8'), MAX_DOCUMENT_DEPTH));
}

async function lockWaiting(tx: Tx, importId: string, now: Date): Promise<ImportRow & { document: Uint8Array }> {
  const [found] = isRecordId(importId)
    ? await tx.select().from(imports).where(eq(imports.id, importId)).for('update')
    : [];
  return requireWaiting(found, importId, now);
}

/** @throws RegistryError not_found, illegal_transition once it was decided or lapsed */
function requireWaiting(
  found: ImportRow | undefined,
  importId: string,
  now: Date,
): ImportRow & { document: Uint8Array } {
  if (found === undefined) throw notFound('import', importId);
  const state = stateOf(found, now);
  if (state === 'waiting' && found.document !== null) return { ...found, document: found.document };
  throw new RegistryError('illegal_transition', `the import is ${state}; hand the document in anew`, {
    from: state,
    allowed: [],
  });
}

async function decide(
  tx: Tx,
  { actor, now }: ChangeContext,
  { id }: ImportRow,
  { state, reason, summary }: { state: 'applied' | 'rejected'; reason: string; summary: JsonObject },
): Promise<void> {
  const decided = { decidedBy: actor.id, decidedByName: actor.name, decidedAt: now, stateReason: reason };
  await tx
    .update(imports)
    .set({ state, summary, document: null, ...decided })
    .where(eq(imports.id, id));
}

/** What nobody decided about is kept no longer. */
async function lapse(tx: Tx, now: Date): Promise<{ id: string }[]> {
  return await tx
    .update(imports)
    .set({ state: 'lapsed', document: null })
    .where(and(eq(imports.state, 'waiting'), lte(imports.requestedAt, before(now))))
    .returning({ id: imports.id });
}

function before(now: Date): Date {
  return new Date(now.getTime() - IMPORT_WAITING_DAYS * 86_400_000);
}

function stateOf({ state, requestedAt }: Pick<ImportRow, 'state' | 'requestedAt'>, now: Date): ImportState {
  return state === 'waiting' && requestedAt <= before(now) ? 'lapsed' : state;
}

/** @throws RegistryError not_found, role_missing */
export async function readImport(db: Db, actor: Actor, importId: string, now: Date): Promise<StoredImport> {
  authorise(actor, ACCESS.readImport.roles, null);
  const [found] = isRecordId(importId) ? await select(db).where(eq(imports.id, importId)) : [];
  if (found === undefined) throw notFound('import', importId);
  return shown(found, now);
}

/** Latest first. @throws RegistryError role_missing */
export async function listImports(db: Db, actor: Actor, request: PageRequest, now: Date): Promise<Page<StoredImport>> {
  authorise(actor, ACCESS.listImports.roles, null);
  const after = cursorId(request);
  const rows = await select(db)
    .where(after === undefined ? undefined : lt(imports.id, after))
    .orderBy(desc(imports.id))
    .limit(request.limit + 1);
  return pageOf(
    rows.map((row) => shown(row, now)),
    request,
  );
}

/** The change that applied one stands in the audit. */
const APPLIED_BY = sql<number | null>`(select ${audit.seq} from ${audit}
  where ${audit.subjectKind} = 'import' and ${audit.subjectId} = ${imports.id}::text and ${audit.action} = 'import.approve'
  limit 1)`.mapWith(audit.seq);

function select(db: Db) {
  const { document: _, ...columns } = getTableColumns(imports);
  return db
    .select({ ...columns, seq: APPLIED_BY })
    .from(imports)
    .$dynamic();
}

type ShownRow = Omit<ImportRow, 'document'> & { seq: number | null };

function shown(row: ShownRow, now: Date): StoredImport {
  const lapsesAt = new Date(row.requestedAt.getTime() + IMPORT_WAITING_DAYS * 86_400_000);
  return { ...row, state: stateOf(row, now), lapsesAt };
}
