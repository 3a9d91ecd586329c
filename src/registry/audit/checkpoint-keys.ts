/** Keys that checkpoints of the audit are verified with, where the database is believed about them. */
import { and, eq, inArray } from 'drizzle-orm';
import type { Jwk, JwkSet } from '../../federation/jwk-set.ts';
import type { Db } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorityKeys } from '../../storage/schema/authority-keys.ts';

/** Keys with which the authority of that identifier signs, or did until it was over; not those that were revoked. */
export async function readCheckpointKeys(db: Db, entityIdentifier: string): Promise<JwkSet> {
  const rows = await db
    .select({ publicJwk: authorityKeys.publicJwk })
    .from(authorityKeys)
    .innerJoin(authorities, eq(authorities.id, authorityKeys.authorityId))
    .where(
      and(
        eq(authorities.entityIdentifier, entityIdentifier),
        inArray(authorityKeys.state, ['active', 'retired', 'historical']),
      ),
    );
  return { keys: rows.map(({ publicJwk }) => publicJwk as Jwk) };
}
