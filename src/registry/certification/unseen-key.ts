/** A key is certified once: not again, for nobody else, and never one of ours. @see NIST SP 800-57 Part 1 §5.2 */
import { and, eq, exists, ne, or, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../storage/connect.ts';
import { authorityKeys } from '../../storage/schema/authority-keys.ts';
import { certificateRequests } from '../../storage/schema/certificate-requests.ts';
import { certificationAuthorities, ocspSigners } from '../../storage/schema/certification-authorities.ts';
import { credentials } from '../../storage/schema/credentials.ts';
import { entityKeys } from '../../storage/schema/entities.ts';
import { hostedKeys } from '../../storage/schema/hosted-entities.ts';
import { RegistryError } from '../registry-error.ts';
import type { ParsedRequest } from './certificate-request-input.ts';

/** Tables of keys that are for something else, all by their JWK. */
const OTHER_KEYS = [authorityKeys, hostedKeys, entityKeys, certificationAuthorities, ocspSigners];

/**
 * Looks among the credentials of all entities, those that ended too; requests that wait; Federation Entity Keys of entities,
 * of those hosted here and of our authorities; and keys of certification authorities and their responders. Where it was seen
 * is not told: it may be somebody else's.
 * @param ownRequestId that of the request itself, where it waits
 * @throws RegistryError key_reuse
 */
export async function requireUnseenKey(
  db: Db | Tx,
  { jwk, spkiSha256 }: Pick<ParsedRequest, 'jwk' | 'spkiSha256'>,
  ownRequestId?: string,
): Promise<void> {
  const { kty, crv, x, y, n, e } = jwk;
  // Members that the key does not have are left out.
  const members = JSON.stringify({ kty, crv, x, y, n, e });
  const waiting = and(
    eq(certificateRequests.spkiSha256, spkiSha256),
    eq(certificateRequests.state, 'pending'),
    ownRequestId === undefined ? undefined : ne(certificateRequests.id, ownRequestId),
  );
  const ofCredential = eq(credentials.spkiSha256, spkiSha256);
  const one = sql<number>`1`;
  const places = [
    db.select({ one }).from(credentials).where(ofCredential),
    db.select({ one }).from(certificateRequests).where(waiting),
    ...OTHER_KEYS.map((table) => db.select({ one }).from(table).where(sql`${table.publicJwk} @> ${members}::jsonb`)),
  ];
  const anywhere = or(...places.map((place) => exists(place)));
  const { rows } = await db.execute<{ seen: boolean }>(sql`select ${anywhere} as seen`);
  if (rows[0]?.seen === false) return;
  throw new RegistryError('key_reuse', 'this key was seen here before; make a new one for each certificate');
}
