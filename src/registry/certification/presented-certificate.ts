/** Whose certificate it is that a client of TLS showed to have the key of. */
import { and, eq } from 'drizzle-orm';
import type { Db } from '../../storage/connect.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { RegistryError } from '../registry-error.ts';

/**
 * The id of its record; whether it counts is not looked at.
 * @throws RegistryError code_invalid unless it was issued here
 */
export async function findPresented(db: Db, x5tS256: string): Promise<string> {
  const [found] = await db
    .select({ id: credentials.id })
    .from(credentials)
    .where(and(eq(credentials.x5tS256, x5tS256), eq(credentials.source, 'issued')));
  if (found !== undefined) return found.id;
  throw new RegistryError('code_invalid', 'the certificate of this connection was not issued here; enrol with a code');
}
