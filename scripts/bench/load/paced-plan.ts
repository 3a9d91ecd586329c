/** Requests at fixed times, however slowly they are answered: what a paced generator is told, and what it tells back. */

export interface PacedRequest {
  path: string;
  /** JSON that is posted. */
  body?: string;
  /** Whom it claims to come from, where the server believes that. */
  forwardedFor?: string;
}

export interface PacedPlan {
  /** On the loopback interface. */
  port: number;
  /** Value of the Host header. */
  host: string;
  /** Of every request, besides its own. */
  headers?: Record<string, string>;
  /** Sent in their order, each once. */
  requests: readonly PacedRequest[];
  perSecond: number;
}

export interface PacedResult {
  /** Answers by status; 0 for those that never came. */
  statuses: ReadonlyMap<number, number>;
  /** From when a request was due to the end of its answer, one for each request. */
  latenciesMs: Float64Array;
}

export type PacedReply = { kind: 'measured'; result: PacedResult } | { kind: 'failed'; message: string };
