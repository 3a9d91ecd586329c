import { and, eq, type SQL, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withAuditChain } from '../../../src/registry/audit/read-chain.ts';
import { type ClaimedState, type VerifiedChain, verifyAuditChain } from '../../../src/registry/audit/verify-chain.ts';
import { addOrganisation } from '../../../src/registry/organisations/add-organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { hashAuditRow, readAuditEnd, readAuditRows } from '../../../src/storage/audit-chain.ts';
import { connectDatabase, type Db } from '../../../src/storage/connect.ts';
import { audit } from '../../../src/storage/schema/audit.ts';
import { registryCounter } from '../../../src/storage/schema/registry-counter.ts';
import { tamper } from '../../support/audit.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { openRegistry, TestRegistry } from '../../support/registry.ts';

const ALL = 1_000;
/** Without contacts, which would have rows of their own. */
const FIELDS = { legalName: 'Partner Ltd' };

function isAt(seq: number, ordinal = 0): SQL | undefined {
  return and(eq(audit.seq, seq), eq(audit.ordinal, ordinal));
}

/** The rows that the tests begin with: 1.0 1.1 | 2.0 | 3.0 | 4.0 4.1 | 5.0 | 6.0 */
async function fill(registry: TestRegistry): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const { id: authorityId } = await registry.authority({ requiredContactTypes: [] });
    const { id } = await addOrganisation(registry.context(), authorityId, FIELDS);
    await transitionOrganisation(registry.context(), id, 'approve', 'as a test needs it');
  }
}

/** A row that nobody wrote, after the one at a place, with the right hash or with another. */
async function insertAfter(db: Db, seq: number, ordinal: number, isRightlyHashed: boolean): Promise<void> {
  const [row] = await readAuditRows(db, { seq, ordinal: ordinal - 1 }, 1);
  const contents = { ...row!.contents, ordinal: ordinal + 1, action: 'organisation.approve', reason: 'never given' };
  const hash = isRightlyHashed ? hashAuditRow(row!.hash, contents) : row!.hash;
  await db.execute(sql`
    INSERT INTO audit SELECT seq, ordinal + 1, at, actor, 'organisation.approve', authority_id, subject_kind, subject_id,
      before, after, 'never given', request_id, ${hash} FROM audit WHERE ${isAt(seq, ordinal)}`);
}

/** Whoever owns the database can make everything fit again, from a row on. */
async function rehashFrom(db: Db, seq: number): Promise<void> {
  const rows = await readAuditRows(db, undefined, ALL);
  let hash = (await readAuditEnd(db)).genesis;
  for (const { contents, hash: old } of rows) {
    hash = contents.seq < seq ? old : hashAuditRow(hash, contents);
    await db.update(audit).set({ hash }).where(isAt(contents.seq, contents.ordinal));
  }
  const last = rows.at(-1)?.contents.seq ?? 0;
  await db.update(registryCounter).set({ seq: last, auditHash: hash, auditRows: rows.length });
}

interface Tampering {
  name: string;
  tamper: (db: Db) => Promise<unknown>;
  finds: string[];
}

