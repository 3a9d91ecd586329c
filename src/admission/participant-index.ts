/** What admission knows, in memory: the registry's records as of a `seq`, found by what callers show. */
import type {
  KnownApi,
  KnownApplication,
  KnownCertificate,
  KnownException,
  KnownOrganisation,
  KnownRole,
  KnownRoleAssignment,
} from '../registry/participants/known-participants.ts';
import type { GivenRole, KnownState } from './known-state.ts';

/** The kinds of records, as the audit calls their subjects. */
export interface KnownRecords {
  organisation: KnownOrganisation;
  entity: KnownApplication;
  role: KnownRole;
  role_assignment: KnownRoleAssignment;
  entity_exception: KnownException;
  credential: KnownCertificate;
  api_resource: KnownApi;
}

export type RecordKind = keyof KnownRecords;

/** In the order in which they are read: a record comes after those that it names. */
export const RECORD_KINDS = [
  ...['organisation', 'role', 'role_assignment', 'entity', 'entity_exception', 'credential', 'api_resource'],
] as readonly RecordKind[];

/** Where the records come from. */
export interface ParticipantSource {
  /** The records of these ids that are there and count for admission. */
  read<Kind extends RecordKind>(kind: Kind, ids: readonly string[]): Promise<KnownRecords[Kind][]>;
  /** All of them, in pieces. */
  readAll<Kind extends RecordKind>(kind: Kind): AsyncIterable<KnownRecords[Kind][]>;
}

/** One row of the audit, as far as it matters here. */
export interface RecordChange {
  seq: number;
  subjectKind: string;
  subjectId: string;
}

type Tables = { readonly [Kind in RecordKind]: Table<KnownRecords[Kind]> };

/** All records, and what finds them. */
interface Known {
  tables: Tables;
  certificates: Grouping<KnownCertificate>;
  names: Grouping<KnownApplication>;
  exceptions: Grouping<KnownException>;
}

function nothingKnown(): Known {
  const certificates = new Grouping<KnownCertificate>(({ x5tS256 }) => x5tS256);
  const names = new Grouping<KnownApplication>(nameOf);
  const exceptions = new Grouping<KnownException>(({ applicationId }) => applicationId);
  const tables = {
    organisation: new Table<KnownOrganisation>(),
    entity: new Table(names),
    role: new Table<KnownRole>(),
    role_assignment: new Table<KnownRoleAssignment>(),
    entity_exception: new Table(exceptions),
    credential: new Table(certificates),
    api_resource: new Table<KnownApi>(),
  };
  return { tables, certificates, names, exceptions };
}

export class ParticipantIndex {
  readonly #source: ParticipantSource;
  #known = nothingKnown();
  #seq = 0;
  /** Whatever reads waits for what was begun before: an older answer never takes the place of a newer one. */
  #reading: Promise<void> = Promise.resolve();

  constructor(source: ParticipantSource) {
    this.#source = source;
  }

  /** Records of each kind, for those who watch its memory. */
  get sizes(): Readonly<Record<RecordKind, number>> {
    return Object.fromEntries(RECORD_KINDS.map((kind) => [kind, this.#known.tables[kind].size])) as Record<
      RecordKind,
      number
    >;
  }

  /**
   * Reads everything anew, which is seen once all of it is there.
   * @param seq all that is read is at least as new
   */
  async load(seq: number): Promise<void> {
    await this.#inTurn(async () => {
      const known = nothingKnown();
      for (const kind of RECORD_KINDS) await this.#loadAll(kind, known.tables);
      this.#known = known;
      this.#seq = Math.max(this.#seq, seq);
    });
  }

  async #inTurn(read: () => Promise<void>): Promise<void> {
    const turn = this.#reading.then(read);
    this.#reading = turn.catch(() => {});
    await turn;
  }

  async #loadAll<Kind extends RecordKind>(kind: Kind, tables: Tables): Promise<void> {
    const table: Table<KnownRecords[Kind]> = tables[kind];
    for await (const records of this.#source.readAll(kind)) for (const record of records) table.put(record);
  }

