/** Whether an organisation may stand below another: one of the same authority, and never, over any steps, below itself. */
import { eq, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { invalidField } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';

const FIELD = '/parentId';

/** @throws RegistryError validation_failed */
export async function requireParent(tx: Tx, authorityId: string, parentId: string): Promise<void> {
  const [parent] = await tx
    .select({ authorityId: organisations.authorityId, state: organisations.state })
    .from(organisations)
    .where(eq(organisations.id, parentId));
  if (parent?.authorityId !== authorityId) throw invalidField(FIELD, 'is no organisation of this authority');
  if (!LIVE_STATES.includes(parent.state)) throw invalidField(FIELD, `is ${parent.state}`);
}

/**
 * The same for an organisation that is there already. Holds the authority until the transaction ends: two moves at once
 * could make a circle that neither of them sees.
 * @throws RegistryError validation_failed
 */
export async function requireParentAbove(
  tx: Tx,
  { id, authorityId }: { id: string; authorityId: string },
  parentId: string,
): Promise<void> {
  await tx.select({ id: authorities.id }).from(authorities).where(eq(authorities.id, authorityId)).for('no key update');
  await requireParent(tx, authorityId, parentId);
  const { rows } = await tx.execute(sql`
    WITH RECURSIVE above AS (
      SELECT id, parent_id FROM organisations WHERE id = ${parentId}
      UNION
      SELECT next.id, next.parent_id FROM organisations AS next JOIN above ON next.id = above.parent_id
    )
    SELECT 1 FROM above WHERE id = ${id}`);
  if (rows.length > 0) throw invalidField(FIELD, 'is the organisation itself, or stands below it');
}
