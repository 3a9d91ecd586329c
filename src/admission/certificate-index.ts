/** Certificates that were recorded as credentials, found by what callers show, each with its application at hand. */
import type { KnownApplication, KnownCertificate } from '../registry/participants/known-participants.ts';
import { type Follower, Grouping, type Place, type Table } from './record-tables.ts';

/** Among so many records a look-up waits for memory; this leads to the application, whichever that is at the time. */
class LinkedCertificate implements KnownCertificate {
  readonly id: string;
  readonly applicationId: string;
  readonly x5tS256: string;
  readonly life: KnownCertificate['life'];
  readonly path: KnownCertificate['path'];
  readonly #application: Place<KnownApplication>;

  constructor({ id, applicationId, x5tS256, life, path }: KnownCertificate, application: Place<KnownApplication>) {
    this.id = id;
    this.applicationId = applicationId;
    this.x5tS256 = x5tS256;
    this.life = life;
    this.path = path;
    this.#application = application;
  }

  get application(): KnownApplication | undefined {
    return this.#application.record;
  }
}

export class CertificateIndex implements Follower<KnownCertificate> {
  readonly #certificates = new Grouping<KnownCertificate>(({ x5tS256 }) => x5tS256);
  readonly #applications: Table<KnownApplication>;

  constructor(applications: Table<KnownApplication>) {
    this.#applications = applications;
  }

  add(certificate: KnownCertificate): void {
    this.#certificates.add(new LinkedCertificate(certificate, this.#applications.hold(certificate.applicationId)));
  }

  remove(certificate: KnownCertificate): void {
    this.#certificates.remove(certificate);
    this.#applications.release(certificate.applicationId);
  }

  /** Those of an authority's applications. */
  get(x5tS256: string, authorityId: string): readonly KnownCertificate[] {
    const isHere = (certificate: KnownCertificate) => this.applicationOf(certificate)?.authorityId === authorityId;
    return this.#certificates.get(x5tS256).filter(isHere);
  }

  /** @param certificate also one from elsewhere */
  applicationOf(certificate: KnownCertificate): KnownApplication | undefined {
    return certificate instanceof LinkedCertificate
      ? certificate.application
      : this.#applications.get(certificate.applicationId);
  }
}
