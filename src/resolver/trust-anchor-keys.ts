/** The keys that each Trust Anchor is believed by: those pinned, and what it rolled over to since. @see OIDFED §11.2 */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import { compareTrustAnchorKeys } from '../federation/trust-chain/trust-anchor-rollover.ts';
import type { TrustAnchors } from '../federation/trust-chain/trust-chain.ts';

/** What somebody should know about the keys of a Trust Anchor. */
export interface TrustAnchorKeyEvent {
  trustAnchor: EntityIdentifier;
  /** `learned`: pin the new keys. `mismatch`: compare keys with the Trust Anchor out of band; nothing was learned. */
  kind: 'learned' | 'mismatch';
  /** The keys in its Entity Configuration. */
  jwks: JwkSet;
}

interface Believed {
  jwks: JwkSet;
  /** `iat` of the newest configuration that was believed: an older one, from wherever it comes, teaches nothing. */
  newestIat: NumericDate;
  /** Since when its configurations do not fit, and whether that was told. */
  mismatch: { since: NumericDate; isTold: boolean } | undefined;
}

/** A configuration is read again within this time when it is asked for. */
const REREADING_SECONDS = 60;

/** Remembers what was learned for as long as it lives; other pins make it begin anew. */
export class TrustAnchorKeys {
  readonly #onEvent: (event: TrustAnchorKeyEvent) => void;
  /** By Trust Anchor and pins: two who pinned different keys do not learn from each other. */
  readonly #believed = new Map<string, Believed>();

  constructor(onEvent: (event: TrustAnchorKeyEvent) => void = () => {}) {
    this.#onEvent = onEvent;
  }

  /** Pinned keys, and in their place those learned since. */
  believed(trustAnchors: TrustAnchors): TrustAnchors {
    return new Map([...trustAnchors].map(([anchor, pinned]) => [anchor, this.#entry(anchor, pinned).jwks]));
  }

  /**
   * Learns from a Trust Anchor's own configuration. A mismatch is told, once, when it is there after rereading too: the
   * first may have been read in the middle of a rollover.
   */
  async learn(configuration: EntityStatement, pinned: JwkSet, now: NumericDate): Promise<void> {
    const trustAnchor = configuration.claims.iss;
    const entry = this.#entry(trustAnchor, pinned);
    const { jwks, iat } = configuration.claims;
    if (iat < entry.newestIat) return;
    const news = await compareTrustAnchorKeys(entry.jwks, configuration);
    if (news.kind === 'mismatch') {
      entry.mismatch ??= { since: now, isTold: false };
      if (entry.mismatch.isTold || now - entry.mismatch.since < REREADING_SECONDS) return;
      entry.mismatch.isTold = true;
      this.#onEvent({ trustAnchor, kind: 'mismatch', jwks });
      return;
    }
    entry.mismatch = undefined;
    entry.newestIat = iat;
    if (news.kind === 'unchanged') return;
    entry.jwks = news.jwks;
    this.#onEvent({ trustAnchor, kind: 'learned', jwks });
  }

  #entry(trustAnchor: EntityIdentifier, pinned: JwkSet): Believed {
    const name = `${trustAnchor} ${JSON.stringify(pinned)}`;
    const known = this.#believed.get(name);
    if (known !== undefined) return known;
    const entry: Believed = { jwks: pinned, newestIat: 0, mismatch: undefined };
    this.#believed.set(name, entry);
    return entry;
  }
}
