import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AuditFinding, verifyAuditChain } from '../../../src/registry/audit/verify-chain.ts';
import { type AuditContents, type ChainedAuditRow, hashAuditRow } from '../../../src/storage/audit-chain.ts';

const GENESIS = 'genesis';

/** A chain with so many rows in each of its changes. */
function chainOf(rowsOfChanges: readonly number[]): ChainedAuditRow[] {
  let hash = GENESIS;
  return rowsOfChanges.flatMap((rows, index) =>
    Array.from({ length: rows }, (_, ordinal) => {
      const contents = contentsAt(index + 1, ordinal);
      hash = hashAuditRow(hash, contents);
      return { contents, hash };
    }),
  );
}

function contentsAt(seq: number, ordinal: number): AuditContents {
  const nothing = {
    authorityId: null,
    before: null,
    after: { row: `${seq}.${ordinal}` },
    reason: null,
    requestId: null,
  };
  const what = { actor: { id: 'ada' }, action: 'test', subjectKind: 'test', subjectId: 'test' };
  return { seq, ordinal, at: '2027-01-15T08:00:00.000Z', ...what, ...nothing };
}

async function* inBatches(rows: readonly ChainedAuditRow[], size: number): AsyncGenerator<ChainedAuditRow[]> {
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
}

/** With the counter that belongs to `whole`, and in batches that end anywhere. */
async function findingsIn(
  rows: readonly ChainedAuditRow[],
  whole: readonly ChainedAuditRow[],
  batchSize = 3,
): Promise<AuditFinding[]> {
  const last = whole.at(-1);
  const end = { seq: last?.contents.seq ?? 0, hash: last?.hash ?? GENESIS, rows: whole.length };
  const chain = { rows: inBatches(rows, batchSize), previousHash: GENESIS, afterSeq: 0, end };
  return (await verifyAuditChain(chain)).findings;
}

const changes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 12 });
const anyChain = changes.map(chainOf);

/** A chain, the place of one of its rows, and where batches end. */
const aRow = anyChain.chain((chain) =>
  fc.record({
    chain: fc.constant(chain),
    index: fc.integer({ min: 0, max: chain.length - 1 }),
    batchSize: fc.integer({ min: 1, max: 5 }),
  }),
);

function placeOf({ contents: { seq, ordinal } }: ChainedAuditRow): { seq: number; ordinal: number } {
  return { seq, ordinal };
}

describe('of a chain of any shape', () => {
  it('nothing is found while nobody touches it', async () => {
    await fc.assert(
      fc.asyncProperty(anyChain, fc.integer({ min: 1, max: 5 }), async (chain, batchSize) => {
        expect(await findingsIn(chain, chain, batchSize)).toEqual([]);
      }),
    );
  });

  it('the one row that was changed is named', async () => {
    await fc.assert(
      fc.asyncProperty(aRow, async ({ chain, index, batchSize }) => {
        const row = chain[index]!;
        const changed = chain.with(index, { ...row, contents: { ...row.contents, reason: 'made up' } });
        const findings = await findingsIn(changed, chain, batchSize);
        expect(findings).toMatchObject([{ kind: 'changed', ...placeOf(row), found: row.hash }]);
      }),
    );
  });

  it('a row that was removed is found where it was, or at the row after it', async () => {
    await fc.assert(
      fc.asyncProperty(aRow, async ({ chain, index, batchSize }) => {
        const [row, next] = [chain[index]!, chain[index + 1]];
        const findings = await findingsIn(chain.toSpliced(index, 1), chain, batchSize);
        expect(findings.length).toBeGreaterThan(0);
        const [first] = findings;
        const isLastOfChange = next === undefined || next.contents.seq !== row.contents.seq;
        const places = [placeOf(row), ...(isLastOfChange && next !== undefined ? [placeOf(next)] : [])];
        const before = chain[index - 1];
        if (next === undefined && before !== undefined) places.push(placeOf(before));
        expect(places).toContainEqual({ seq: first?.seq, ordinal: first?.ordinal });
      }),
    );
  });

  it('a row that was inserted is named, with whatever hash', async () => {
    await fc.assert(
      fc.asyncProperty(aRow, fc.boolean(), async ({ chain, index, batchSize }, isRightlyHashed) => {
        const row = chain[index]!;
        const isLastOfChange = chain[index + 1]?.contents.seq !== row.contents.seq;
        fc.pre(isLastOfChange);
        const contents = contentsAt(row.contents.seq, row.contents.ordinal + 1);
        const hash = isRightlyHashed ? hashAuditRow(row.hash, contents) : 'made up';
        const findings = await findingsIn(chain.toSpliced(index + 1, 0, { contents, hash }), chain, batchSize);
        const isAtTheEnd = index === chain.length - 1;
        const kinds = isAtTheEnd && !isRightlyHashed ? ['changed', 'inserted'] : ['inserted'];
        expect(findings.map(({ kind }) => kind)).toEqual(kinds);
        for (const finding of findings) expect(finding).toMatchObject(placeOf({ contents, hash }));
      }),
    );
  });

  it('rows of an export that changed places are found, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(aRow, async ({ chain, index, batchSize }) => {
        const [row, next] = [chain[index]!, chain[index + 1]];
        fc.pre(next !== undefined);
        const swapped = chain.with(index, next!).with(index + 1, row);
        const findings = await findingsIn(swapped, chain, batchSize);
        expect(findings).toMatchObject([{ kind: 'reordered', ...placeOf(next!) }]);
        expect(findings).toHaveLength(1);
      }),
    );
  });

  it('no other order of its rows passes', async () => {
    const shuffled = anyChain.chain((chain) => fc.shuffledSubarray(chain).map((rows) => ({ chain, rows })));
    await fc.assert(
      fc.asyncProperty(shuffled, async ({ chain, rows }) => {
        fc.pre(rows.length !== chain.length || rows.some((row, index) => row !== chain[index]));
        expect(await findingsIn(rows, chain)).not.toEqual([]);
      }),
    );
  });

  it('each prefix passes without a counter, and none but the whole with a checkpoint of its end', async () => {
    await fc.assert(
      fc.asyncProperty(aRow, async ({ chain, index, batchSize }) => {
        const cut = chain.slice(0, index);
        const rows = () => inBatches(cut, batchSize);
        const basis = { previousHash: GENESIS, afterSeq: 0 };
        expect((await verifyAuditChain({ ...basis, rows: rows() })).findings).toEqual([]);
        const last = chain.at(-1)!;
        const checkpoints = [{ seq: last.contents.seq, hash: last.hash, rows: chain.length }];
        const { findings } = await verifyAuditChain({ ...basis, rows: rows(), checkpoints });
        expect(findings).toHaveLength(1);
        expect(['cut', 'rewritten']).toContain(findings[0]?.kind);
      }),
    );
  });

  it('each suffix of whole changes passes by the hash before it', async () => {
    await fc.assert(
      fc.asyncProperty(aRow, async ({ chain, index, batchSize }) => {
        const { seq } = chain[index]!.contents;
        const rest = chain.filter(({ contents }) => contents.seq > seq);
        const previousHash = chain.findLast(({ contents }) => contents.seq <= seq)!.hash;
        const { findings } = await verifyAuditChain({ rows: inBatches(rest, batchSize), previousHash, afterSeq: seq });
        expect(findings).toEqual([]);
      }),
    );
  });
});
