/** What is told of a request once it is answered: nothing that a client chose but its request id. */

/** Which of our doors answered. */
export type Door = 'plain' | 'federation' | 'hosted' | 'admission' | 'api' | 'health' | 'public';

export interface AnsweredRequest {
  door: Door;
  /** A template such as `/api/v1/entities/{entityId}`, an authority's endpoint such as `fetch`, or `unmatched`. */
  route: string;
  method: string;
  status: number;
  /** Whether it failed through us, where the status does not tell: others that we depend on may be to blame. */
  isFault?: boolean;
  /** Until the answer began. */
  durationMs: number;
  requestId?: string | undefined;
  /** Who asked, where that was found out. */
  actor?: { kind: string; id: string } | undefined;
}

/** Cheap, and never throws. */
export type ObserveRequest = (answered: AnsweredRequest) => void;

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** A method that is one of few. */
export function boundedMethod(method: string): string {
  return METHODS.has(method) ? method : 'OTHER';
}
