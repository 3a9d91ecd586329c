/** What an import would do: which records are new, which change and in what, and whether the rules allow it. */
import { setImmediate } from 'node:timers/promises';
import { type JsonValue, jsonEquals } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { RegistryError } from '../registry-error.ts';
import { type Placed, Problems, type TransferDocument } from './import-document.ts';
import { isOpenRecord } from './kinds/organisations.ts';
import {
  type CheckContext,
  type KindName,
  type Known,
  membersOf,
  namedRecord,
  type RecordKind,
  type Reference,
  type TransferRecord,
} from './record-kind.ts';
import { kindNamed, RECORD_KINDS } from './record-kinds.ts';

export interface MemberDifference {
  member: string;
  before: JsonValue;
  after: JsonValue;
  /** Whether the import makes it so: some is for a restore alone, some for no import at all. */
  how: 'changed' | 'restore_only' | 'kept';
}

/** A record that is written. */
export interface Written extends Placed {
  kind: RecordKind;
  /** As it will stand here. */
  record: TransferRecord;
  /** As it stands here; undefined: it is new. */
  before: TransferRecord | undefined;
  authorityId: string;
}

/** What the document says about one record, and the registry does not. */
export interface Difference {
  kind: KindName;
  id: string;
  name: string;
  /** `held_back`: new, and only a restore brings it. */
  what: 'added' | 'changed' | 'held_back' | 'differs';
  /** Of one that is here. */
  members: MemberDifference[];
}

export type ImportCounts = Record<'added' | 'changed' | 'unchanged' | 'heldBack', number>;

export interface ImportPlan {
  added: Written[];
  changed: Written[];
  differences: Difference[];
  summary: Partial<Record<KindName, ImportCounts>>;
  /** Records here that what is written rests on. */
  restsOn: ReadonlyMap<KindName, ReadonlySet<string>>;
  /** Records here, as they were compared. */
  here: Known;
  context: CheckContext;
}

type Records = Map<KindName, Map<string, TransferRecord>>;

/** Between pieces others have their turn. */
const RECORDS_AT_A_TIME = 100;

/** @throws RegistryError validation_failed with everything that is wrong */
export async function planImport(
  tx: Tx,
  document: TransferDocument,
  options: Omit<CheckContext, 'known'>,
  { isRestore }: { isRestore: boolean },
): Promise<ImportPlan> {
  const here = await readHere(tx, document);
  const problems = new Problems();
  const known: Records = new Map([...here].map(([kind, records]) => [kind, new Map(records)]));
  const plan = { added: [] as Written[], changed: [] as Written[], differences: [] as Difference[] };
  const summary: ImportPlan['summary'] = {};
  const held = new Set<string>();
  const context: CheckContext = { ...options, known };
  const spoken = spokenOf(here, document);
  const titleOf = (kind: RecordKind, record: TransferRecord) => {
    return { kind: kind.name, id: record.id, name: kind.nameOf(record, spoken) };
  };
  for (const kind of RECORD_KINDS) {
    const counts: ImportCounts = { added: 0, changed: 0, unchanged: 0, heldBack: 0 };
    for (const placed of document.get(kind.name) ?? []) {
      const before = namedRecord(here, kind.name, placed.record.id);
      if (before === undefined) {
        const isHeld = !isRestore && isHeldBack(kind, placed.record, { here, known, held });
        const record = isRestore ? placed.record : (kind.arriving?.(placed.record) ?? placed.record);
        plan.differences.push({ ...titleOf(kind, record), what: isHeld ? 'held_back' : 'added', members: [] });
        counts[isHeld ? 'heldBack' : 'added']++;
        if (isHeld) held.add(record.id);
        else plan.added.push({ ...placed, kind, record, before, authorityId: '' });
        if (!isHeld) recordsOf(known, kind.name).set(record.id, record);
        continue;
      }
      const compared = compare(problems, kind, placed, before, isRestore);
      const { members, record } = (await isSameRow(kind, compared.record, before, context))
        ? { members: compared.members.filter(({ how }) => how !== 'changed'), record: before }
        : compared;
      const isChanged = members.some(({ how }) => how === 'changed');
      counts[isChanged ? 'changed' : 'unchanged']++;
      if (members.length > 0) {
        plan.differences.push({ ...titleOf(kind, record), what: isChanged ? 'changed' : 'differs', members });
      }
      if (!isChanged) continue;
      plan.changed.push({ ...placed, kind, record, before, authorityId: '' });
      recordsOf(known, kind.name).set(record.id, record);
    }
    if (counts.added + counts.changed + counts.unchanged + counts.heldBack > 0) summary[kind.name] = counts;
  }
  const restsOn = requireReferences(problems, [...plan.added, ...plan.changed], { here, known });
  requireNoCircles(problems, [...plan.added, ...plan.changed], known);
  problems.throwIfAny();
  await checkAll(problems, [...plan.added, ...plan.changed], context);
  problems.throwIfAny();
  return { ...plan, summary, restsOn, here, context };
}

