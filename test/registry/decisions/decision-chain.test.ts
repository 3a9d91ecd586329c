import { randomUUID } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endOldDecisions } from '../../../src/jobs/end-old-decisions.ts';
import { DecisionChain, type LoggedDecision } from '../../../src/registry/decisions/decision-chain.ts';
import { pruneDecisions } from '../../../src/registry/decisions/prune-decisions.ts';
import { verifyDecisions } from '../../../src/registry/decisions/verify-decisions.ts';
import type { Db } from '../../../src/storage/connect.ts';
import { decisionChains, decisions } from '../../../src/storage/schema/decisions.ts';
import { createTestDatabase, DATABASE_KINDS, type TestDatabase } from '../../support/databases.ts';
import { tamperWithDecisions } from '../../support/evidence.ts';
import { NOW_DATE, nextId } from '../../support/registry.ts';

const DAY_MS = 86_400_000;

function deny(changes: Partial<LoggedDecision> = {}): LoggedDecision {
  return {
    ...{ authorityId: nextId(), enforcementPointId: nextId(), decision: 'deny', reasons: ['suspended'], seq: 7 },
    ...{ entityId: nextId(), organisationId: nextId(), apiId: null, onBehalfOf: null, count: 1, decidedAt: NOW_DATE },
    ...{ certificateSha256: 'c'.repeat(43), tokenSha256: null, ...changes },
  };
}

/** A chain of five rows, a day after each other. */
async function fill(db: Db): Promise<string> {
  const id = randomUUID();
  const chain = new DecisionChain(db, id);
  for (let day = 0; day < 5; day++) await chain.append([deny({ decidedAt: dayAfter(day) })]);
  return id;
}

const dayAfter = (days: number) => new Date(NOW_DATE.getTime() + days * DAY_MS);

describe.each(DATABASE_KINDS)('the log of decisions on %s', (kind) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(kind);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  async function findings(chain: string): Promise<string[]> {
    const verified = await verifyDecisions(database.db);
    return verified.findings
      .filter((one) => one.chain === chain)
      .map(({ kind: what, ordinal }) => `${what} ${ordinal}`);
  }

  it('[F45] is a whole chain for each run of a node', async () => {
    const chains = [await fill(database.db), await fill(database.db)];
    for (const chain of chains) expect(await findings(chain)).toEqual([]);
    expect(await database.db.$count(decisions)).toBeGreaterThanOrEqual(10);
  });

  it('[F45] has rows once whose saving looked as if it had failed', async () => {
    const id = randomUUID();
    const chain = new DecisionChain(forgetfulOnce(database.db), id);
    const batch = [deny(), deny({ reasons: ['role_missing', 'token_missing'] })];
    await expect(chain.append(batch)).rejects.toThrow('lost after the commit');
    await chain.append(batch);
    await chain.append([deny()]);
    expect(await database.db.$count(decisions, eq(decisions.chain, id))).toBe(3);
    expect(await findings(id)).toEqual([]);
  });

  const at = (chain: string, ordinal: number) => and(eq(decisions.chain, chain), eq(decisions.ordinal, ordinal));

  it.each<{ name: string; tamper: (db: Db, chain: string) => Promise<unknown>; finds: string[] }>([
    {
      name: 'a reason that was changed',
      tamper: (db, chain) => db.update(decisions).set({ reasons: [] }).where(at(chain, 2)),
      finds: ['changed 2'],
    },
    {
      name: 'a count that was changed in the last row',
      tamper: (db, chain) => db.update(decisions).set({ count: 9 }).where(at(chain, 4)),
      finds: ['changed 4'],
    },
    {
      name: 'a row that was removed',
      tamper: (db, chain) => db.delete(decisions).where(at(chain, 2)),
      finds: ['removed 2'],
    },
    {
      name: 'a beginning that nobody pruned',
      tamper: (db, chain) => db.delete(decisions).where(at(chain, 0)),
      finds: ['removed 0'],
    },
    {
      name: 'an end that was cut off',
      tamper: (db, chain) => db.delete(decisions).where(at(chain, 4)),
      finds: ['removed 4'],
    },
    {
      name: 'a row that nobody wrote',
      tamper: (db, chain) =>
        db.execute(sql`
          INSERT INTO decisions SELECT chain, ordinal + 1, authority_id, enforcement_point_id, decision, reasons, entity_id,
            organisation_id, api_id, on_behalf_of, certificate_sha256, token_sha256, seq, count, decided_at, hash
          FROM decisions WHERE ${at(chain, 4)}`),
      finds: ['inserted 5'],
    },
    {
      name: 'a chain that nobody began',
      tamper: (db, chain) => db.delete(decisionChains).where(eq(decisionChains.chain, chain)),
      finds: ['inserted 0'],
    },
  ])('[F45] finds $name', async ({ tamper, finds }) => {
    const chain = await fill(database.db);
    await tamperWithDecisions(database, (db) => tamper(db, chain));
    expect(await findings(chain)).toEqual(finds);
  });

  it('[F45] is pruned by its owner alone, and stays whole', async () => {
    await using another = await createTestDatabase(kind);
    const id = randomUUID();
    const chain = new DecisionChain(another.db, id);
    for (let day = 0; day < 5; day++) await chain.append([deny({ decidedAt: dayAfter(day) })]);
    await expect(pruneDecisions(another.db, dayAfter(2))).rejects.toThrow();
    expect(await another.asOwner((db) => pruneDecisions(db, dayAfter(2)))).toBe(2);
    expect(await another.asOwner((db) => pruneDecisions(db, dayAfter(2)))).toBe(0);
    await chain.append([deny()]);
    expect(await verifyDecisions(another.db)).toMatchObject({ rows: 4, prunedRows: 2, findings: [] });
    expect(await another.asOwner((db) => pruneDecisions(db, dayAfter(9)))).toBe(4);
    await chain.append([deny()]);
    expect(await verifyDecisions(another.db)).toMatchObject({ rows: 1, prunedRows: 6, findings: [] });
  });

  it('[F45] does not grow without end: an embedded one is pruned, of another its owner is told', async () => {
    await using another = await createTestDatabase(kind);
    const chain = new DecisionChain(another.db, randomUUID());
    await chain.append(Array.from({ length: 2_500 }, () => deny()));
    await chain.append([deny({ decidedAt: dayAfter(2) })]);
    const warnings: object[] = [];
    const log = { decisionsTooOld: (details: object) => void warnings.push(details) };
    const end = (days: number) =>
      endOldDecisions({ database: another, retentionDays: 90, now: dayAfter(90 + days), log });
    await end(0);
    expect(warnings).toEqual([]);
    await end(1);
    const isPruned = kind === 'embedded';
    expect(warnings).toEqual(isPruned ? [] : [{ retentionDays: 90, chains: 1 }]);
    const left = isPruned ? { rows: 1, prunedRows: 2_500 } : { rows: 2_501, prunedRows: 0 };
    expect(await verifyDecisions(another.db)).toMatchObject({ ...left, findings: [] });
    // It was the owner for that alone.
    await expect(pruneDecisions(another.db, dayAfter(9))).rejects.toThrow();
  });
});

/** The first transaction is committed, and nobody hears of it. */
function forgetfulOnce(db: Db): Db {
  let isFirst = true;
  return new Proxy(db, {
    get(target, member) {
      if (member !== 'transaction' || !isFirst) return Reflect.get(target, member);
      isFirst = false;
      return async (...run: Parameters<Db['transaction']>) => {
        await target.transaction(...run);
        throw new Error('lost after the commit');
      };
    },
  });
}
