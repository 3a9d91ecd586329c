/** Trust Marks of our authorities: signed once, stored for all nodes, reused until they change or age. @see OIDFED §7.1 */
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import type { JsonObject } from '../../federation/json.ts';
import type { HouseRules } from '../../federation/lint/house-rules.ts';
import { lintTrustMark } from '../../federation/lint/lint-trust-mark.ts';
import type { Clock, NumericDate } from '../../federation/time.ts';
import type { ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { readStandingMark } from '../../registry/trust-marks/read-standing-mark.ts';
import type { TrustMark } from '../../registry/trust-marks/trust-mark.ts';
import { buildTrustMark, endOfMark, type MarkedType } from '../../registry/trust-marks/trust-mark-claims.ts';
import { isIssued, type TrustMarkType } from '../../registry/trust-marks/trust-mark-type.ts';
import type { SigningKey } from '../../signer/custody/key-custody.ts';
import type { Signer } from '../../signer/signer.ts';
import type { Db } from '../../storage/connect.ts';
import { currentTrustMarks, issuedTrustMarks } from '../../storage/schema/trust-marks.ts';
import { claimsHashOf, type IssuedStatement, issuedFrom, refreshTime, reuseOrIssue } from '../issued-statement.ts';
import { lintOwn } from '../lint-own.ts';
import { signingKeyOf } from '../statement-issuer.ts';

export interface TrustMarkIssuerOptions {
  db: Db;
  signer: Signer;
  clock: Clock;
  /** Uniform in [0, 1): spreads re-signing, so that marks issued together are not renewed together. */
  random: () => number;
  houseRules: HouseRules;
}

export class TrustMarkIssuer {
  readonly #options: TrustMarkIssuerOptions;

  constructor(options: TrustMarkIssuerOptions) {
    this.#options = options;
  }

  /** The mark of a subject; undefined unless its grant stands. `expiresAt` is Infinity for a mark without `exp`. */
  async mark(served: ServedAuthority, type: TrustMarkType, subject: string): Promise<IssuedStatement | undefined> {
    const { db, clock } = this.#options;
    const now = clock.now();
    if (!isIssued(type, dateOf(now))) return undefined;
    const found = await readStandingMark(db, type.id, subject);
    if (found === undefined || hasEnded(found.mark, now)) return undefined;
    const { mark, current } = found;
    const key = signingKeyOf(served);
    const claims = buildTrustMark(served.authority.entityIdentifier, type, mark);
    const claimsHash = hashOf({ claims, kid: key.kid, type, mark });
    return reuseOrIssue({
      ...{ stored: current, claimsHash, now },
      sign: () => signTrustMark({ claims, type, mark }, key, now, this.#options),
      save: (issued) => this.#save({ served, type, mark, claimsHash, kid: key.kid }, issued, now),
    });
  }

  /**
   * Stores a mark, and that it was issued, before anybody gets it; unless another node stored one that is as new: then
   * that one is served. An older view of the records never replaces a newer one. Some algorithms sign the same twice
   * alike: then it is recorded already.
   */
  async #save(
    { served, type, mark, claimsHash, kid }: MarkBasis,
    { jwt, expiresAt, refreshAt }: IssuedStatement,
    now: NumericDate,
  ): Promise<IssuedStatement | undefined> {
    const [issuedAt, expiry, refresh] = [now, expiresAt, refreshAt].map(timestampOf);
    const { rows } = await this.#options.db.execute(sql`
      with saved as (
        insert into ${currentTrustMarks} as stored
          (trust_mark_id, claims_hash, basis_version, jwt, issued_at, expires_at, refresh_at)
        values (${mark.id}, ${claimsHash}, ${type.version + mark.version}, ${jwt},
          ${issuedAt}::timestamptz, ${expiry}::timestamptz, ${refresh}::timestamptz)
        on conflict (trust_mark_id) do update set
          claims_hash = excluded.claims_hash, basis_version = excluded.basis_version, jwt = excluded.jwt,
          issued_at = excluded.issued_at, expires_at = excluded.expires_at, refresh_at = excluded.refresh_at
        where stored.basis_version < excluded.basis_version
          or (stored.basis_version = excluded.basis_version
            and (stored.claims_hash <> excluded.claims_hash or stored.refresh_at <= excluded.issued_at))
        returning trust_mark_id),
      recorded as (
        insert into ${issuedTrustMarks} (digest, trust_mark_id, authority_id, kid, issued_at, expires_at)
        select ${digestOf(jwt)}, trust_mark_id, ${served.authority.id}::uuid, ${kid},
          ${issuedAt}::timestamptz, ${expiry}::timestamptz
        from saved
        on conflict (digest) do nothing)
      select trust_mark_id from saved`);
    if (rows.length > 0) return undefined;
    const winner = (await readStandingMark(this.#options.db, type.id, mark.subject))?.current;
    if (winner?.claimsHash === claimsHash) return issuedFrom(winner);
    // Somebody knows newer records than we do. Ours is served to whoever asked, so it has to be known as well.
    const ours = {
      ...{ digest: digestOf(jwt), trustMarkId: mark.id, authorityId: served.authority.id, kid },
      ...{ issuedAt: dateOf(now), expiresAt: Number.isFinite(expiresAt) ? dateOf(expiresAt) : null },
    };
    await this.#options.db.insert(issuedTrustMarks).values(ours).onConflictDoNothing();
    return undefined;
  }
}

interface MarkBasis {
  served: ServedAuthority;
  type: TrustMarkType;
  mark: TrustMark;
  claimsHash: string;
  kid: string;
}

/** Claims with times → lint → sign: all that a mark costs once its records are read. */
export async function signTrustMark(
  { claims, type, mark }: { claims: JsonObject; type: MarkedType; mark: Pick<TrustMark, 'expiresAt'> },
  key: SigningKey,
  now: NumericDate,
  { signer, random, houseRules }: Pick<TrustMarkIssuerOptions, 'signer' | 'random' | 'houseRules'>,
): Promise<IssuedStatement> {
  const end = endOfMark(type, mark, dateOf(now));
  const linted = lintOwn(`a Trust Mark for ${claims['sub']}`, () =>
    lintTrustMark({ ...claims, iat: now, ...end }, houseRules),
  );
  const jwt = await signer.sign(key, linted);
  if (end === undefined) return { jwt, expiresAt: Number.POSITIVE_INFINITY, refreshAt: Number.POSITIVE_INFINITY };
  return { jwt, expiresAt: end.exp, refreshAt: refreshTime(now, end.exp, random) };
}

/** SHA-256 of a compact JWT: what an issued mark is known by. */
export function digestOf(jwt: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(jwt).digest());
}

export function dateOf(seconds: NumericDate): Date {
  return new Date(seconds * 1000);
}

function hasEnded({ expiresAt }: TrustMark, now: NumericDate): boolean {
  return expiresAt !== null && expiresAt.getTime() <= now * 1000;
}

/** Equal for marks that say the same, are signed with the same key, and may live as long. */
function hashOf({ claims, kid, type, mark }: { claims: JsonObject; kid: string; type: MarkedType; mark: TrustMark }) {
  const ends = [mark.expiresAt, type.delegationExpiresAt].map((end) => end?.toISOString() ?? null);
  const basis = { ...claims, 'header/kid': kid, lifetime: [type.lifetimeSeconds, ...ends] };
  return claimsHashOf(basis);
}

function timestampOf(seconds: NumericDate): string | null {
  return Number.isFinite(seconds) ? dateOf(seconds).toISOString() : null;
}