const TAMPERINGS: Tampering[] = [
  {
    name: 'a reason was changed',
    tamper: (db) => db.update(audit).set({ reason: 'a better one' }).where(isAt(3)),
    finds: ['changed 3.0'],
  },
  {
    name: 'an actor was changed and the hash of the row made to fit',
    tamper: async (db) => {
      await db
        .update(audit)
        .set({ actor: { kind: 'token', id: 'x', name: 'somebody else' } })
        .where(isAt(3));
      const [before, row] = await readAuditRows(db, { seq: 2, ordinal: -1 }, 2);
      await db
        .update(audit)
        .set({ hash: hashAuditRow(before!.hash, row!.contents) })
        .where(isAt(3));
    },
    // It is the first whose neighbours do not fit: the row before it has a hash of its own.
    finds: ['changed 4.0'],
  },
  {
    name: 'a member of the record before was removed',
    tamper: (db) => db.update(audit).set({ before: sql`before - 'state'` }).where(isAt(3)),
    finds: ['changed 3.0'],
  },
  {
    name: 'a number got digits that no driver reads',
    tamper: (db) => {
      const version = sql`jsonb_set(after, '{configurationLifetimeSeconds}', '86400.00000000000000000001')`;
      return db.update(audit).set({ after: version }).where(isAt(4));
    },
    finds: ['changed 4.0'],
  },
  {
    name: 'a time was moved by a microsecond',
    tamper: (db) => db.update(audit).set({ at: sql`at + interval '1 microsecond'` }).where(isAt(2)),
    finds: ['changed 2.0'],
  },
  {
    name: 'a change in the middle was removed',
    tamper: (db) => db.delete(audit).where(eq(audit.seq, 2)),
    finds: ['removed 2.0'],
  },
  {
    name: 'a row within a change was removed',
    tamper: (db) => db.delete(audit).where(isAt(4, 0)),
    finds: ['removed 4.0'],
  },
  {
    name: 'the last row of a change was removed',
    tamper: (db) => db.delete(audit).where(isAt(1, 1)),
    finds: ['changed 2.0'],
  },
  {
    name: 'the last change was removed',
    tamper: (db) => db.delete(audit).where(eq(audit.seq, 6)),
    finds: ['removed 6.0'],
  },
  {
    name: 'all rows were removed',
    tamper: (db) => db.delete(audit),
    finds: ['removed 1.0'],
  },
  {
    name: 'a row was inserted in the middle',
    tamper: (db) => insertAfter(db, 3, 0, false),
    finds: ['inserted 3.1'],
  },
  {
    name: 'a row was inserted in the middle with the hash that it needs',
    tamper: (db) => insertAfter(db, 3, 0, true),
    finds: ['inserted 3.1'],
  },
  {
    name: 'a row was added to the last change with the hash that it needs',
    tamper: (db) => insertAfter(db, 6, 0, true),
    finds: ['inserted 6.1'],
  },
  {
    name: 'a change was added that the counter does not know',
    tamper: (db) =>
      db.execute(sql`
      INSERT INTO audit SELECT 7, ordinal, at, actor, action, authority_id, subject_kind, subject_id, before, after, reason,
        request_id, hash FROM audit WHERE ${isAt(6)}`),
    finds: ['inserted 7.0'],
  },
  {
    name: 'two changes changed places',
    tamper: async (db) => {
      await db.update(audit).set({ seq: 99 }).where(isAt(2));
      await db.update(audit).set({ seq: 2 }).where(isAt(3));
      await db.update(audit).set({ seq: 3 }).where(isAt(99));
    },
    finds: ['reordered 2.0'],
  },
  {
    name: 'a hash was changed and nothing else',
    tamper: (db) =>
      db
        .update(audit)
        .set({ hash: 'A'.repeat(43) })
        .where(isAt(3)),
    finds: ['changed 3.0'],
  },
  {
    name: 'the counter was set back',
    tamper: (db) => db.update(registryCounter).set({ seq: 5 }),
    finds: ['inserted 6.0', 'end_mismatch 5.0'],
  },
  {
    name: 'two rows far apart were changed',
    tamper: (db) => db.update(audit).set({ requestId: 'another' }).where(sql`seq IN (2, 5)`),
    finds: ['changed 2.0', 'changed 5.0'],
  },
];

/** Of which the chain by itself shows nothing. */
const THOROUGH: Tampering[] = [
  {
    name: 'was cut off, with the counter set back',
    tamper: async (db) => {
      await db.delete(audit).where(eq(audit.seq, 6));
      await rehashFrom(db, 7);
    },
    finds: ['cut 6.0'],
  },
  {
    name: 'was rewritten from a row on, with all hashes',
    tamper: async (db) => {
      await db.update(audit).set({ reason: 'a better one' }).where(isAt(3));
      await rehashFrom(db, 3);
    },
    finds: ['rewritten 6.0'],
  },
  {
    name: 'was emptied, as if nothing had ever happened',
    tamper: async (db) => {
      await db.delete(audit);
      await rehashFrom(db, 1);
    },
    finds: ['cut 1.0'],
  },
];

