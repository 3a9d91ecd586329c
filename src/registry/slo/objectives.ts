/** What the service is measured by, and what a share says of that. */

/** Of a window's minutes, and of its requests. @see CDR, Availability requirements (99.5 % a month) */
export const AVAILABILITY_OBJECTIVE = 0.995;

/** What takes a permission away is acted on within so long, by so many of those who have it told to them. */
export const PROPAGATION_OBJECTIVE_MS = 1_000;
export const PROPAGATION_OBJECTIVE = 0.99;

export interface Burn {
  /** 0 to 1; null: there was nothing to judge by. */
  share: number | null;
  /** How many times as fast as the objective lets it the room for failures is used up: 1 uses it up exactly. */
  burnRate: number | null;
}

export function burnOf(good: number, all: number, objective: number): Burn {
  if (all <= 0) return { share: null, burnRate: null };
  const share = Math.min(1, good / all);
  return { share, burnRate: Math.round(((1 - share) / (1 - objective)) * 1e4) / 1e4 };
}
