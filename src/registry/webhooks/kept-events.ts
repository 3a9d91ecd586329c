/** From where on a webhook can tell: events are kept for a time. */
import { eq } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { eventStream } from '../../storage/schema/events.ts';
import { registryCounter } from '../../storage/schema/registry-counter.ts';
import { requireKeptSince } from '../events/read-events.ts';
import { invalidField } from '../registry-error.ts';

/** All changes up to it are there to be read. */
export async function seqNow(db: Db | Tx): Promise<number> {
  const [counter] = await db
    .select({ seq: registryCounter.seq })
    .from(registryCounter)
    .where(eq(registryCounter.id, 1));
  if (counter === undefined) throw new Error('the registry counter is missing; restore the database');
  return counter.seq;
}

/**
 * That all events after a seq are there, and stay until the transaction ends: whoever deletes old ones then sees what it
 * wrote.
 * @throws RegistryError resync_required, validation_failed when there was no such change yet
 */
export async function requireStart(tx: Tx, afterSeq: number, field: string): Promise<void> {
  if (afterSeq > (await seqNow(tx))) throw invalidField(field, 'lies ahead: there is no such change yet');
  await tx.select({ id: eventStream.id }).from(eventStream).where(eq(eventStream.id, 1)).for('share');
  await requireKeptSince(tx, afterSeq);
}