describe.each(DATABASE_KINDS)('an audit on %s', (kind) => {
  let registry: TestRegistry;
  let checkpoint: ClaimedState;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    await fill(registry);
    const { seq, hash = '', rows } = await readAuditEnd(registry.db);
    checkpoint = { seq, hash, rows };
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const verify = (db: Db, checkpoints: ClaimedState[] = []): Promise<VerifiedChain> =>
    withAuditChain(db, (chain) => verifyAuditChain({ ...chain, checkpoints }));

  /** What is found in a copy that was tampered with: all of it happens in a transaction that is undone. */
  async function found(tampering: Tampering, checkpoints: ClaimedState[] = []): Promise<string[]> {
    const undo = new Error('undo');
    let findings: string[] = [];
    const copy = (db: Db) =>
      db.transaction(async (tx) => {
        await tampering.tamper(tx);
        const verified = await verify(tx, checkpoints);
        findings = verified.findings.map(({ kind, seq, ordinal }) => `${kind} ${seq}.${ordinal}`);
        throw undo;
      });
    await expect(tamper(registry.database, copy)).rejects.toBe(undo);
    return findings;
  }

  it('that nobody touched is whole, and as its counter and checkpoint say', async () => {
    const verified = await verify(registry.db, [checkpoint]);
    expect(verified).toEqual({
      rows: 8,
      last: { seq: 6, ordinal: 0, hash: checkpoint.hash },
      findings: [],
      findingCount: 0,
    });
    expect(checkpoint).toMatchObject({ seq: 6, rows: 8 });
  });

  it.each(TAMPERINGS)('[F52] shows where, when $name: $finds', async (tampering) => {
    expect(await found(tampering)).toEqual(tampering.finds);
  });

  it.each(THOROUGH)('[F52] that $name looks whole, but not with a checkpoint: $finds', async (tampering) => {
    expect(await found(tampering)).toEqual([]);
    expect(await found(tampering, [checkpoint])).toEqual(tampering.finds);
  });

  it('does not hide a change of its genesis', async () => {
    const name = 'the genesis was changed';
    const change = (db: Db) => db.update(registryCounter).set({ auditGenesis: 'A'.repeat(43) });
    expect(await found({ name, tamper: change, finds: [] })).toEqual(['changed 1.0']);
  });

  it('names the first findings of many, and how many there are', async () => {
    const undo = new Error('undo');
    const copy = (db: Db) =>
      db.transaction(async (tx) => {
        await tx.execute(sql`
          INSERT INTO audit SELECT 6 + made, ordinal, at, actor, action, authority_id, subject_kind, subject_id, before,
            after, reason, request_id, hash FROM audit, generate_series(1, 1500) AS made WHERE ${isAt(6)}`);
        const { findings, findingCount, rows } = await verify(tx);
        expect({ shown: findings.length, findingCount, rows }).toEqual({ shown: 100, findingCount: 1500, rows: 1508 });
        throw undo;
      });
    await expect(tamper(registry.database, copy)).rejects.toBe(undo);
  });
});

describe.each(DATABASE_KINDS)('an audit on %s that is', (kind) => {
  const verified = (registry: TestRegistry) => withAuditChain(registry.db, verifyAuditChain);

  it('empty is whole', async () => {
    await using registry = await openRegistry(kind);
    expect(await verified(registry)).toEqual({ rows: 0, last: undefined, findings: [], findingCount: 0 });
  });

  it('written by many at once is whole, whatever fails between', async () => {
    await using registry = await openRegistry(kind);
    const authority = await registry.authority();
    // No database keeps this request id: the audit, which is written last, fails.
    const unwritable = registry.context(undefined, { requestId: '\0' });
    await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) =>
        addOrganisation(index % 3 === 0 ? unwritable : registry.context(), authority.id, FIELDS),
      ),
    );
    const { rows, findings, last } = await verified(registry);
    expect({ rows, findings, seq: last?.seq }).toEqual({ rows: 22, findings: [], seq: 21 });
  });
});

it('on postgresql two nodes that write at once keep one chain', async () => {
  await using registry = await openRegistry('postgresql');
  await using other = new TestRegistry({ ...(await connectDatabase({ url: registry.database.url ?? '' })) });
  const authority = await registry.authority();
  const written = Array.from({ length: 40 }, (_, index) =>
    addOrganisation((index % 2 === 0 ? registry : other).context(), authority.id, FIELDS),
  );
  await Promise.all(written);
  const { rows, findings } = await withAuditChain(registry.db, verifyAuditChain);
  expect({ rows, findings }).toEqual({ rows: 42, findings: [] });
});
