/** The authorities of this deployment in memory, as of the registry's seq: few, asked for by every request. */
import { asc } from 'drizzle-orm';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorityKeys } from '../../storage/schema/authority-keys.ts';
import { trustAnchors } from '../../storage/schema/trust-anchors.ts';
import type { PinnedTrustAnchor } from '../trust-anchors/trust-anchor.ts';
import type { Authority, AuthorityKey } from './authority.ts';

export interface ServedAuthority {
  authority: Authority;
  /** In the order of their creation. */
  keys: AuthorityKey[];
  /** Trust Anchors of others that this authority resolves towards. */
  trustAnchors: PinnedTrustAnchor[];
}

const CONCERNED: ReadonlySet<string> = new Set(['authority', 'authority_key', 'trust_anchor']);

export class AuthorityDirectory {
  readonly #db: Db;
  #reading: Promise<void> = Promise.resolve();
  #all: readonly ServedAuthority[] = [];
  #byId: ReadonlyMap<string, ServedAuthority> = new Map();
  #byIdentifier: ReadonlyMap<string, ServedAuthority> = new Map();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Reads everything anew; answers change all at once. One reading follows another, so that the last is the latest. */
  reload(): Promise<void> {
    const reading = this.#reading.then(() => this.#read());
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  async #read(): Promise<void> {
    const [rows, keys, anchors] = await this.#db.transaction(
      async (tx) => [
        await tx.select().from(authorities).orderBy(asc(authorities.id)),
        await tx.select().from(authorityKeys).orderBy(asc(authorityKeys.id)),
        await tx.select().from(trustAnchors).orderBy(asc(trustAnchors.id)),
      ],
      { isolationLevel: 'repeatable read' },
    );
    const served = rows.map((authority) => ({
      authority,
      keys: keys.filter((key) => key.authorityId === authority.id),
      trustAnchors: anchors.filter((anchor) => anchor.authorityId === authority.id),
    }));
    this.#all = served;
    this.#byId = new Map(served.map((entry) => [entry.authority.id, entry]));
    this.#byIdentifier = new Map(served.map((entry) => [entry.authority.entityIdentifier, entry]));
  }

  /** @returns whether any of the changes concerned what is held here */
  async follow(changes: readonly RegistryChange[]): Promise<boolean> {
    if (!changes.some((change) => CONCERNED.has(change.subjectKind))) return false;
    await this.reload();
    return true;
  }

  get(authorityId: string): ServedAuthority | undefined {
    return this.#byId.get(authorityId);
  }

  find(entityIdentifier: string): ServedAuthority | undefined {
    return this.#byIdentifier.get(entityIdentifier);
  }

  /** The same array until something changes. */
  get all(): readonly ServedAuthority[] {
    return this.#all;
  }
}