/** Records by which others are named, whether the import brings them or not: as the document has them, else as here. */
function spokenOf(here: Known, document: TransferDocument): Known {
  return new Map(
    RECORD_KINDS.map(({ name }) => {
      const told = (document.get(name) ?? []).map(({ record }) => [record.id, record] as const);
      return [name, new Map([...(here.get(name) ?? []), ...told])];
    }),
  );
}

function recordsOf(records: Records, kind: KindName): Map<string, TransferRecord> {
  const found = records.get(kind) ?? new Map<string, TransferRecord>();
  records.set(kind, found);
  return found;
}

/** One that rests on what is held back is so itself. */
function isHeldBack(
  kind: RecordKind,
  record: TransferRecord,
  { here, known, held }: { here: Known; known: Known; held: ReadonlySet<string> },
): boolean {
  return kind.isHeldBack?.(record, here, known) === true || kind.references(record).some(({ id }) => held.has(id));
}

/** The records of the document that are here, and those that it names, with everything above them. */
async function readHere(tx: Tx, document: TransferDocument): Promise<Records> {
  const here: Records = new Map(RECORD_KINDS.map(({ name }) => [name, new Map()]));
  let wanted = new Map<KindName, Set<string>>();
  const asked = new Set<string>();
  const want = (kind: KindName, id: string) => {
    if (asked.has(`${kind} ${id}`)) return;
    asked.add(`${kind} ${id}`);
    wanted.set(kind, (wanted.get(kind) ?? new Set()).add(id));
  };
  for (const kind of RECORD_KINDS) {
    for (const { record } of document.get(kind.name) ?? []) {
      want(kind.name, record.id);
      for (const named of kind.references(record)) want(named.kind, named.id);
    }
  }
  while (wanted.size > 0) {
    const round = wanted;
    wanted = new Map();
    for (const [name, ids] of round) {
      const kind = kindNamed(name);
      for (const record of await kind.read(tx, { ids: [...ids] })) {
        recordsOf(here, name).set(record.id, record);
        for (const named of kind.references(record)) want(named.kind, named.id);
      }
    }
  }
  return here;
}

/** Member by member; what tells one record from another never changes. */
function compare(
  problems: Problems,
  kind: RecordKind,
  { record: wanted, at }: Placed,
  before: TransferRecord,
  isRestore: boolean,
): { members: MemberDifference[]; record: TransferRecord } {
  const [now, then] = [membersOf(before), membersOf(wanted)];
  const record = { ...before };
  const members: MemberDifference[] = [];
  const isClosed =
    'state' in before && (kind.name === 'entities' || kind.name === 'organisations') && !isOpenRecord(before);
  for (const member of Object.keys(then)) {
    const [present = null, future = null] = [now[member], then[member]];
    if (jsonEquals(present, future)) continue;
    const how = howItChanges(kind, member, isRestore);
    if (how === undefined) problems.add(`${at}/${member}`, 'is another one than here; it never changes');
    else {
      members.push({ member, before: present, after: future, how: isClosed ? 'kept' : how });
      if (how === 'changed' && !isClosed) Object.assign(record, { [member]: future });
    }
  }
  return { members, record };
}

