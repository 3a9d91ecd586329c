/** What the process that fills a statement cache is told, and what it tells back. */
export interface FillCommand {
  statements: number;
}

export type FillReply = { kind: 'filled'; result: FillResult } | { kind: 'failed'; message: string };

/** What the statements added to the process, garbage collected before and after. */
export interface FillResult {
  residentBytes: number;
  /** In the heap and beside it. */
  heapBytes: number;
  /** What the cache takes itself to be. */
  countedBytes: number;
  /** Mean length of a statement. */
  statementBytes: number;
}
