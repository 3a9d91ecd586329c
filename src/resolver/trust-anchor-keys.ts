/** The keys that each Trust Anchor is believed by: those pinned, and what it rolled over to since. @see OIDFED §11.2 */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import { canonicalJson, type JsonObject } from '../federation/json.ts';
import type { JwkSet } from '../federation/jwk-set.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { NumericDate } from '../federation/time.ts';
import { compareTrustAnchorKeys } from '../federation/trust-chain/trust-anchor-rollover.ts';
import type { TrustAnchors } from '../federation/trust-chain/trust-chain.ts';

/** Keys that count in place of those pinned: to be kept where the next start finds them, as safe as the pins. */
export interface LearnedTrustAnchorKeys {
  trustAnchor: EntityIdentifier;
  /** The pins that they were learned from. They mean nothing to whoever pinned other keys. */
  pinned: JwkSet;
  /** The keys in its Entity Configuration. */
  jwks: JwkSet;
  /** `iat` of that configuration. */
  iat: NumericDate;
}

/** What somebody should know about the keys of a Trust Anchor. */
export interface TrustAnchorKeyEvent extends LearnedTrustAnchorKeys {
  /** `learned`: pin the new keys. `mismatch`: compare keys with the Trust Anchor out of band; nothing was learned. */
  kind: 'learned' | 'mismatch';
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

/**
 * Remembers what was learned for as long as it lives; other pins make it begin anew. For a memory beyond that, keep what
 * `onEvent` tells of and hand it to `adopt`.
 */
export class TrustAnchorKeys {
  readonly #onEvent: (event: TrustAnchorKeyEvent) => void;
  /** By Trust Anchor and pins: two who pinned different keys do not learn from each other. */
  readonly #believed = new Map<string, Believed>();

  constructor(onEvent: (event: TrustAnchorKeyEvent) => void = () => {}) {
    this.#onEvent = onEvent;
  }

  /** Takes over what was learned before, or elsewhere from the same pins, where it is newer than what is known here. */
  adopt(learned: Iterable<LearnedTrustAnchorKeys>): void {
    for (const { trustAnchor, pinned, jwks, iat } of learned) {
      const entry = this.#entry(trustAnchor, pinned);
      if (iat <= entry.newestIat) continue;
      Object.assign(entry, { jwks, newestIat: iat, mismatch: undefined } satisfies Believed);
    }
  }

  /** Forgets what was learned for any others: nobody pins them any more. */
  retain(pinned: Iterable<Pick<LearnedTrustAnchorKeys, 'trustAnchor' | 'pinned'>>): void {
    const names = new Set([...pinned].map((pin) => nameOf(pin.trustAnchor, pin.pinned)));
    for (const name of this.#believed.keys()) if (!names.has(name)) this.#believed.delete(name);
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
    const { jwks: believed } = entry;
    if (iat < entry.newestIat) return;
    const news = await compareTrustAnchorKeys(believed, configuration);
    // Something was learned meanwhile, here or elsewhere.
    if (entry.jwks !== believed || iat < entry.newestIat) return;
    if (news.kind === 'mismatch') {
      entry.mismatch ??= { since: now, isTold: false };
      if (entry.mismatch.isTold || now - entry.mismatch.since < REREADING_SECONDS) return;
      entry.mismatch.isTold = true;
      this.#onEvent({ trustAnchor, pinned, kind: 'mismatch', jwks, iat });
      return;
    }
    entry.mismatch = undefined;
    entry.newestIat = iat;
    if (news.kind === 'unchanged') return;
    entry.jwks = news.jwks;
    this.#onEvent({ trustAnchor, pinned, kind: 'learned', jwks, iat });
  }

  #entry(trustAnchor: EntityIdentifier, pinned: JwkSet): Believed {
    const name = nameOf(trustAnchor, pinned);
    const known = this.#believed.get(name);
    if (known !== undefined) return known;
    const entry: Believed = { jwks: pinned, newestIat: 0, mismatch: undefined };
    this.#believed.set(name, entry);
    return entry;
  }
}

/** Identifiers contain no spaces. Key sets are not changed, only replaced. */
function nameOf(trustAnchor: EntityIdentifier, pinned: JwkSet): string {
  const text = texts.get(pinned) ?? canonicalJson(pinned.keys as JsonObject[]);
  texts.set(pinned, text);
  return `${trustAnchor} ${text}`;
}

const texts = new WeakMap<JwkSet, string>();
