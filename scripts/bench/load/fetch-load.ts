/** How requests for statements come in: many at once, as from busy partners that keep their connections. */
import type { LoadPlan } from './load-plan.ts';

/** With less ahead of the answers, the generator would be as busy as the server and hide what differs. */
export const FETCH_LOAD = { connections: 32, pipelining: 4 } as const satisfies Partial<LoadPlan>;
