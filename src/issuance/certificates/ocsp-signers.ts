/** Signers of OCSP responses: each has a certificate of its certification authority for this alone. @see RFC 6960 §2.6 */
import { createPublicKey } from 'node:crypto';
import type { JsonObject } from '../../federation/json.ts';
import type { Clock } from '../../federation/time.ts';
import { COMMON_NAME } from '../../pki/names/attribute-types.ts';
import { type OcspResponder, readOcspResponder } from '../../pki/ocsp/read-ocsp-responder.ts';
import type { CertifiedAuthorityRow } from '../../registry/certification/certification-authority.ts';
import type { IssueCertificate } from '../../registry/certification/issue-certificate.ts';
import {
  dropEndedOcspSigners,
  isDueForRenewal,
  type OcspSignerRow,
  readOcspSigner,
  recordOcspSigner,
} from '../../registry/certification/ocsp-signers.ts';
import { readCertifiedAuthorities } from '../../registry/certification/read-certification-authority.ts';
import type { ChangeContext } from '../../registry/change.ts';
import type { SigningKey } from '../../signer/custody/key-custody.ts';
import type { Signer } from '../../signer/signer.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { FollowingCache } from '../following-cache.ts';

export interface OcspSignersOptions {
  db: Db;
  clock: Clock;
  signer: Pick<Signer, 'generateKey'>;
  issueCertificate: IssueCertificate;
  /** For changes that the service itself makes. */
  changeContext: () => ChangeContext;
}

/** One that may sign now. */
export interface OcspSigner {
  key: SigningKey;
  alg: OcspSignerRow['alg'];
  responder: OcspResponder;
}

/** Its certificate says that nobody needs to ask for its revocation, so it is short. */
const VALIDITY_SECONDS = 28 * 86_400;
/** For clients whose clock is slow. */
const BACKDATED_SECONDS = 3_600;
const MAX_BYTES = 4 * 1024 * 1024;
const SIGNER_BYTES = 4 * 1024;
const SCOPE = '';

export class OcspSigners {
  readonly #options: OcspSignersOptions;
  readonly #kept = new FollowingCache<OcspSigner>({
    maxBytes: MAX_BYTES,
    sizeOf: () => SIGNER_BYTES,
    isRepeated: true,
  });

  constructor(options: OcspSignersOptions) {
    this.#options = options;
  }

  /**
   * Makes the first one where nobody did.
   * @returns undefined once the certificate of the certification authority ended, and all that it issued with it
   * @throws CustodyUnavailable, TooManyLoads
   */
  async current(authority: CertifiedAuthorityRow): Promise<OcspSigner | undefined> {
    const now = this.#options.clock.now();
    const ready = this.#kept.get(SCOPE, authority.id);
    if (ready !== undefined && ready.responder.notAfter > now) return ready;
    return await this.#kept.load(SCOPE, authority.id, async () => {
      const { db } = this.#options;
      const found = await readOcspSigner(db, authority.id, this.#now());
      if (found !== undefined) return signerOf(found);
      if (!this.#maySign(authority)) return undefined;
      await this.#make(authority);
      const made = await readOcspSigner(db, authority.id, this.#now());
      return made && signerOf(made);
    });
  }

  /** Makes those that are due, and forgets those that ended. One that fails does not hold up the others. */
  async renew(signal: AbortSignal): Promise<void> {
    const { db } = this.#options;
    const failures: unknown[] = [];
    for (const authority of await readCertifiedAuthorities(db)) {
      if (signal.aborted) return;
      if (!this.#maySign(authority)) continue;
      const present = await readOcspSigner(db, authority.id, this.#now());
      if (present !== undefined && !isDueForRenewal(present, authority, this.#now())) continue;
      await this.#make(authority).catch((error: unknown) => void failures.push(error));
    }
    await dropEndedOcspSigners(db);
    if (failures.length > 0) throw failures[0];
  }

  /** Drops what the changes made outdated, before their seq is served. */
  follow(changes: readonly RegistryChange[]): void {
    if (changes.some(({ subjectKind }) => subjectKind === 'certification_authority')) this.#kept.deleteScope(SCOPE);
  }

  #now(): Date {
    return new Date(this.#options.clock.now() * 1000);
  }

  #maySign({ notAfter }: CertifiedAuthorityRow): boolean {
    return notAfter.getTime() > this.#now().getTime();
  }

  async #make(authority: CertifiedAuthorityRow): Promise<void> {
    const { clock, signer, issueCertificate, changeContext } = this.#options;
    const { id, alg } = authority;
    const key = await signer.generateKey(id, alg, 'ocsp-responder');
    const spki = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' }).export({ format: 'der', type: 'spki' });
    const now = clock.now();
    const notBefore = laterOf(authority.notBefore, dateOf(now - BACKDATED_SECONDS));
    const notAfter = earlierOf(authority.notAfter, dateOf(now - BACKDATED_SECONDS + VALIDITY_SECONDS));
    const { der } = await issueCertificate({
      ...{
        certificationAuthority: authority,
        profile: 'ocsp-responder',
        alternativeNames: [],
        spki,
        notBefore,
        notAfter,
      },
      subject: [{ type: COMMON_NAME, text: 'OCSP responder' }],
    });
    const { kid, publicJwk, sealedPrivateKey, custody = 'sealed', tokenObject = null } = key;
    await recordOcspSigner(changeContext(), {
      ...{ certificationAuthorityId: id, kid, alg, publicJwk: publicJwk as JsonObject, custody, tokenObject },
      sealedPrivateKey: sealedPrivateKey === null ? null : Buffer.from(sealedPrivateKey),
      ...{ certificate: Buffer.from(der), notBefore, notAfter },
    });
  }
}

function signerOf(row: OcspSignerRow): OcspSigner {
  return { key: signingKeyOf(row), alg: row.alg, responder: readOcspResponder(row.certificate) };
}

function signingKeyOf(row: OcspSignerRow): SigningKey {
  const { certificationAuthorityId: owner, kid, alg, purpose, sealedPrivateKey, tokenObject } = row;
  const key = { kid, alg, owner, purpose };
  if (tokenObject !== null) return { ...key, custody: 'pkcs11', sealedPrivateKey: null, tokenObject };
  if (sealedPrivateKey !== null) return { ...key, custody: 'sealed', sealedPrivateKey };
  throw new Error(`the key ${kid} of a responder is nowhere`);
}

function dateOf(seconds: number): Date {
  return new Date(seconds * 1000);
}

function laterOf(one: Date, other: Date): Date {
  return one > other ? one : other;
}

function earlierOf(one: Date, other: Date): Date {
  return one < other ? one : other;
}
