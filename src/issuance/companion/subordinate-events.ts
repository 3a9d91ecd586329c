/** Signed histories of subordinates, from the audit; kept until something happens to them. @see EVENTS §2.3 */
import type { JsonObject } from '../../federation/json.ts';
import type { HouseRules } from '../../federation/lint/house-rules.ts';
import { lintSubordinateEvents } from '../../federation/lint/lint-subordinate-events.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { Clock } from '../../federation/time.ts';
import type { AffectedSubject } from '../../registry/affected-subjects.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { type RegistrationEvent, readRegistrationEvents } from '../../registry/entities/read-registration-events.ts';
import { CustodyUnavailable } from '../../signer/custody/key-custody.ts';
import type { Signer } from '../../signer/signer.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { FollowingCache } from '../following-cache.ts';
import { OUTAGE_REFRESH_SECONDS } from '../issued-statement.ts';
import { lintOwn } from '../lint-own.ts';
import { type ReadyAnswer, resignedAuthorities, type SignedAnswer, signedAnswer, sizeOf } from '../ready-answers.ts';
import { signingKeyOf } from '../statement-issuer.ts';

export interface SubordinateEventsOptions {
  db: Db;
  signer: Signer;
  clock: Clock;
  /** Follows the registry before the histories do. */
  directory: Pick<AuthorityDirectory, 'get'>;
  houseRules: HouseRules;
}

const CACHE_BYTES = 32 * 1024 * 1024;
const MAX_LOADS = 32;

export class SubordinateEvents {
  readonly #options: SubordinateEventsOptions;
  /** By authority and subject. */
  readonly #histories = new FollowingCache<ReadyAnswer>({
    maxBytes: CACHE_BYTES,
    sizeOf,
    maxLoads: MAX_LOADS,
    isRepeated: true,
  });

  constructor(options: SubordinateEventsOptions) {
    this.#options = options;
  }

  /** Undefined for a subject that was never registered here, whether or not it ever asked to be. @throws TooManyLoads */
  history(served: ServedAuthority, subject: string): ReadyAnswer | Promise<ReadyAnswer | undefined> | undefined {
    const { id } = served.authority;
    const ready = this.#histories.get(id, subject);
    if (ready !== undefined && ready.refreshAt > this.#options.clock.now()) return ready;
    if (ready === undefined && this.#histories.isAbsent(id, subject)) return undefined;
    return this.#histories.load(id, subject, async () => {
      const events = await readRegistrationEvents(this.#options.db, id, subject);
      if (events.length === 0) return undefined;
      try {
        return await this.#sign(this.#options.directory.get(id) ?? served, subject, events);
      } catch (error) {
        const lasting = this.#lastingThrough(error, id, subject);
        if (lasting === undefined) throw error;
        return lasting;
      }
    });
  }

  /** While nobody can sign, a history to which nothing was added is good until it expires. */
  #lastingThrough(error: unknown, authorityId: string, subject: string): ReadyAnswer | undefined {
    const now = this.#options.clock.now();
    const ready = this.#histories.get(authorityId, subject);
    if (!(error instanceof CustodyUnavailable) || ready === undefined || ready.expiresAt <= now) return undefined;
    return { ...ready, refreshAt: Math.min(ready.expiresAt, now + OUTAGE_REFRESH_SECONDS) };
  }

  async #sign(served: ServedAuthority, subject: string, events: readonly RegistrationEvent[]): Promise<SignedAnswer> {
    const { signer, clock, houseRules } = this.#options;
    const { entityIdentifier, statementLifetimeSeconds } = served.authority;
    const now = clock.now();
    const expiresAt = now + statementLifetimeSeconds;
    const claims: JsonObject = {
      iss: entityIdentifier,
      sub: subject,
      iat: now,
      exp: expiresAt,
      federation_registration_events: events.map(eventObject),
    };
    const linted = lintOwn(`the history of ${subject}`, () => lintSubordinateEvents(claims, houseRules));
    const jwt = await signer.sign(signingKeyOf(served), linted);
    const refreshAt = now + Math.floor(statementLifetimeSeconds / 2);
    return signedAnswer({ jwt, expiresAt, refreshAt }, MEDIA_TYPE.entityEvents);
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(changes: readonly RegistryChange[], affected: readonly AffectedSubject[]): void {
    for (const { authorityId, entityIdentifier } of affected) this.#histories.delete(authorityId, entityIdentifier);
    for (const authorityId of resignedAuthorities(changes)) this.#histories.deleteScope(authorityId);
  }
}

function eventObject({ event, at, reason }: RegistrationEvent): JsonObject {
  return { iat: at, event, ...(reason !== null && { event_description: reason }) };
}
