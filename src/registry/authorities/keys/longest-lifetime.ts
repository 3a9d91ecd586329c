/** How long something that the signing key signs may live: for so long the key stays published after it. */
import { and, eq, inArray, lt, max } from 'drizzle-orm';
import type { Tx } from '../../../storage/connect.ts';
import { authorities } from '../../../storage/schema/authorities.ts';
import { authorityKeys } from '../../../storage/schema/authority-keys.ts';
import { entities } from '../../../storage/schema/entities.ts';
import { LIVE_STATES } from '../../states.ts';
import type { Authority } from '../authority.ts';

type Lifetimes = Pick<
  Authority,
  'configurationLifetimeSeconds' | 'statementLifetimeSeconds' | 'resolveLifetimeSeconds'
>;

/** Of what the authority's own settings let it sign. */
export function longestOwnLifetime(authority: Lifetimes): number {
  const { configurationLifetimeSeconds, statementLifetimeSeconds, resolveLifetimeSeconds } = authority;
  return Math.max(configurationLifetimeSeconds, statementLifetimeSeconds, resolveLifetimeSeconds);
}

/** Of all that is signed under the present settings, those of single entities included. */
export async function longestLifetime(tx: Tx, authority: Authority): Promise<number> {
  const [ofEntities] = await tx
    .select({ seconds: max(entities.statementLifetimeSeconds) })
    .from(entities)
    .where(and(eq(entities.authorityId, authority.id), inArray(entities.state, [...LIVE_STATES])));
  return Math.max(longestOwnLifetime(authority), ofEntities?.seconds ?? 0);
}

/**
 * Remembers that the signing key may sign something that lives so long. Belongs into the transaction that sets a
 * lifetime: a roll waits for it, or it for the roll.
 */
export async function raiseLongestLifetime(tx: Tx, authorityId: string, seconds: number): Promise<void> {
  await tx.select({ id: authorities.id }).from(authorities).where(eq(authorities.id, authorityId)).for('share');
  await tx
    .update(authorityKeys)
    .set({ longestLifetimeSeconds: seconds })
    .where(
      and(
        eq(authorityKeys.authorityId, authorityId),
        eq(authorityKeys.state, 'active'),
        lt(authorityKeys.longestLifetimeSeconds, seconds),
      ),
    );
}
