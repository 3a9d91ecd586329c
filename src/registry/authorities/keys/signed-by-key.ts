/** What a key signed besides statements, which have their lifetimes: things that may live without end. */
import type { Tx } from '../../../storage/connect.ts';

/** Filled by whoever keeps such things. */
export interface SignedByKey {
  /** Whether something rests on the key that is in force at `now`: then the key stays published. */
  stillLives: (tx: Tx, kid: string, now: Date) => Promise<boolean>;
  /** How many things are in force at `now` that the key signed. */
  outstanding: (tx: Tx, kid: string, now: Date) => Promise<{ trustMarks: number; delegations: number }>;
}

/** Where authorities sign statements only. */
export const STATEMENTS_ONLY: SignedByKey = {
  stillLives: async () => false,
  outstanding: async () => ({ trustMarks: 0, delegations: 0 }),
};
