/** Moves the keys of our authorities along: announces, looks at superiors, activates, archives. @see OIDFED §8.7, §11.2 */
import { asc, inArray } from 'drizzle-orm';
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { isSamePublicKey, type Jwk } from '../federation/jwk-set.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { Authority, AuthorityKey, GenerateAuthorityKey } from '../registry/authorities/authority.ts';
import { activateAuthorityKey } from '../registry/authorities/keys/activate-authority-key.ts';
import { announceAuthorityKey } from '../registry/authorities/keys/announce-authority-key.ts';
import { archiveAuthorityKey } from '../registry/authorities/keys/archive-authority-key.ts';
import { keyIn } from '../registry/authorities/keys/authority-key.ts';
import { after, announceSecondsOf } from '../registry/authorities/keys/key-times.ts';
import type { SignedByKey } from '../registry/authorities/keys/signed-by-key.ts';
import {
  type Look,
  readSighting,
  readSightings,
  recordLook,
  type SuperiorSighting,
  type Wait,
  waitsOf,
} from '../registry/authorities/keys/superior-sightings.ts';
import type { ChangeContext } from '../registry/change.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Db } from '../storage/connect.ts';
import { authorities } from '../storage/schema/authorities.ts';
import { authorityKeys } from '../storage/schema/authority-keys.ts';
import type { ReadSuperiorStatement } from './superior-statements.ts';

export interface KeyRollsOptions {
  db: Db;
  /** Acts for the service itself, at the present moment. */
  changeContext: () => ChangeContext;
  generateKey: GenerateAuthorityKey;
  signedByKey: SignedByKey;
  readSuperiorStatement: ReadSuperiorStatement;
  /** Hears, once an hour at most for each key, what keeps a key from signing whose time has come. */
  onWaiting: (event: { authority: string; kid: string; waits: Wait[] }) => void;
  /** One authority's trouble does not hold up the others. */
  onError: (error: unknown, authority: string) => void;
}

/** A superior that does not list the key yet, or did not answer, is asked again soon; one that does, now and then. */
const LOOK_AGAIN_SECONDS = 300;
const LOOK_AGAIN_LISTED_SECONDS = 3600;
const TELL_AGAIN_SECONDS = 3600;
/** Refusals that say: another node, or a person, was faster. */
const LOST_RACES: ReadonlySet<string> = new Set([
  'key_roll_pending',
  'key_not_ready',
  'illegal_transition',
  'not_found',
]);

interface Held {
  authority: Authority;
  keys: AuthorityKey[];
}

/** One for each node; all of its decisions are made anew in the transactions of the verbs, so nodes do not clash. */
export class KeyRolls {
  readonly #options: KeyRollsOptions;
  /** By key, seconds since the epoch. */
  readonly #toldAt = new Map<string, number>();

  constructor(options: KeyRollsOptions) {
    this.#options = options;
  }

  /** Does for every authority what is due. */
  async run(signal?: AbortSignal): Promise<void> {
    const held = await readHeld(this.#options.db);
    for (const { authority, keys } of held) {
      if (signal?.aborted === true) return;
      await this.#guarded(authority, () => this.#keepHouse(authority, keys));
    }
    // Superiors answer when they like: they are waited for together, after all that needs nobody.
    await Promise.all(held.map(({ authority }) => this.#guarded(authority, () => this.#advance(authority.id, signal))));
  }

  async #guarded(authority: Authority, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof RegistryError && LOST_RACES.has(error.code)) return;
      this.#options.onError(error, authority.entityIdentifier);
    }
  }

  /** Archives what is over; begins what is due; sees to it that some key signs. */
  async #keepHouse(authority: Authority, keys: readonly AuthorityKey[]): Promise<void> {
    const { signedByKey, changeContext } = this.#options;
    const { now } = changeContext();
    for (const { kid, state, removeAfter } of keys) {
      if (state !== 'retired' || removeAfter === null || removeAfter > now) continue;
      await archiveAuthorityKey(changeContext(), authority.id, kid, signedByKey);
    }
    const [announced, active] = [keyIn(keys, 'announced'), keyIn(keys, 'active')];
    if (active === undefined) {
      // An imported authority signs nothing until a person says so: elsewhere it may sign still.
      if (keys.some(({ activatedAt }) => activatedAt !== null))
        await this.#announce(authority, { reason: 'no key signs' });
      return;
    }
    const isPending = announced?.activateAfter != null;
    if (!isPending && isRollDue(authority, active, announced !== undefined, now)) {
      return await this.#announce(authority, { reason: 'scheduled roll' });
    }
    if (announced === undefined && authority.isStandbyKeyKept) {
      await this.#announce(authority, { isStandby: true, reason: 'a key is kept ready' });
    }
  }

