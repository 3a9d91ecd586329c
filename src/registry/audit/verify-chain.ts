/** Walks the chain of the audit, row by row in constant memory, and says where it is not what was written. */
import { type AuditPlace, type ChainedAuditRow, hashAuditRow } from '../../storage/audit-chain.ts';

export type AuditFindingKind =
  | 'changed'
  | 'removed'
  | 'inserted'
  | 'reordered'
  /** Where the counter says that the chain ends it does not. */
  | 'end_mismatch'
  /** It is another history than the one that a checkpoint was signed for. */
  | 'rewritten'
  /** It ends before a checkpoint that was signed for it. */
  | 'cut';

export interface AuditFinding {
  kind: AuditFindingKind;
  /** Where: the row that is wrong, or the first that is missing. */
  seq: number;
  ordinal: number;
  detail: string;
  /** The hash that should be there, and the one that is, where that says something. */
  expected?: string;
  found?: string;
}

/** What a signed checkpoint says. */
export interface ClaimedState {
  seq: number;
  hash: string;
  rows: number;
}

export interface ChainToVerify {
  /** In the order of seq and ordinal, as far as nobody changed it. */
  rows: AsyncIterable<readonly ChainedAuditRow[]>;
  /** The hash before the first row. */
  previousHash: string;
  /** Changes up to this one are not looked at; 0: none. */
  afterSeq: number;
  /** What the counter of the database says; an export has none. */
  end?: ClaimedState;
  checkpoints?: readonly ClaimedState[];
  /** Told of the number of rows read so far, after each batch. */
  onProgress?: (rows: number) => void;
}

export interface VerifiedChain {
  /** Number of rows that were read. */
  rows: number;
  /** The last row that is part of the chain; undefined when there is none. */
  last: (AuditPlace & { hash: string }) | undefined;
  /** The first ones, in the order of the chain. */
  findings: AuditFinding[];
  /** How many there are in all. */
  findingCount: number;
}

const MAX_FINDINGS = 100;

export async function verifyAuditChain(chain: ChainToVerify): Promise<VerifiedChain> {
  const walk = new ChainWalk(chain);
  let read = 0;
  for await (const batch of chain.rows) {
    for (const row of batch) walk.add(row);
    read += batch.length;
    chain.onProgress?.(read);
  }
  return { ...walk.finish(), rows: read };
}

/** A row of the chain, or what stands before the first one. */
interface Link extends AuditPlace {
  hash: string;
}

/** The largest that the column holds: the place after which the first row of the next change stands. */
const LAST_ORDINAL = 2_147_483_647;

class ChainWalk {
  readonly #start: Link;
  readonly #end: ClaimedState | undefined;
  readonly #checkpoints: ClaimedState[];
  readonly #findings: AuditFinding[] = [];
  #findingCount = 0;
  /** The row that is judged once it is known what follows it. */
  #held: ChainedAuditRow | undefined;
  /** Said to be out of order already. */
  #early: ChainedAuditRow | undefined;
  #last: Link;
  /** The one before, should the last prove to be none of the chain. */
  #beforeLast: Link | undefined;
  /** Of the chain, as far as it was walked. */
  #rows = 0;

  constructor({ previousHash, afterSeq, end, checkpoints = [] }: ChainToVerify) {
    this.#start = { seq: afterSeq, ordinal: LAST_ORDINAL, hash: previousHash };
    this.#last = this.#start;
    this.#end = end;
    this.#checkpoints = checkpoints.filter(({ seq }) => seq >= afterSeq).toSorted((a, b) => a.seq - b.seq);
  }

