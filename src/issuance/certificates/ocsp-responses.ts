/** What is said of the status of our certificates: made as it is asked for, kept while it is true. @see RFC 6960 §2, RFC 5019 */
import { hash } from 'node:crypto';
import type { Clock, NumericDate } from '../../federation/time.ts';
import { lintOcspResponse } from '../../pki/ocsp/lint-ocsp-response.ts';
import { OcspError } from '../../pki/ocsp/ocsp-error.ts';
import { isIssuedBy, type OcspIssuer, ocspIssuerOf } from '../../pki/ocsp/ocsp-issuer.ts';
import { type OcspRequest, parseOcspRequest } from '../../pki/ocsp/parse-ocsp-request.ts';
import { type OcspStatus, writeOcspResponse, writeOcspResponseData } from '../../pki/ocsp/write-ocsp-response.ts';
import { type CertificateStatus, readCertificateStatus } from '../../registry/certification/certificate-status.ts';
import type { CertifiedAuthorityRow } from '../../registry/certification/certification-authority.ts';
import { readCertifiedAuthority } from '../../registry/certification/read-certification-authority.ts';
import type { Signer } from '../../signer/signer.ts';
import type { RegistryChange } from '../../storage/change-feed.ts';
import type { Db } from '../../storage/connect.ts';
import { FollowingCache, TooManyLoads } from '../following-cache.ts';
import type { OcspSigners } from './ocsp-signers.ts';

export interface OcspResponsesOptions {
  db: Db;
  clock: Clock;
  signer: Pick<Signer, 'signDer'>;
  signers: Pick<OcspSigners, 'current'>;
}

export interface OcspAnswer {
  /** OCSPResponse in DER. */
  body: Buffer;
  /** Strong entity tag. */
  etag: string;
  /** Seconds since the epoch, as it says itself. */
  thisUpdate: NumericDate;
  nextUpdate: NumericDate;
  /** From then on a new one is made. */
  until: NumericDate;
  /** With a nonce it is for whoever asked and for nobody else. */
  hasNonce: boolean;
}

interface Issuer {
  row: CertifiedAuthorityRow;
  issuer: OcspIssuer;
}

interface KnownStatus {
  status: CertificateStatus;
  until: NumericDate;
}

/**
 * How long an answer is good for, in seconds. Some servers ask nobody again before its end, whatever was revoked meanwhile
 * (nginx); a shorter time would make those of others fail whose clock is a few minutes off.
 */
export const OCSP_VALIDITY_SECONDS = 600;

const ANSWER_BYTES = 64 * 1024 * 1024;
const STATUS_BYTES = 16 * 1024 * 1024;
const ENTRY_BYTES = 300;
const ISSUER_BYTES = 16 * 1024;
/** Signatures under way: whoever comes then is told to try later, so that nobody waits for long. */
const MAX_SIGNATURES = 256;
/** A status changes once by the clock alone, and so does a signer: the second attempt succeeds but on a very slow signer. */
const MAX_ATTEMPTS = 3;
/** Issuers are few, and share a scope; answers and statuses have that of their issuer. */
const ISSUERS = '';

/** Changes after which certificates may have another status. */
const CHANGED_BY: ReadonlySet<string> = new Set(['credential', 'entity', 'organisation', 'certification_authority']);

