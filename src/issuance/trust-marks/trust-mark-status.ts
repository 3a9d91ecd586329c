/** Signed answers about the status of Trust Marks; about a mark seen before without a look at the database. @see OIDFED §8.4 */
import { hash } from 'node:crypto';
import { FederationError } from '../../federation/errors.ts';
import type { Jwk } from '../../federation/jwk-set.ts';
import type { HouseRules } from '../../federation/lint/house-rules.ts';
import { lintTrustMarkStatus, type TrustMarkStatus } from '../../federation/lint/lint-trust-mark-status.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import { decodeJwt } from '../../federation/signature.ts';
import type { Clock, NumericDate } from '../../federation/time.ts';
import { parseTrustMark, verifyTrustMarkSignature } from '../../federation/trust-mark/trust-mark.ts';
import type { ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { isStorable } from '../../registry/storable.ts';
import type { AffectedTrustMark } from '../../registry/trust-marks/affected-trust-marks.ts';
import {
  type IssuedMark,
  type MarkStanding,
  readIssuedMark,
  readMarkStanding,
  wasEverGranted,
} from '../../registry/trust-marks/read-issued-mark.ts';
import { isIssued } from '../../registry/trust-marks/trust-mark-type.ts';
import type { Signer } from '../../signer/signer.ts';
import type { Db } from '../../storage/connect.ts';
import { FollowingCache } from '../following-cache.ts';
import { lintOwn } from '../lint-own.ts';
import { type SignedAnswer, signedAnswer } from '../ready-answers.ts';
import { signingKeyOf } from '../statement-issuer.ts';
import { dateOf, digestOf } from './trust-mark-issuer.ts';

export interface TrustMarkStatusesOptions {
  db: Db;
  signer: Signer;
  clock: Clock;
  houseRules: HouseRules;
}

/** Memory for marks that were asked about, in bytes, and for how their grants fare. */
const ISSUED_BYTES = 64 * 1024 * 1024;
const STANDING_BYTES = 32 * 1024 * 1024;
/** What may be told of a mark, and for how long. */
export interface TellableStatus {
  status: TrustMarkStatus;
  /** Unless the records change: when `active` ends by itself, seconds since the epoch; undefined if it does not. */
  activeUntil?: NumericDate;
}

/** What an entry takes beyond its key. */
const ISSUED_ENTRY_BYTES = 400;
const STANDING_ENTRY_BYTES = 200;

export class TrustMarkStatuses {
  readonly #options: TrustMarkStatusesOptions;
  /** By authority and digest. What is in it never changes. */
  readonly #issued = new FollowingCache<IssuedMark>({ maxBytes: ISSUED_BYTES, sizeOf: () => ISSUED_ENTRY_BYTES });
  /** By type and grant. */
  readonly #standings = new FollowingCache<MarkStanding>({
    maxBytes: STANDING_BYTES,
    sizeOf: () => STANDING_ENTRY_BYTES,
    isRepeated: true,
  });

  constructor(options: TrustMarkStatusesOptions) {
    this.#options = options;
  }

  /**
   * Says how a mark of the authority fares.
   * @param onUnknown called before the database is asked about a mark that memory does not know; what it throws refuses
   * @throws FederationError parameter_invalid for what is no JWT, trust_mark_unknown for what the authority never issued
   * @throws TooManyLoads
   */
  async answer(served: ServedAuthority, jwt: string, onUnknown: () => void): Promise<SignedAnswer> {
    const { status } = await this.status(served, jwt, onUnknown);
    return await this.#sign(served, jwt, status);
  }

  /**
   * What `answer` says, for those who need no signature of ours.
   * @throws FederationError parameter_invalid, trust_mark_unknown
   * @throws TooManyLoads
   */
  async status(served: ServedAuthority, jwt: string, onUnknown: () => void = () => {}): Promise<TellableStatus> {
    const known = await this.#issuedMark(served, jwt, onUnknown);
    return known === undefined ? { status: await this.#ofUnknown(served, jwt) } : await this.#ofIssued(served, known);
  }

  /** Found by the digest of all its bytes: then nothing of it needs to be read or verified. */
  #issuedMark(
    { authority }: ServedAuthority,
    jwt: string,
    onUnknown: () => void,
  ): IssuedMark | undefined | Promise<IssuedMark | undefined> {
    const digest = hash('sha256', jwt, 'base64url');
    const issued = this.#issued.get(authority.id, digest);
    if (issued !== undefined) return issued;
    onUnknown();
    if (this.#issued.isAbsent(authority.id, digest)) return undefined;
    return this.#issued.load(authority.id, digest, () => readIssuedMark(this.#options.db, authority.id, digestOf(jwt)));
  }

  async #ofIssued(served: ServedAuthority, issued: IssuedMark): Promise<TellableStatus> {
    const { typeId, trustMarkId } = issued;
    const standing =
      this.#standings.get(typeId, trustMarkId) ??
      (await this.#standings.load(typeId, trustMarkId, () => readMarkStanding(this.#options.db, trustMarkId)));
    return statusOf(served, issued, standing, this.#options.clock.now());
  }

  /**
   * A mark that says it is ours but is not on record is garbled, forged or from long ago. That it verifies is not
   * enough to be `active`: what a stolen key signs was never issued.
   */
  async #ofUnknown(served: ServedAuthority, jwt: string): Promise<TrustMarkStatus> {
    const { iss, trust_mark_type: type, sub } = claimsOf(jwt);
    const { authority } = served;
    const isOurs =
      iss === authority.entityIdentifier &&
      typeof type === 'string' &&
      typeof sub === 'string' &&
      isStorable([type, sub]) &&
      (await wasEverGranted(this.#options.db, authority.id, type, sub));
    if (!isOurs) {
      throw new FederationError('trust_mark_unknown', 'this authority did not issue such a Trust Mark', 'trust_mark');
    }
    return (await isOverAndOurs(served, jwt, this.#options)) ? 'expired' : 'invalid';
  }

  async #sign(served: ServedAuthority, jwt: string, status: TrustMarkStatus): Promise<SignedAnswer> {
    const { signer, clock, houseRules } = this.#options;
    const now = clock.now();
    const claims = { iss: served.authority.entityIdentifier, iat: now, trust_mark: jwt, status };
    const linted = lintOwn('the status of a Trust Mark', () => lintTrustMarkStatus(claims, houseRules));
    const signed = await signer.sign(signingKeyOf(served), linted);
    return signedAnswer({ jwt: signed, expiresAt: now, refreshAt: now }, MEDIA_TYPE.trustMarkStatusResponse);
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(types: ReadonlySet<string>, affected: readonly AffectedTrustMark[]): void {
    for (const { typeId, trustMarkId } of affected) this.#standings.delete(typeId, trustMarkId);
    for (const typeId of types) this.#standings.deleteScope(typeId);
  }
}

/** How a mark of the authority fares, from the records alone. */
export function statusOf(
  served: ServedAuthority,
  issued: IssuedMark,
  standing: MarkStanding | undefined,
  now: NumericDate,
): TellableStatus {
  if (standing === undefined || !standing.stands || isRevoked(served, issued)) return { status: 'revoked' };
  if (isPast(issued.expiresAt, now) || isPast(standing.endsAt, now)) return { status: 'expired' };
  const type = served.trustMarkTypes.find(({ id }) => id === issued.typeId);
  if (type === undefined || !isIssued(type, dateOf(now))) return { status: 'revoked' };
  const ends = [issued.expiresAt, standing.endsAt, type.delegationExpiresAt].filter((end) => end !== null);
  if (ends.length === 0) return { status: 'active' };
  return { status: 'active', activeUntil: Math.min(...ends.map((end) => end.getTime() / 1000)) };
}

/** A key that may have been in others' hands vouches for nothing that it signed. */
function isRevoked({ keys }: ServedAuthority, { kid }: IssuedMark): boolean {
  return keys.some((key) => key.kid === kid && key.state === 'revoked');
}

function isPast(end: Date | null, now: NumericDate): boolean {
  return end !== null && end.getTime() <= now * 1000;
}

/** @throws FederationError parameter_invalid */
function claimsOf(jwt: string): Record<string, unknown> {
  try {
    return decodeJwt(jwt).claims;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw new FederationError('parameter_invalid', `the trust_mark is no JWT: ${error.message}`, 'trust_mark');
  }
}

/** Whether a mark was signed with a key of ours, and has expired: such marks are forgotten after a while. */
async function isOverAndOurs(
  { keys }: ServedAuthority,
  jwt: string,
  { clock, houseRules }: Pick<TrustMarkStatusesOptions, 'clock' | 'houseRules'>,
): Promise<boolean> {
  try {
    const mark = parseTrustMark(jwt, houseRules);
    if (mark.claims.exp === undefined || mark.claims.exp > clock.now()) return false;
    const vouching = keys.filter(({ state }) => state !== 'revoked');
    await verifyTrustMarkSignature(mark, { keys: vouching.map(({ publicJwk }) => publicJwk as Jwk) });
    return true;
  } catch (error) {
    if (error instanceof FederationError) return false;
    throw error;
  }
}
