/** Hosts that nobody should be made to knock at: what their process tells. */

/** What a host does when it is asked. */
export const MANNERS = ['unknown', 'silent', 'hangsUp', 'endless'] as const;
export type Manner = (typeof MANNERS)[number];

export type StrangersCommand = { kind: 'listen' } | { kind: 'count' };

export type StrangersReply =
  | { kind: 'listening'; origins: Record<Manner, string> }
  /** When each request came, or each connection to the host that hangs up: milliseconds since the epoch, in order. */
  | { kind: 'counted'; arrivals: Record<Manner, number[]> }
  | { kind: 'failed'; message: string };