export class OcspResponses {
  readonly #options: OcspResponsesOptions;
  readonly #issuers = new FollowingCache<Issuer>({
    maxBytes: ANSWER_BYTES,
    sizeOf: () => ISSUER_BYTES,
    isRepeated: true,
  });
  readonly #statuses = new FollowingCache<KnownStatus>({
    maxBytes: STATUS_BYTES,
    sizeOf: () => ENTRY_BYTES,
    isRepeated: true,
  });
  readonly #answers = new FollowingCache<OcspAnswer>({
    maxBytes: ANSWER_BYTES,
    sizeOf: ({ body }) => ENTRY_BYTES + body.length,
    isRepeated: true,
  });
  /** Certification authorities that were asked about, a scope each: never taken out, as a load under way puts into its own. */
  readonly #scopes = new Set<string>();
  #signatures = 0;

  constructor(options: OcspResponsesOptions) {
    this.#options = options;
  }

  /** An answer that was made before to the same bytes. @param request as text, a byte a character (latin1) */
  ready(certificationAuthorityId: string, request: string): OcspAnswer | undefined {
    const kept = this.#answers.get(certificationAuthorityId, request);
    return kept !== undefined && kept.until > this.#options.clock.now() ? kept : undefined;
  }

  /**
   * Without a nonce the same bytes get the same answer for a while.
   * @throws OcspError malformedRequest, unauthorized, tryLater; TooManyLoads, CustodyUnavailable
   */
  async answer(certificationAuthorityId: string, request: Uint8Array): Promise<OcspAnswer> {
    const asked = parseOcspRequest(request);
    const issuer = await this.#issuer(certificationAuthorityId);
    if (!asked.certIds.every((certId) => isIssuedBy(certId, issuer.issuer))) {
      throw new OcspError('unauthorized', 'the request is about certificates of another issuer');
    }
    if (asked.nonce !== undefined) return await this.#bounded(() => this.#make(issuer, asked));
    this.#scopes.add(issuer.row.id);
    const key = Buffer.from(request).toString('latin1');
    const answer = await this.#answers.load(issuer.row.id, key, () => this.#make(issuer, asked));
    return answer ?? (await this.#make(issuer, asked));
  }

  /** Drops what the changes made untrue, before their seq is served. */
  follow(changes: readonly RegistryChange[]): void {
    if (!changes.some(({ subjectKind }) => CHANGED_BY.has(subjectKind))) return;
    for (const scope of this.#scopes) {
      this.#answers.deleteScope(scope);
      this.#statuses.deleteScope(scope);
    }
    if (changes.some(({ subjectKind }) => subjectKind === 'certification_authority'))
      this.#issuers.deleteScope(ISSUERS);
  }

  async #issuer(id: string): Promise<Issuer> {
    const known = this.#issuers.get(ISSUERS, id);
    if (known !== undefined) return known;
    const found = this.#issuers.isAbsent(ISSUERS, id)
      ? undefined
      : await this.#issuers.load(ISSUERS, id, async () => {
          const row = await readCertifiedAuthority(this.#options.db, id);
          return row && { row, issuer: ocspIssuerOf(Buffer.from(row.x5c[0] ?? '', 'base64')) };
        });
    if (found !== undefined) return found;
    throw new OcspError('unauthorized', 'there is no such certification authority here');
  }

  async #bounded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#signatures >= MAX_SIGNATURES) throw new TooManyLoads('too many answers are being signed');
    this.#signatures++;
    try {
      return await work();
    } finally {
      this.#signatures--;
    }
  }

  /** What came to its end while it was made is made anew: nobody is given an answer that is good for no time. */
  async #make(issuer: Issuer, asked: OcspRequest): Promise<OcspAnswer> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const made = await this.#makeOnce(issuer, asked);
      if (made !== undefined && made.nextUpdate > this.#options.clock.now()) return made;
    }
    throw new OcspError('tryLater', 'what is asked about changes while the answer is made');
  }

  /** @returns undefined when a status, or the signer, came to its end meanwhile */
  async #makeOnce({ row }: Issuer, { certIds, nonce }: OcspRequest): Promise<OcspAnswer | undefined> {
    const { clock, signer, signers } = this.#options;
    const statuses: (KnownStatus | undefined)[] = [];
    for (const { serial } of certIds) statuses.push(await this.#status(row.id, serial));
    const current = await signers.current(row);
    if (current === undefined)
      throw new OcspError('unauthorized', 'the certificate of the certification authority ended');
    const { key, alg, responder } = current;
    // Never beyond a moment at which something else is true.
    const changesAt = Math.min(...statuses.map((known) => known?.until ?? Number.POSITIVE_INFINITY));
    const now = clock.now();
    const nextUpdate = Math.min(now + OCSP_VALIDITY_SECONDS, responder.notAfter, changesAt);
    if (nextUpdate <= now) return undefined;
    const responses = certIds.map((certId, index) => ({
      certId: certId.der,
      status: ocspStatus(statuses[index]?.status, now),
    }));
    const data = writeOcspResponseData({
      ...{ responderKeyHash: responder.keyHash, thisUpdate: now, nextUpdate, responses, nonce },
    });
    const linted = lintOcspResponse(data, { alg, responder, certIds, nonce, maxSeconds: OCSP_VALIDITY_SECONDS });
    const basic = await signer.signDer(key, linted);
    const body = Buffer.from(writeOcspResponse(basic));
    const until = Math.min(nextUpdate, now + OCSP_VALIDITY_SECONDS / 2);
    const etag = `"${hash('sha256', body, 'base64url')}"`;
    return { body, etag, thisUpdate: now, nextUpdate, until, hasNonce: nonce !== undefined };
  }

  /** @returns undefined for a certificate that was never issued */
  async #status(id: string, serial: string): Promise<KnownStatus | undefined> {
    const { db, clock } = this.#options;
    const known = this.#statuses.get(id, serial);
    if (known !== undefined && known.until > clock.now()) return known;
    if (this.#statuses.isAbsent(id, serial)) return undefined;
    this.#scopes.add(id);
    return await this.#statuses.load(id, serial, async () => {
      const status = await readCertificateStatus(db, id, serial, new Date(clock.now() * 1000));
      return status && { status, until: status.changesAt ?? Number.POSITIVE_INFINITY };
    });
  }
}

/** A node whose clock is ahead may have written a moment that has not come here. */
function ocspStatus(status: CertificateStatus | undefined, now: NumericDate): OcspStatus {
  if (status === undefined) return { status: 'unknown' };
  if (status.status === 'good') return { status: 'good' };
  return { status: 'revoked', reason: status.reason, revokedAt: Math.min(status.revokedAt, now) };
}
