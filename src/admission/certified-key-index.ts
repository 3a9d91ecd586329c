/** Certificates of Federation Entity Keys, found by what callers show, with their way up to the trust list of now. */
import type { NumericDate } from '../federation/time.ts';
import type {
  CertifiedKey,
  KnownApplication,
  KnownCertificate,
  KnownTrustListEntry,
} from '../registry/participants/known-participants.ts';
import { anchorsOf, findListedPath, type TrustAnchors } from '../registry/trust-lists/listed-path.ts';
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
  readonly #certificates = new Grouping<KeyOfApplication>(({ key }) => key.x5tS256);
  readonly #keys = new Grouping<KeyOfApplication>(({ key }) => key.spkiSha256);
  readonly #applications = new Map<string, KnownApplication>();
  readonly #anchors = new WeakMap<readonly KnownTrustListEntry[], TrustAnchors>();
  /** To find a way costs a millisecond, so it is looked for when somebody shows the certificate. */
  readonly #paths = new WeakMap<CertifiedKey, Judged>();

  /** Applications that list any. */
  get size(): number {
    return this.#applications.size;
  }

  add(application: KnownApplication): void {
    for (const one of keysOf(application)) {
      this.#applications.set(application.id, application);
      this.#certificates.add(one);
      this.#keys.add(one);
    }
  }

  remove(application: KnownApplication): void {
    this.#applications.delete(application.id);
    for (const one of keysOf(application)) {
      this.#certificates.remove(one);
      this.#keys.remove(one);
    }
  }

  /** Applications that list this key, under whatever certificate. */
  idsOfKey(spkiSha256: string): string[] {
    return this.#keys.get(spkiSha256).map(({ application }) => application.id);
  }

  idsOfOrganisation(organisationId: string): string[] {
    const all = [...this.#applications.values()];
    return all.filter((application) => application.organisationId === organisationId).map(({ id }) => id);
  }

  /**
   * Nobody proves to have every key that he lists: of several entities that list one it is nobody's, whoever was first,
   * until one has it as a credential.
   * @param list the trust list of the authority
   */
  get(
    x5tS256: string,
    authorityId: string,
    list: readonly KnownTrustListEntry[],
    now: NumericDate,
  ): KnownCertificate[] {
    const found = this.#certificates.get(x5tS256).filter((one) => {
      return one.application.authorityId === authorityId && one.key.objection === null && !this.#isDisputed(one);
    });
    return found.map(({ id, application, key }) => ({
      ...{ id, applicationId: application.id, x5tS256 },
      life: { state: 'active', notBefore: key.notBefore, notAfter: key.notAfter, supersededAt: null },
      path: this.#pathOf(key, list, now),
    }));
  }

  /** Who was not approved, or has ended, takes nothing from anybody; nor who lists what names somebody else. */
  #isDisputed({ application: { id, authorityId }, key }: KeyOfApplication): boolean {
    return this.#keys.get(key.spkiSha256).some(({ application: other, key: { objection } }) => {
      const isHere = other.id !== id && other.authorityId === authorityId;
      return isHere && objection !== 'subject' && (other.state === 'active' || other.state === 'suspended');
    });
  }

  #pathOf(key: CertifiedKey, list: readonly KnownTrustListEntry[], now: NumericDate): KnownCertificate['path'] {
    if (list.length === 0) return null;
    const anchors = this.#anchorsOf(list);
    const known = this.#paths.get(key);
    const isKnown = known?.anchors === anchors && (known.path !== null || now < known.judgedAt + RETRY_SECONDS);
    if (isKnown) return known.path;
    const found = findListedPath(key.x5c, 'transport', anchors, new Date(now * 1000));
    const path = 'anchor' in found ? found : null;
    this.#paths.set(key, { anchors, path, judgedAt: now });
    return path;
  }

  #anchorsOf(list: readonly KnownTrustListEntry[]): TrustAnchors {
    const known = this.#anchors.get(list) ?? anchorsOf(list);
    this.#anchors.set(list, known);
    return known;
  }
}

function keysOf(application: KnownApplication): KeyOfApplication[] {
  return application.certifiedKeys.map((key) => ({ id: `${application.id} ${key.kid}`, application, key }));
}
