/** Clients that enrol and approve entities through the API at once and remember what was acknowledged, whatever happens. */
import { expect } from 'vitest';
import { type ApiAnswer, ifMatch, type ServiceProcess } from './service-process.ts';

/** What a client was told about an entity. */
interface Acknowledged {
  id: string;
  isApproved: boolean;
}

/**
 * @example
 * const load = new EnrolmentLoad(organisationId, identifiers);
 * const running = load.run(node, 4);
 * await load.acknowledgements(20);
 * await node.kill();
 * await running;
 */
export class EnrolmentLoad {
  readonly acknowledged = new Map<string, Acknowledged>();
  /** What was answered instead, as `503 temporarily_unavailable`. */
  readonly refusals: string[] = [];
  readonly #organisationId: string;
  readonly #waiting: string[];
  readonly #milestones: { count: number; reached: () => void }[] = [];
  /** Enrolments and approvals that were answered with success. */
  count = 0;

  constructor(organisationId: string, entityIdentifiers: readonly string[]) {
    this.#organisationId = organisationId;
    this.#waiting = [...entityIdentifiers];
  }

  /** Resolves with the acknowledgement of this number, of all enrolments and approvals. */
  async acknowledgements(count: number): Promise<void> {
    if (this.count < count) await new Promise<void>((reached) => this.#milestones.push({ count, reached }));
  }

  /** Until every entity was tried once, or the service is gone. Refusals are borne: they acknowledge nothing. */
  async run(node: ServiceProcess, clients: number): Promise<void> {
    await Promise.all(Array.from({ length: clients }, () => this.#work(node)));
  }

  async #work(node: ServiceProcess): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#enrol(node, next);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error;
        return;
      }
    }
  }

  async #enrol(node: ServiceProcess, entityIdentifier: string): Promise<void> {
    const added = await this.#add(node, entityIdentifier);
    if (added.status !== 201) return this.#refused(added);
    const acknowledged: Acknowledged = { id: added.body.id, isApproved: false };
    this.acknowledged.set(entityIdentifier, acknowledged);
    this.#acknowledge();
    const approved = await node.api('POST', `/entities/${acknowledged.id}/approve`, { reason: 'fine' }, ifMatch(added));
    if (approved.status !== 200) return this.#refused(approved);
    acknowledged.isApproved = true;
    this.#acknowledge();
  }

  /** The same request with the same key each time, as a client repeats it that does not know whether it arrived. */
  #add(node: ServiceProcess, entityIdentifier: string): Promise<ApiAnswer> {
    const request = { organisationId: this.#organisationId, entityIdentifier };
    return node.api('POST', '/entities', request, { 'idempotency-key': entityIdentifier });
  }

  #refused({ status, body }: ApiAnswer): void {
    this.refusals.push(`${status} ${body.code}`);
  }

  #acknowledge(): void {
    this.count++;
    for (const { count, reached } of this.#milestones) if (count <= this.count) reached();
  }

  /** Finishes what was begun: repeats every enrolment, and approves what is not approved yet. */
  async finish(node: ServiceProcess, entityIdentifiers: readonly string[]): Promise<void> {
    for (const entityIdentifier of entityIdentifiers) {
      const repeated = await this.#add(node, entityIdentifier);
      const known = this.acknowledged.get(entityIdentifier);
      expect([repeated.status, repeated.body.id]).toEqual([201, known?.id ?? repeated.body.id]);
      const seen = await node.api('GET', `/entities/${repeated.body.id}`);
      if (seen.body.state === 'pending') {
        const approved = await node.api('POST', `/entities/${seen.body.id}/approve`, { reason: 'fine' }, ifMatch(seen));
        expect([approved.status, approved.body.state]).toEqual([200, 'active']);
      }
      this.acknowledged.set(entityIdentifier, { id: repeated.body.id, isApproved: true });
    }
  }
}

/** All that a service has on record. */
export interface Records {
  entities: ApiAnswer['body'][];
  audit: ApiAnswer['body'][];
  seq: number;
}

async function readRecords(node: ServiceProcess): Promise<Records> {
  const all = async (path: string): Promise<ApiAnswer['body'][]> => {
    const items = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { body } = await node.api('GET', `${path}?limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      items.push(...body.items);
      cursor = body.next;
    }
    return items;
  };
  const ready = await node.get(`${node.baseUrl}/readyz`);
  return { entities: await all('/entities'), audit: await all('/audit'), seq: JSON.parse(ready.text).seq };
}

/**
 * Holds everything on record against itself and against what clients were told: every seq is there once, no change is
 * there by half, nothing acknowledged is missing, and what is served is what is on record.
 */
export async function expectWholeRegistry(
  node: ServiceProcess,
  acknowledged: ReadonlyMap<string, Acknowledged>,
): Promise<Records> {
  const records = await readRecords(node);
  expectEverySeq(records);
  expectRecordsAsAudited(records);
  const states = new Map(records.entities.map(({ id, entityIdentifier, state }) => [entityIdentifier, { id, state }]));
  for (const [entityIdentifier, { id, isApproved }] of acknowledged) {
    const onRecord = states.get(entityIdentifier);
    expect([entityIdentifier, onRecord?.id]).toEqual([entityIdentifier, id]);
    if (isApproved) expect([entityIdentifier, onRecord?.state]).toEqual([entityIdentifier, 'active']);
  }
  await expectServedAsRecorded(node, records);
  return records;
}

/** 1 to the counter without a gap, and within each the rows from 0 without a gap. */
function expectEverySeq({ audit, seq }: Records): void {
  const rows = Map.groupBy(audit, (row) => row.seq as number);
  expect([...rows.keys()]).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
  for (const [number, ofOne] of rows) {
    expect([number, ofOne.map(({ ordinal }) => ordinal)]).toEqual([number, ofOne.map((_, index) => index)]);
  }
}

/** Each entity was added once and approved once if it is active, and looks as the last row about it says. */
function expectRecordsAsAudited({ entities, audit }: Records): void {
  const rows = Map.groupBy(
    audit.filter(({ subjectKind }) => subjectKind === 'entity'),
    (row) => row.subjectId as string,
  );
  expect(new Set(rows.keys())).toEqual(new Set(entities.map(({ id }) => id)));
  for (const { id, state, entityIdentifier, jwks } of entities) {
    const ofOne = rows.get(id) ?? [];
    const actions = ofOne.map(({ action }) => action).filter((action) => action !== 'entity.check');
    expect([id, actions]).toEqual([id, state === 'active' ? ['entity.add', 'entity.approve'] : ['entity.add']]);
    expect(ofOne.at(-1).after).toMatchObject({ state, entityIdentifier, keys: jwks.keys });
  }
}

async function expectServedAsRecorded(node: ServiceProcess, { entities }: Records): Promise<void> {
  const active = entities.filter(({ state }) => state === 'active').map(({ entityIdentifier }) => entityIdentifier);
  const list = await node.get(`${node.baseUrl}/federation/list`);
  expect(new Set(JSON.parse(list.text))).toEqual(new Set(active));
  for (const { entityIdentifier, state } of entities) {
    const { status } = await node.get(`${node.baseUrl}/federation/fetch?sub=${encodeURIComponent(entityIdentifier)}`);
    expect([entityIdentifier, status]).toEqual([entityIdentifier, state === 'active' ? 200 : 404]);
  }
}
