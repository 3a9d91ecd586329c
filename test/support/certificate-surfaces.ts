/** What is said of our certificates where others ask: the list of revocations, the OCSP responder, admission; and the registry. */
import { eq, inArray, sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { type DerValue, parseDer } from '../../src/pki/der.ts';
import { parseTime } from '../../src/pki/path/validity-time.ts';
import { parseRevocationList } from '../../src/pki/revocation-list/parse-revocation-list.ts';
import { type CertificateStatusRow, certificateStatus } from '../../src/registry/certification/certificate-status.ts';
import { isLive } from '../../src/registry/credentials/credential-standing.ts';
import { credentials } from '../../src/storage/schema/credentials.ts';
import { entities } from '../../src/storage/schema/entities.ts';
import { organisations } from '../../src/storage/schema/organisations.ts';
import { ocspRequest } from './ocsp.ts';
import type { TestService } from './service.ts';

export interface AskedCertificate {
  /** Of its credential. */
  id: string;
  /** In hexadecimal without leading zeros. */
  serial: string;
  x5tS256: string;
  issuer: AskedIssuer;
}

export interface AskedIssuer {
  id: string;
  /** DER of its certificate. */
  certificate: Buffer;
}

/** What each says of one certificate: `good`, or a reason of RFC 5280 §5.3.1 and since when, in seconds since the epoch. */
export interface Said {
  registry: string;
  list: string;
  ocsp: string;
  /** Whether the registry itself would rely on it now. */
  isLive: boolean;
  isAdmitted: boolean;
}

const MOST_IN_A_REQUEST = 10;
const GOOD = 'good';

export class CertificateSurfaces implements AsyncDisposable {
  readonly #service: TestService;
  readonly #pointId: string;
  /** The newest list of each issuer. */
  readonly #lists = new Map<string, { number: bigint; der: Buffer; revoked: ReadonlyMap<string, string> }>();
  #server: ({ origin: string } & AsyncDisposable) | undefined;
  /** How many lists there were, each with a higher number than the one before. */
  listsSeen = 0;
  /** How many times a certificate was asked about. */
  asked = 0;

  /** @param pointId enforcement point that asks for admission */
  constructor(service: TestService, pointId: string) {
    this.#service = service;
    this.#pointId = pointId;
  }

  /** Asks all of them at one moment and one seq, at which nothing else happens. */
  async ask(certificates: readonly AskedCertificate[]): Promise<Map<string, Said>> {
    const seq = await this.#service.seq();
    const said = new Map<string, Said>();
    const registry = await this.#askRegistry(certificates);
    for (const [issuer, ofIssuer] of byIssuer(certificates)) {
      const list = await this.#list(issuer, seq);
      const ocsp = await this.#askOcsp(issuer, ofIssuer, seq);
      for (const [index, { id, serial, x5tS256 }] of ofIssuer.entries()) {
        const { status, isLive: isLiveNow } = registry.get(id) ?? { status: 'missing', isLive: false };
        const isAdmitted = await this.#isAdmitted(x5tS256, seq);
        const saidBy = { registry: status, list: list.get(serial) ?? GOOD, ocsp: ocsp[index] ?? 'missing' };
        said.set(id, { ...saidBy, isLive: isLiveNow, isAdmitted });
      }
    }
    this.asked += certificates.length;
    expect(await this.#service.seq()).toBe(seq);
    return said;
  }

  /** Before the service starts anew. */
  async disconnect(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }

  async #askRegistry(
    asked: readonly AskedCertificate[],
  ): Promise<ReadonlyMap<string, { status: string; isLive: boolean }>> {
    const now = new Date(this.#service.clock.now() * 1000);
    const ids = asked.map(({ id }) => id);
    const rows = await this.#service.db
      .select({
        ...{ id: credentials.id, state: credentials.state, revocationReason: credentials.revocationReason },
        ...{ revokedAt: credentials.revokedAt, stateChangedAt: credentials.stateChangedAt },
        ...{ supersededAt: credentials.supersededAt, isLive: sql<boolean>`${isLive(now)}` },
        ...{ ownerState: entities.state, ownerStateChangedAt: entities.stateChangedAt },
        ...{ organisationState: organisations.state, organisationStateChangedAt: organisations.stateChangedAt },
      })
      .from(credentials)
      .innerJoin(entities, eq(entities.id, credentials.entityId))
      .innerJoin(organisations, eq(organisations.id, entities.organisationId))
      .where(inArray(credentials.id, ids));
    return new Map(rows.map((row) => [row.id, { status: statusText(row, now), isLive: row.isLive }]));
  }

  /** Serial numbers on the list, with what it says of each. */
  async #list({ id }: AskedIssuer, seq: number): Promise<ReadonlyMap<string, string>> {
    const response = await this.#service.fetch(`https://fed.example/ca/${id}/crl`);
    expect([response.status, response.headers.get('x-registry-seq')]).toEqual([200, String(seq)]);
    const der = Buffer.from(await response.arrayBuffer());
    const before = this.#lists.get(id);
    if (before?.der.equals(der)) return before.revoked;
    const list = parseRevocationList(der);
    const now = this.#service.clock.now();
    expect(list.thisUpdate).toBeLessThanOrEqual(now);
    expect(list.nextUpdate).toBeGreaterThan(now);
    expect(list.number).toBeGreaterThan(before?.number ?? 0n);
    const revoked = new Map([...list.entries()].map((entry) => [entry.serial, textOf(entry)]));
    this.#lists.set(id, { number: list.number, der, revoked });
    this.listsSeen++;
    return revoked;
  }

  async #askOcsp(issuer: AskedIssuer, asked: readonly AskedCertificate[], seq: number): Promise<string[]> {
    this.#server ??= await this.#service.listen();
    const said: string[] = [];
    for (let from = 0; from < asked.length; from += MOST_IN_A_REQUEST) {
      const serials = asked.slice(from, from + MOST_IN_A_REQUEST).map(({ serial }) => serial);
      const response = await fetch(`${this.#server.origin}/ca/${issuer.id}/ocsp`, {
        method: 'POST',
        headers: { 'content-type': 'application/ocsp-request' },
        body: new Uint8Array(ocspRequest({ issuer: issuer.certificate, serials })),
      });
      expect([response.status, response.headers.get('x-registry-seq')]).toEqual([200, String(seq)]);
      said.push(...statusesOf(Buffer.from(await response.arrayBuffer()), this.#service.clock.now()));
    }
    return said;
  }

  async #isAdmitted(x5tS256: string, seq: number): Promise<boolean> {
    const { admission } = this.#service;
    const point = admission.state.enforcementPoint(this.#pointId);
    if (point === undefined) throw new Error('nobody asks for admission');
    const decision = await admission.consider(point, { certificate: { x5tS256 } });
    expect(decision.seq).toBe(seq);
    expect(decision.reasons).not.toContain('state_stale');
    return decision.decision === 'allow';
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.disconnect();
  }
}

function byIssuer(asked: readonly AskedCertificate[]): Map<AskedIssuer, AskedCertificate[]> {
  return Map.groupBy(asked, ({ issuer }) => issuer);
}

function statusText(row: CertificateStatusRow, now: Date): string {
  const status = certificateStatus(row, now);
  return status.status === 'good' ? GOOD : textOf(status);
}

function textOf({ reason, revokedAt }: { reason: number; revokedAt: number }): string {
  return `${reason} since ${revokedAt}`;
}

/** What an OCSP response says, in the order of the request. @see RFC 6960 §4.2.1 */
function statusesOf(response: Uint8Array, now: number): string[] {
  const [error, bytes] = parseDer(response).children;
  expect(error?.contents[0]).toBe(0);
  const basic = parseDer(bytes?.children[0]?.children[1]?.contents ?? new Uint8Array());
  const [, , responses] = basic.children[0]?.children ?? [];
  return (responses?.children ?? []).map(({ children: [, status, thisUpdate, nextUpdate] }) => {
    expect(timeOf(thisUpdate)).toBeLessThanOrEqual(now);
    expect(timeOf(nextUpdate?.children[0])).toBeGreaterThan(now);
    if (status?.tag === 0x80) return GOOD;
    const [at, reason] = status?.children ?? [];
    return status?.tag === 0xa1
      ? textOf({ reason: reason?.children[0]?.contents[0] ?? 0, revokedAt: timeOf(at) })
      : 'unknown';
  });
}

function timeOf(value: DerValue | undefined): number {
  if (value === undefined) throw new Error('there is no time');
  return parseTime(value);
}