/** Whether nothing but the spelling is another: what is kept is in one. */
async function isSameRow(
  kind: RecordKind,
  record: TransferRecord,
  before: TransferRecord,
  context: CheckContext,
): Promise<boolean> {
  if (jsonEquals(membersOf(record), membersOf(before))) return true;
  try {
    const columnsOf = async (one: TransferRecord) => JSON.stringify(await kind.columns(one, context));
    return (await columnsOf(record)) === (await columnsOf(before));
  } catch (error) {
    // Then it is refused, at its place.
    if (error instanceof RegistryError) return false;
    throw error;
  }
}

function howItChanges(kind: RecordKind, member: string, isRestore: boolean): MemberDifference['how'] | undefined {
  if (kind.settings.includes(member)) return 'changed';
  if (kind.restored.includes(member)) return isRestore ? 'changed' : 'restore_only';
  return kind.kept.includes(member) ? 'kept' : undefined;
}

/** Whatever a record names is there, of the same authority. */
function requireReferences(
  problems: Problems,
  written: readonly Written[],
  { here, known }: { here: Known; known: Known },
): Map<KindName, Set<string>> {
  const restsOn = new Map<KindName, Set<string>>();
  for (const one of written) {
    const named = one.kind.references(one.record);
    one.authorityId = authorityIdOf(one.kind.name, one.record, known) ?? one.record.id;
    for (const reference of named) {
      const target = namedRecord(known, reference.kind, reference.id);
      const isOwn = target !== undefined && authorityIdOf(reference.kind, target, known) === one.authorityId;
      if (!isOwn) problems.add(`${one.at}${reference.at}`, absence(reference));
      if (namedRecord(here, reference.kind, reference.id) === undefined) continue;
      restsOn.set(reference.kind, (restsOn.get(reference.kind) ?? new Set()).add(reference.id));
    }
  }
  return restsOn;
}

function absence({ kind, id }: Reference): string {
  return `names ${id}, which is none of the ${kind} of this authority, here or in the document`;
}

/** The authority that a record belongs to, by what it names; undefined where that is missing. */
function authorityIdOf(kind: KindName, record: TransferRecord, known: Known): string | undefined {
  if (kind === 'authorities') return record.id;
  const [first] = kindNamed(kind).references(record);
  if (first === undefined || first.kind === 'authorities') return first?.id;
  const above = namedRecord(known, first.kind, first.id);
  return above && authorityIdOf(first.kind, above, known);
}

/** Members that name what a record stands below, or follows. */
const UPWARD = ['parentId', 'previousId', 'supersededBy', 'supersedes'];

/** Nothing stands, over any steps, below itself. */
function requireNoCircles(problems: Problems, written: readonly Written[], known: Known): void {
  for (const member of UPWARD) {
    const settled = new Set<TransferRecord>();
    for (const { kind, record, at } of written) {
      const path = new Set<TransferRecord>();
      for (let current: TransferRecord | undefined = record; current !== undefined; ) {
        if (path.has(current)) problems.add(`${at}/${member}`, 'leads, over any steps, to the record itself');
        if (path.has(current) || settled.has(current)) break;
        path.add(current);
        const next: unknown = Reflect.get(current, member);
        current = typeof next === 'string' ? namedRecord(known, kind.name, next) : undefined;
      }
      for (const passed of path) settled.add(passed);
    }
  }
}

async function checkAll(problems: Problems, written: readonly Written[], context: CheckContext): Promise<void> {
  for (const [index, { kind, record, at }] of written.entries()) {
    if (index % RECORDS_AT_A_TIME === 0) await setImmediate();
    try {
      await kind.check(record, context);
    } catch (error) {
      problems.addRefusal(at, error);
    }
  }
}