  /**
   * Takes over whole changes. All of them are read before the first is seen, so that nobody sees half a change: what
   * fails changes nothing, and may come again.
   */
  async follow(changes: readonly RecordChange[]): Promise<void> {
    await this.#inTurn(async () => {
      const applied = await Promise.all(RECORD_KINDS.map((kind) => this.#prepare(kind, changes)));
      for (const apply of applied) apply();
      for (const { seq } of changes) this.#seq = Math.max(this.#seq, seq);
    });
  }

  async #prepare<Kind extends RecordKind>(kind: Kind, changes: readonly RecordChange[]): Promise<() => void> {
    const changed = changes.filter(({ subjectKind }) => subjectKind === kind).map(({ subjectId }) => subjectId);
    const ids = [...new Set(changed)];
    if (ids.length === 0) return () => {};
    const records = await this.#source.read(kind, ids);
    const table: Table<KnownRecords[Kind]> = this.#known.tables[kind];
    return () => {
      for (const id of ids) table.remove(id);
      for (const record of records) table.put(record);
    };
  }

  /** @param ageSeconds since the registry last confirmed that nothing is newer */
  at(ageSeconds: number): KnownState {
    const { tables, certificates, names, exceptions } = this.#known;
    return {
      seq: this.#seq,
      ageSeconds,
      certificates: (x5tS256) => certificates.get(x5tS256),
      application: (id) => tables.entity.get(id),
      applicationNamed: (authorityId, entityIdentifier) => names.get(nameOf({ authorityId, entityIdentifier })).at(-1),
      organisation: (id) => tables.organisation.get(id),
      roles: (application) => rolesOf(application, tables),
      exceptions: (applicationId) => exceptions.get(applicationId),
      api: (id) => tables.api_resource.get(id),
    };
  }
}

function rolesOf({ roleAssignmentIds }: KnownApplication, tables: Tables): GivenRole[] {
  return roleAssignmentIds.flatMap((id) => {
    const assignment = tables.role_assignment.get(id);
    const role = assignment && tables.role.get(assignment.roleId);
    if (assignment === undefined || role === undefined || assignment.isRemoved || role.isRetired) return [];
    const { roleId, jurisdictions, validFrom, validTo } = assignment;
    return [{ roleId, name: role.name, jurisdictions, validFrom, validTo }];
  });
}

/** Ended records keep their name until another takes it; ids grow with time, so the last one is the present one. */
function nameOf({ authorityId, entityIdentifier }: Pick<KnownApplication, 'authorityId' | 'entityIdentifier'>): string {
  return `${authorityId} ${entityIdentifier}`;
}

interface Identified {
  id: string;
}

/** Records by their id. */
class Table<Record extends Identified> {
  readonly #records = new Map<string, Record>();
  readonly #grouping: Grouping<Record> | undefined;

  constructor(grouping?: Grouping<Record>) {
    this.#grouping = grouping;
  }

  get size(): number {
    return this.#records.size;
  }

  get(id: string): Record | undefined {
    return this.#records.get(id);
  }

  put(record: Record): void {
    this.remove(record.id);
    this.#records.set(record.id, record);
    this.#grouping?.add(record);
  }

  remove(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#records.delete(id);
    this.#grouping?.remove(record);
  }
}

/** Records by something that several may share, in the order of their ids. Nearly every group has one. */
class Grouping<Record extends Identified> {
  readonly #groups = new Map<string, readonly Record[]>();
  readonly #keyOf: (record: Record) => string;

  constructor(keyOf: (record: Record) => string) {
    this.#keyOf = keyOf;
  }

  get(key: string): readonly Record[] {
    return this.#groups.get(key) ?? NONE;
  }

  add(record: Record): void {
    const key = this.#keyOf(record);
    const group = [...this.get(key), record];
    this.#groups.set(key, group.length === 1 ? group : group.toSorted((one, other) => (one.id < other.id ? -1 : 1)));
  }

  remove(record: Record): void {
    const key = this.#keyOf(record);
    const group = this.get(key).filter(({ id }) => id !== record.id);
    if (group.length === 0) this.#groups.delete(key);
    else this.#groups.set(key, group);
  }
}

const NONE: readonly never[] = [];
