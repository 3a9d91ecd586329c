/** Trust Marks and the lists of their holders, ready as bytes: functions of the registry at its seq. @see OIDFED §8.5, §8.6 */
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { Clock } from '../../federation/time.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { type AffectedTrustMark, changedTrustMarkTypes } from '../../registry/trust-marks/affected-trust-marks.ts';
import { listHolders } from '../../registry/trust-marks/list-holders.ts';
import { readStandingMark } from '../../registry/trust-marks/read-standing-mark.ts';
import { isIssued, type TrustMarkType } from '../../registry/trust-marks/trust-mark-type.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { FollowingCache } from '../following-cache.ts';
import { listAnswer, NOBODY, type ReadyAnswer, resignedAuthorities, signedAnswer, sizeOf } from '../ready-answers.ts';
import { dateOf, type TrustMarkIssuer } from './trust-mark-issuer.ts';
import type { TrustMarkStatuses } from './trust-mark-status.ts';

export interface TrustMarkAnswersOptions {
  db: Db;
  issuer: TrustMarkIssuer;
  statuses: TrustMarkStatuses;
  clock: Clock;
  directory: Pick<AuthorityDirectory, 'get'>;
  /** Memory for marks, in bytes. */
  markCacheBytes?: number;
}

const DEFAULT_MARK_CACHE_BYTES = 64 * 1024 * 1024;
/** Lists of 100,000 holders take some megabytes each. */
const LISTING_CACHE_BYTES = 128 * 1024 * 1024;
const MAX_LISTING_LOADS = 4;
const HOLDER_CACHE_BYTES = 16 * 1024 * 1024;
const HOLDER_ENTRY_BYTES = 200;

/** A subject whose grant stands. */
interface Holder {
  endsAt: Date | null;
}

export class TrustMarkAnswers {
  readonly #options: TrustMarkAnswersOptions;
  /** By type and subject. */
  readonly #marks: FollowingCache<ReadyAnswer>;
  readonly #holders = new FollowingCache<Holder>({ maxBytes: HOLDER_CACHE_BYTES, sizeOf: () => HOLDER_ENTRY_BYTES });
  /** By type. */
  readonly #listings = new FollowingCache<ReadyAnswer>({
    maxBytes: LISTING_CACHE_BYTES,
    sizeOf,
    maxLoads: MAX_LISTING_LOADS,
  });

  constructor(options: TrustMarkAnswersOptions) {
    this.#options = options;
    const maxBytes = options.markCacheBytes ?? DEFAULT_MARK_CACHE_BYTES;
    this.#marks = new FollowingCache({ maxBytes, sizeOf, isRepeated: true });
  }

  /** §8.4 */
  get statuses(): TrustMarkStatuses {
    return this.#options.statuses;
  }

  /** §8.6; undefined when the subject has no such mark. */
  mark(
    served: ServedAuthority,
    trustMarkType: string,
    subject: string,
  ): ReadyAnswer | Promise<ReadyAnswer | undefined> | undefined {
    const type = this.#issuedType(served, trustMarkType);
    if (type === undefined) return undefined;
    const ready = this.#marks.get(type.id, subject);
    if (ready !== undefined && ready.refreshAt > this.#options.clock.now()) return ready;
    if (ready === undefined && this.#marks.isAbsent(type.id, subject)) return undefined;
    return this.#marks.load(type.id, subject, async () => {
      // Loaded again because the authority changed: by what it is now, and signed with the key of now.
      const present = this.#options.directory.get(served.authority.id) ?? served;
      const presentType = this.#issuedType(present, trustMarkType);
      const issued = presentType && (await this.#options.issuer.mark(present, presentType, subject));
      return issued && signedAnswer(issued, MEDIA_TYPE.trustMark);
    });
  }

  /** §8.5: everybody who holds a valid mark of the type. @throws TooManyLoads */
  listing(served: ServedAuthority, trustMarkType: string): ReadyAnswer | Promise<ReadyAnswer> {
    const type = this.#issuedType(served, trustMarkType);
    if (type === undefined) return NOBODY;
    const ready = this.#listings.get(type.id, '');
    if (ready !== undefined && ready.refreshAt > this.#options.clock.now()) return ready;
    return this.#loadListing(type);
  }

  async #loadListing({ id, delegationExpiresAt }: TrustMarkType): Promise<ReadyAnswer> {
    const { db, clock } = this.#options;
    const listing = await this.#listings.load(id, '', async () => {
      const { json, changesAt } = await listHolders(db, id, dateOf(clock.now()));
      return listAnswer(json, earliest(changesAt, delegationExpiresAt));
    });
    return listing ?? NOBODY;
  }

  /** §8.5 with `sub`: the subject alone, if it holds a valid mark of the type. */
  async holder(served: ServedAuthority, trustMarkType: string, subject: string): Promise<ReadyAnswer> {
    const type = this.#issuedType(served, trustMarkType);
    if (type === undefined || this.#holders.isAbsent(type.id, subject)) return NOBODY;
    const holder =
      this.#holders.get(type.id, subject) ??
      (await this.#holders.load(type.id, subject, async () => {
        const found = await readStandingMark(this.#options.db, type.id, subject);
        return found && { endsAt: found.mark.expiresAt };
      }));
    const now = dateOf(this.#options.clock.now());
    if (holder === undefined || (holder.endsAt !== null && holder.endsAt <= now)) return NOBODY;
    return listAnswer(JSON.stringify([subject]), earliest(holder.endsAt, type.delegationExpiresAt));
  }

  #issuedType(served: ServedAuthority, trustMarkType: string): TrustMarkType | undefined {
    const type = served.trustMarkTypes.find((candidate) => candidate.trustMarkType === trustMarkType);
    return type !== undefined && isIssued(type, dateOf(this.#options.clock.now())) ? type : undefined;
  }

  /**
   * Drops what the changes made untrue, before their seq is served. The directory follows first: with another key all
   * marks of an authority are signed anew.
   */
  follow(changes: readonly RegistryChange[], affected: readonly AffectedTrustMark[]): void {
    const types = changedTrustMarkTypes(changes);
    for (const authorityId of resignedAuthorities(changes)) {
      const served = this.#options.directory.get(authorityId);
      for (const { id } of served?.trustMarkTypes ?? []) this.#marks.deleteScope(id);
    }
    for (const { typeId, subject } of affected) {
      this.#marks.delete(typeId, subject);
      this.#holders.delete(typeId, subject);
    }
    for (const typeId of new Set(affected.map((mark) => mark.typeId))) this.#listings.deleteScope(typeId);
    for (const typeId of types) {
      this.#marks.deleteScope(typeId);
      this.#holders.deleteScope(typeId);
      this.#listings.deleteScope(typeId);
    }
    this.#options.statuses.follow(types, affected);
  }
}

function earliest(...ends: (Date | null)[]): number {
  return Math.min(...ends.map((end) => (end === null ? Number.POSITIVE_INFINITY : end.getTime() / 1000)));
}
