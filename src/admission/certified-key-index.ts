/** Certificates of Federation Entity Keys, found by what callers show, with their way up to the trust list of now. */
import type { NumericDate } from '../federation/time.ts';
import { pathOfCertifiedKey, type TrustAnchors, trustAnchorsOf } from '../registry/participants/certified-keys.ts';
import type {
  CertifiedKey,
  KnownApplication,
  KnownCertificate,
  KnownTrustListEntry,
} from '../registry/participants/known-participants.ts';
import { type Follower, Grouping } from './record-tables.ts';

interface KeyOfApplication {
  /** Not shared with any credential: those have the ids of records. */
  id: string;
  application: KnownApplication;
  key: CertifiedKey;
}

interface Judged {
  anchors: TrustAnchors;
  path: KnownCertificate['path'];
  judgedAt: NumericDate;
}

/** How long a way that is not there is not looked for again, in seconds. */
const RETRY_SECONDS = 60;

export class CertifiedKeyIndex implements Follower<KnownApplication> {
  readonly #keys = new Grouping<KeyOfApplication>(({ key }) => key.x5tS256);
  readonly #anchors = new WeakMap<readonly KnownTrustListEntry[], TrustAnchors>();
  /** To find a way costs a millisecond, so it is looked for when somebody shows the certificate. */
  readonly #paths = new WeakMap<CertifiedKey, Judged>();

  add(application: KnownApplication): void {
    for (const one of keysOf(application)) this.#keys.add(one);
  }

  remove(application: KnownApplication): void {
    for (const one of keysOf(application)) this.#keys.remove(one);
  }

  /**
   * Nobody proves to have every key that he lists: of several who list one, the first goes before the others.
   * @param listOf the trust list of an authority
   * @returns the first last
   */
  get(
    x5tS256: string,
    listOf: (authorityId: string) => readonly KnownTrustListEntry[],
    now: NumericDate,
  ): KnownCertificate[] {
    const found = this.#keys.get(x5tS256).toSorted((one, other) => other.key.addedAt - one.key.addedAt);
    return found.map(({ id, application, key }) => ({
      ...{ id, applicationId: application.id, x5tS256 },
      life: { state: 'active', notBefore: key.notBefore, notAfter: key.notAfter, supersededAt: null },
      path: this.#pathOf(key, listOf(application.authorityId), now),
    }));
  }

  #pathOf(key: CertifiedKey, list: readonly KnownTrustListEntry[], now: NumericDate): KnownCertificate['path'] {
    if (list.length === 0) return null;
    const anchors = this.#anchorsOf(list);
    const known = this.#paths.get(key);
    const isKnown = known?.anchors === anchors && (known.path !== null || now < known.judgedAt + RETRY_SECONDS);
    if (isKnown) return known.path;
    const path = pathOfCertifiedKey(key, anchors, now);
    this.#paths.set(key, { anchors, path, judgedAt: now });
    return path;
  }

  #anchorsOf(list: readonly KnownTrustListEntry[]): TrustAnchors {
    const known = this.#anchors.get(list) ?? trustAnchorsOf(list);
    this.#anchors.set(list, known);
    return known;
  }
}

function keysOf(application: KnownApplication): KeyOfApplication[] {
  return application.certifiedKeys.map((key) => ({ id: `${application.id} ${key.kid}`, application, key }));
}