  add(row: ChainedAuditRow): void {
    const held = this.#held;
    if (held === undefined) {
      this.#held = row;
    } else if (compare(held.contents, row.contents) > 0) {
      if (this.#early !== held) this.#report('reordered', held.contents, `stands before ${nameOf(row.contents)}`);
      this.#early = held;
      if (this.#judge(row, held)) this.#held = undefined;
    } else {
      this.#held = this.#judge(held, row) ? undefined : row;
    }
  }

  finish(): Omit<VerifiedChain, 'rows'> {
    if (this.#held !== undefined) this.#judge(this.#held, undefined);
    this.#judgeEnd();
    this.#passCheckpoints(Number.POSITIVE_INFINITY);
    const { seq, ordinal, hash } = this.#last;
    const last = this.#last === this.#start ? undefined : { seq, ordinal, hash };
    return { last, findings: this.#findings, findingCount: this.#findingCount };
  }

  /** @returns whether the next row is judged with it */
  #judge(row: ChainedAuditRow, next: ChainedAuditRow | undefined): boolean {
    const { contents } = row;
    if (this.#end !== undefined && contents.seq > this.#end.seq) {
      this.#report('inserted', contents, `the counter says that the last change is ${this.#end.seq}`);
      return false;
    }
    if (compare(contents, this.#last) <= 0) {
      this.#report('inserted', contents, `stands after ${this.#nameOf(this.#last)}, out of its order or a second time`);
      return false;
    }
    this.#passCheckpoints(contents.seq);
    if (!follows(this.#last, row)) return this.#judgeBreak(row, next);
    this.#reportGap(contents);
    this.#accept(row);
    return false;
  }

  /** What a row is that does not follow from the one before it. @returns whether the next row is judged with it */
  #judgeBreak(row: ChainedAuditRow, next: ChainedAuditRow | undefined): boolean {
    const { contents } = row;
    const [last, beforeLast] = [this.#last, this.#beforeLast];
    if (next !== undefined && follows(last, next)) {
      this.#report('inserted', contents, `${nameOf(next.contents)} follows from ${this.#nameOf(last)} without it`);
      return false;
    }
    if (beforeLast !== undefined && follows(beforeLast, row)) {
      this.#report('inserted', last, `${nameOf(contents)} follows from ${this.#nameOf(beforeLast)} without it`);
      this.#last = beforeLast;
      this.#rows--;
      this.#accept(row);
      return false;
    }
    if (next !== undefined && follows(last, at(contents, next)) && follows(next, at(next.contents, row))) {
      this.#report('reordered', contents, `has changed places with ${nameOf(next.contents)}`);
      this.#accept(next);
      this.#accept(at(next.contents, row));
      return true;
    }
    if (this.#reportGap(contents)) {
      this.#accept(row);
      return false;
    }
    const expected = hashAuditRow(last.hash, contents);
    const detail = `does not follow from ${this.#nameOf(last)}: it was changed, or what stands before it was changed or removed`;
    this.#report('changed', contents, detail, { expected, found: row.hash });
    // Where its hash alone was changed, the chain goes on from the right one.
    const isHashAlone = next !== undefined && follows({ hash: expected }, next);
    this.#accept(isHashAlone ? { contents, hash: expected } : row);
    return false;
  }

  #accept({ contents: { seq, ordinal }, hash }: ChainedAuditRow): void {
    this.#beforeLast = this.#last;
    this.#last = { seq, ordinal, hash };
    this.#rows++;
  }

  #reportGap(to: AuditPlace): boolean {
    const { seq, ordinal } = this.#last;
    const missing = to.seq === seq ? { seq, ordinal: ordinal + 1 } : { seq: seq + 1, ordinal: 0 };
    if (compare(missing, to) >= 0) return false;
    const through =
      to.ordinal > 0 ? nameOf({ seq: to.seq, ordinal: to.ordinal - 1 }) : `the end of change ${to.seq - 1}`;
    this.#report('removed', missing, `missing up to ${through}`);
    return true;
  }

  #judgeEnd(): void {
    const [last, beforeLast, end] = [this.#last, this.#beforeLast, this.#end];
    if (end === undefined) return;
    if (last.seq < end.seq) {
      const detail = `missing up to change ${end.seq}, the last one as the counter says`;
      this.#report('removed', { seq: last.seq + 1, ordinal: 0 }, detail);
    } else if (last.hash === end.hash) {
      if (this.#findingCount > 0 || this.#rows === end.rows) return;
      this.#report(
        'end_mismatch',
        last,
        `the counter says that there are ${end.rows} rows, but there are ${this.#rows}`,
      );
    } else if (beforeLast?.hash === end.hash) {
      this.#report('inserted', last, `the counter says that the chain ends with ${this.#nameOf(beforeLast)}`);
    } else {
      const detail = 'the counter says that the chain ends otherwise: it was changed, or rows after it were removed';
      this.#report('end_mismatch', last, detail, { expected: end.hash, found: last.hash });
    }
  }

  /** Compares with the checkpoints whose rows were all read, now that a row of `seq` comes, or none any more. */
  #passCheckpoints(seq: number): void {
    while (this.#checkpoints[0] !== undefined && this.#checkpoints[0].seq < seq) {
      this.#compare(this.#checkpoints[0], seq === Number.POSITIVE_INFINITY);
      this.#checkpoints.shift();
    }
  }

  #compare(claimed: ClaimedState, isEnd: boolean): void {
    const last = this.#last;
    if (isEnd && last.seq < claimed.seq) {
      const detail = `missing up to change ${claimed.seq}, for which a checkpoint was signed`;
      this.#report('cut', { seq: last.seq + 1, ordinal: 0 }, detail);
      return;
    }
    const isCounted = this.#start.seq === 0 && this.#findingCount === 0;
    if (last.hash === claimed.hash && (!isCounted || this.#rows === claimed.rows)) return;
    const detail = `up to change ${claimed.seq} it is another history than the one that a checkpoint was signed for`;
    this.#report('rewritten', last, detail, { expected: claimed.hash, found: last.hash });
  }

  #report(
    kind: AuditFindingKind,
    { seq, ordinal }: AuditPlace,
    detail: string,
    hashes: { expected?: string; found?: string } = {},
  ): void {
    this.#findingCount++;
    if (this.#findings.length >= MAX_FINDINGS) return;
    const place = ordinal === LAST_ORDINAL ? { seq, ordinal: 0 } : { seq, ordinal };
    this.#findings.push({ kind, ...place, detail, ...hashes });
  }

  #nameOf(link: Link): string {
    return link === this.#start ? 'what is before the first row' : nameOf(link);
  }
}

function follows({ hash: previousHash }: { hash: string }, { contents, hash }: ChainedAuditRow): boolean {
  return hashAuditRow(previousHash, contents) === hash;
}

/** The same row in another place. */
function at({ seq, ordinal }: AuditPlace, { contents, hash }: ChainedAuditRow): ChainedAuditRow {
  return { contents: { ...contents, seq, ordinal }, hash };
}

function compare(a: AuditPlace, b: AuditPlace): number {
  return a.seq - b.seq || a.ordinal - b.ordinal;
}

/** `5.0` */
export function nameOf({ seq, ordinal }: AuditPlace): string {
  return `${seq}.${ordinal}`;
}
