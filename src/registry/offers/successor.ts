/** What takes the place of something that is offered: another of the same authority, and never, over any steps, itself. */
import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { invalidField, RegistryError } from '../registry-error.ts';

const FIELD = '/supersededBy';
const NONE_OF_THIS_AUTHORITY = 'is none of this authority';

/**
 * What the actor may not read is none for him either.
 * @throws RegistryError validation_failed
 */
export async function requireReadable(read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof RegistryError && error.code === 'not_found')) throw error;
    throw invalidField(FIELD, NONE_OF_THIS_AUTHORITY);
  }
}

/**
 * Holds the authority until the transaction ends: two changes at once could make a circle that neither of them sees.
 * @throws RegistryError validation_failed
 */
export async function requireSuccessor(
  tx: Tx,
  table: 'authorization_servers' | 'api_resources',
  { id, authorityId }: { id: string; authorityId: string },
  supersededBy: string,
): Promise<void> {
  await tx.select({ id: authorities.id }).from(authorities).where(eq(authorities.id, authorityId)).for('no key update');
  const offers = sql.identifier(table);
  const { rows } = await tx.execute<{ id: string; isOpen: boolean }>(sql`
    WITH RECURSIVE later AS (
      SELECT id, superseded_by, removed_at FROM ${offers}
        WHERE id = ${supersededBy} AND authority_id = ${authorityId}
      UNION
      SELECT next.id, next.superseded_by, next.removed_at FROM ${offers} AS next JOIN later ON next.id = later.superseded_by
    )
    SELECT id, removed_at IS NULL AS "isOpen" FROM later`);
  const successor = rows.find((row) => row.id === supersededBy);
  if (successor === undefined) throw invalidField(FIELD, NONE_OF_THIS_AUTHORITY);
  if (!successor.isOpen) throw invalidField(FIELD, 'is removed');
  if (rows.some((row) => row.id === id)) throw invalidField(FIELD, 'is the record itself, or is superseded by it');
}
