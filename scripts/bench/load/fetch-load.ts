/** How requests for statements come in: many at once, as from busy partners that keep their connections. */
import type { LoadPlan } from './load-plan.ts';

/** A few ahead of the answers: the generator then takes less than half of the server's computing time. */
export const FETCH_LOAD = { connections: 32, pipelining: 4 } as const satisfies Partial<LoadPlan>;
