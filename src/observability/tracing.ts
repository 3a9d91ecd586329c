/** Pieces of work as spans of a trace, where an operator wants traces; otherwise the work alone. */

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface Tracing extends AsyncDisposable {
  /**
   * Work for somebody who came in: the beginning of a trace. What it says of its own trace is linked, well-formed, and
   * decides nothing: a stranger must not make us trace, nor put his spans between ours.
   */
  request<T>(traceparent: string | null, work: () => T): T;
  /** Work that is part of what goes on, or the beginning of a trace. A failure is told by its type, never its message. */
  span<T>(name: string, attributes: Attributes, work: () => T): T;
  /** Says more of the work under way. */
  tell(name: string | undefined, attributes: Attributes): void;
  /** A request that was answered at once. */
  answered(name: string, attributes: Attributes, durationMs: number): void;
  /** Of the work under way, for the log. */
  ids(): { traceId: string; spanId: string } | undefined;
}

export const NO_TRACING: Tracing = {
  request: (_, work) => work(),
  span: (_, __, work) => work(),
  tell() {},
  answered() {},
  ids: () => undefined,
  async [Symbol.asyncDispose]() {},
};
