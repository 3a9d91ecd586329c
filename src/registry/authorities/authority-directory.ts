/** The authorities of this deployment in memory, as of the registry's seq: few, asked for by every request. */
import { asc } from 'drizzle-orm';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { authorityKeys } from '../../storage/schema/authority-keys.ts';
import { heldTrustMarks } from '../../storage/schema/held-trust-marks.ts';
import { trustAnchors } from '../../storage/schema/trust-anchors.ts';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import type { PinnedTrustAnchor } from '../trust-anchors/trust-anchor.ts';
import type { HeldTrustMark } from '../trust-marks/held-trust-mark.ts';
import type { TrustMarkType } from '../trust-marks/trust-mark-type.ts';
import type { Authority, AuthorityKey } from './authority.ts';

export interface ServedAuthority {
  authority: Authority;
  /** In the order of their creation. */
  keys: AuthorityKey[];
  /** Trust Anchors of others that this authority resolves towards. */
  trustAnchors: PinnedTrustAnchor[];
  /** Trust Mark types that it defined, retired ones included. */
  trustMarkTypes: TrustMarkType[];
  /** Trust Marks about itself, dropped ones included. */
  heldTrustMarks: HeldTrustMark[];
}

const CONCERNED: ReadonlySet<string> = new Set([
  'authority',
  'authority_key',
  'trust_anchor',
  'trust_mark_type',
  'held_trust_mark',
]);

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
    const [rows, keys, anchors, types, held] = await this.#db.transaction(
      async (tx) => [
        await tx.select().from(authorities).orderBy(asc(authorities.id)),
        await tx.select().from(authorityKeys).orderBy(asc(authorityKeys.createdAt), asc(authorityKeys.id)),
        await tx.select().from(trustAnchors).orderBy(asc(trustAnchors.id)),
        await tx.select().from(trustMarkTypes).orderBy(asc(trustMarkTypes.id)),
        await tx.select().from(heldTrustMarks).orderBy(asc(heldTrustMarks.id)),
      ],
      { isolationLevel: 'repeatable read' },
    );
    const served = rows.map((authority) => ({
      authority,
      keys: keys.filter((key) => key.authorityId === authority.id),
      trustAnchors: anchors.filter((anchor) => anchor.authorityId === authority.id),
      trustMarkTypes: types.filter((type) => type.authorityId === authority.id),
      heldTrustMarks: held.filter((mark) => mark.authorityId === authority.id),
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
