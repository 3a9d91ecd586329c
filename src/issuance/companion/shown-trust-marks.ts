/** Trust Marks that collected entities show: those issued here only while they count. @see COLLECTION §2; OIDFED §8.4 */
import { FederationError } from '../../federation/errors.ts';
import type { JsonObject } from '../../federation/json.ts';
import { decodeJwt } from '../../federation/signature.ts';
import type { NumericDate } from '../../federation/time.ts';
import type { ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import type { CollectedEntity } from '../../registry/collection/collection-query.ts';
import { readFaringMarks } from '../../registry/trust-marks/read-issued-mark.ts';
import type { Db } from '../../storage/connect.ts';
import { digestOf } from '../trust-marks/trust-mark-issuer.ts';
import { statusOf } from '../trust-marks/trust-mark-status.ts';

/** Most marks of an entity that are looked at, and shown. */
const MAX_SHOWN_MARKS = 50;

/**
 * The entities without marks that an authority of ours issued and would not call active, that are another's, or that
 * claim to be ours and are not on record. What others issued stays as its bearers show it.
 * @param authorities all of this deployment
 * @returns with when the first of our marks among them ends by itself, seconds since the epoch; Infinity if none does
 */
export async function withCountedMarks(
  db: Db,
  authorities: readonly ServedAuthority[],
  collected: readonly CollectedEntity[],
  now: NumericDate,
): Promise<{ collected: CollectedEntity[]; endsAt: NumericDate }> {
  const jwts = new Set(collected.flatMap((entity) => firstMarks(entity).map(jwtOf)));
  const active = await activeMarks(db, authorities, jwts, now);
  const identifiers = new Set<unknown>(authorities.map(({ authority }) => authority.entityIdentifier));
  const counts = (mark: JsonObject, bearer: string): boolean => {
    const ours = active.get(keyOf(digestOf(jwtOf(mark))));
    if (ours === undefined) return !identifiers.has(issuerOf(jwtOf(mark)));
    return ours.subject === bearer && ours.trustMarkType === mark['trust_mark_type'];
  };
  return {
    collected: collected.map((entity) => {
      const marks = firstMarks(entity).filter((mark) => counts(mark, entity.entityIdentifier));
      return { ...entity, trustMarks: marks.length === 0 ? null : marks };
    }),
    endsAt: Math.min(...[...active.values()].map(({ activeUntil }) => activeUntil ?? Number.POSITIVE_INFINITY)),
  };
}

interface ActiveMark {
  subject: string;
  trustMarkType: string;
  activeUntil: NumericDate | undefined;
}

/** Those of our marks that the status endpoint would call active, by digest. */
async function activeMarks(
  db: Db,
  authorities: readonly ServedAuthority[],
  jwts: ReadonlySet<string>,
  now: NumericDate,
): Promise<ReadonlyMap<string, ActiveMark>> {
  const active = new Map<string, ActiveMark>();
  for (const mark of await readFaringMarks(db, [...jwts].map(digestOf))) {
    const served = authorities.find(({ authority }) => authority.id === mark.authorityId);
    const type = served?.trustMarkTypes.find(({ id }) => id === mark.typeId);
    if (served === undefined || type === undefined) continue;
    const { status, activeUntil } = statusOf(served, mark, mark, now);
    if (status !== 'active') continue;
    active.set(keyOf(mark.digest), { subject: mark.subject, trustMarkType: type.trustMarkType, activeUntil });
  }
  return active;
}

function firstMarks({ trustMarks }: CollectedEntity): readonly JsonObject[] {
  return (trustMarks ?? []).slice(0, MAX_SHOWN_MARKS);
}

function jwtOf(mark: JsonObject): string {
  return String(mark['trust_mark']);
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest).toString('base64url');
}

function issuerOf(jwt: string): unknown {
  try {
    return decodeJwt(jwt).claims['iss'];
  } catch (error) {
    if (error instanceof FederationError) return undefined;
    throw error;
  }
}