  async #announce({ id }: Authority, announcement: { isStandby?: boolean; reason: string }): Promise<void> {
    const { changeContext, generateKey } = this.#options;
    await announceAuthorityKey(changeContext(), id, announcement, generateKey);
  }

  /** Looks at the superiors of an announced key, and lets it sign when its time has come and nothing stands against it. */
  async #advance(authorityId: string, signal: AbortSignal | undefined): Promise<void> {
    const { db, changeContext } = this.#options;
    const [held] = await readHeld(db, [authorityId]);
    const key = held && keyIn(held.keys, 'announced');
    if (held === undefined || key === undefined) return;
    const { authority } = held;
    await Promise.all(authority.authorityHints.map((superior) => this.#look(authority, key, superior, signal)));
    const { now } = changeContext();
    if (key.activateAfter === null || key.activateAfter > now) return;
    const waits = waitsOf(key, authority, await readSightings(db, [key.id]), now);
    if (waits.length > 0) return this.#tell(authority, key, waits, now);
    await activateAuthorityKey(changeContext(), authorityId, key.kid, { reason: 'announced long enough' });
  }

  async #look(
    authority: Authority,
    key: AuthorityKey,
    superior: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { db, changeContext } = this.#options;
    const place = { keyId: key.id, superior };
    if (!isLookDue(await readSighting(db, place), changeContext().now)) return;
    const look = await this.#lookAt(authority, key, superior, signal);
    if (look !== undefined) await recordLook(db, place, look, changeContext().now);
  }

  /** Undefined when the look was broken off. An outage of our own is no verdict about a superior: it is thrown. */
  async #lookAt(
    { entityIdentifier }: Authority,
    key: AuthorityKey,
    superior: string,
    signal: AbortSignal | undefined,
  ): Promise<Look | undefined> {
    const [above, below] = [superior as EntityIdentifier, entityIdentifier as EntityIdentifier];
    try {
      const statement = await this.#options.readSuperiorStatement(above, below, signal);
      return { isListed: lists(statement, key), statementSeconds: statement.claims.exp - statement.claims.iat };
    } catch (error) {
      if (signal?.aborted === true) return undefined;
      if (error instanceof FederationError) return { failure: error.message };
      throw error;
    }
  }

  #tell({ entityIdentifier }: Authority, { kid }: AuthorityKey, waits: Wait[], now: Date): void {
    const seconds = now.getTime() / 1000;
    // Either way, so that a clock that goes back silences nobody.
    if (Math.abs(seconds - (this.#toldAt.get(kid) ?? Number.NEGATIVE_INFINITY)) < TELL_AGAIN_SECONDS) return;
    this.#toldAt.set(kid, seconds);
    this.#options.onWaiting({ authority: entityIdentifier, kid, waits });
  }
}

async function readHeld(db: Db, authorityIds?: string[]): Promise<Held[]> {
  const mine = authorityIds && inArray(authorities.id, authorityIds);
  const theirs = authorityIds && inArray(authorityKeys.authorityId, authorityIds);
  const rows = await db.select().from(authorities).where(mine).orderBy(asc(authorities.id));
  const keys = await db.select().from(authorityKeys).where(theirs).orderBy(asc(authorityKeys.id));
  return rows.map((authority) => ({ authority, keys: keys.filter((key) => key.authorityId === authority.id) }));
}

/**
 * A new key is announced so early that it can take its turn when the interval is over; one that is kept ready has been
 * announced, and gets its turn then, or when it was announced for long enough.
 */
function isRollDue(authority: Authority, active: AuthorityKey, isKeyReady: boolean, now: Date): boolean {
  const { keyRollIntervalSeconds } = authority;
  if (keyRollIntervalSeconds === null) return false;
  const since = active.activatedAt ?? active.createdAt;
  const leadSeconds = isKeyReady ? 0 : announceSecondsOf(authority);
  return after(since, keyRollIntervalSeconds - leadSeconds) <= now;
}

function isLookDue(sighting: SuperiorSighting | undefined, now: Date): boolean {
  if (sighting === undefined) return true;
  const isFine = sighting.listedAt !== null && sighting.failure === null;
  const pauseSeconds = isFine ? LOOK_AGAIN_LISTED_SECONDS : LOOK_AGAIN_SECONDS;
  // A clock that went back does not stop the looking.
  return after(sighting.attemptedAt, pauseSeconds) <= now || sighting.attemptedAt > after(now, pauseSeconds);
}

function lists({ claims }: EntityStatement, key: AuthorityKey): boolean {
  const own = key.publicJwk as Jwk;
  return claims.jwks.keys.some((jwk) => jwk.kid === key.kid && isSamePublicKey(jwk, own));
}
