/** The lists of revocations that the service publishes: current with each answer, numbered, signed, and there before they end. */
import { createPublicKey, verify } from 'node:crypto';
import { desc, eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  parseRevocationList,
  type SignedRevocationList,
} from '../../../src/pki/revocation-list/parse-revocation-list.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { makeCertificateCode, requestWithCode } from '../../../src/registry/certification/certificate-codes.ts';
import type { CertificationAuthority } from '../../../src/registry/certification/certification-authority.ts';
import { updateCertificationAuthority } from '../../../src/registry/certification/update-certification-authority.ts';
import type { Credential } from '../../../src/registry/credentials/credential.ts';
import { holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import { replaceCredential } from '../../../src/registry/credentials/replace-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { certificateRevocationLists } from '../../../src/storage/schema/certification-authorities.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { NO_SUCH_ID } from '../../support/api-service.ts';
import { requestDer } from '../../support/certificate-requests.ts';
import { certificationAuthority, certificationContext } from '../../support/certification.ts';
import { clientCertificate } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { databaseWithFeedSwitch } from '../../support/lagging-feed.ts';
import { startTestService, TestService } from '../../support/service.ts';

const ORIGIN = 'http://localhost:8080';
const LIFETIME = 3_600;
const HOLD = 6;

interface Seen {
  list: SignedRevocationList;
  headers: Headers;
  /** Reasons by serial number. */
  reasons: Record<string, number>;
  number: number;
}

let service: TestService;
let authority: Authority;
let organisation: Organisation;
let issuer: CertificationAuthority;

async function begin(kind: (typeof DATABASE_KINDS)[number]): Promise<void> {
  service = await startTestService(kind, { baseUrl: ORIGIN });
  authority = await service.authority();
  organisation = await service.organisation(authority);
  issuer = await certificationAuthority(service, authority, { revocationListLifetimeSeconds: LIFETIME });
}

async function issued(entity: Entity): Promise<Credential & { serial: string }> {
  const { code } = await makeCertificateCode(service.context(), entity.id, { profile: 'client' });
  const { credential } = await requestWithCode(certificationContext(service), { code, request: requestDer() });
  if (credential?.serial == null) throw new Error('nothing was issued');
  return { ...credential, serial: credential.serial };
}

function get(headers: Record<string, string> = {}, id = issuer.id): Promise<Response> {
  return service.fetch(`${ORIGIN}/ca/${id}/crl`, { headers });
}

/** The list as it is published now, its signature checked. */
async function published(of: TestService = service): Promise<Seen> {
  const response = await of.fetch(`${ORIGIN}/ca/${issuer.id}/crl`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/pkix-crl']);
  const list = parseRevocationList(new Uint8Array(await response.arrayBuffer()));
  const key = createPublicKey({ key: { ...issuer.publicJwk }, format: 'jwk' });
  expect(verify('sha256', list.toBeSigned, key, list.signature)).toBe(true);
  const reasons = Object.fromEntries([...list.entries()].map(({ serial, reason }) => [serial, reason]));
  return { list, headers: response.headers, reasons, number: Number(list.number) };
}

const revoke = (id: string, reasonCode: 'key_compromise' | 'superseded' | 'unspecified' = 'key_compromise') =>
  revokeCredential(service.context(), id, { reasonCode, reason: 'by a test' });
const hold = (id: string, transition: 'hold' | 'release') =>
  holdCredential(service.context(), id, transition, 'by a test');

afterEach(async () => {
  expect(service.failures).toEqual([]);
  await service[Symbol.asyncDispose]();
});

describe.each(DATABASE_KINDS)('[F23] the list of revocations on %s', (kind) => {
  beforeEach(() => begin(kind));

  it('[F22] has a revoked certificate right after the answer, with its reason, and every number is higher', async () => {
    const entity = await service.entity(organisation);
    const [one, other, stays] = [await issued(entity), await issued(entity), await issued(entity)];
    const empty = await published();
    expect(empty.reasons).toEqual({});
    await revoke(one.id);
    const first = await published();
    expect(first.reasons).toEqual({ [one.serial]: 1 });
    expect(first.number).toBeGreaterThan(empty.number);
    expect(Number(first.headers.get('x-registry-seq'))).toBe(await service.seq());
    await revoke(other.id, 'unspecified');
    const second = await published();
    expect(second.reasons).toEqual({ [one.serial]: 1, [other.serial]: 0 });
    expect(second.number).toBeGreaterThan(first.number);
    expect(Object.keys(second.reasons)).not.toContain(stays.serial);
    // Once more is nothing new: the same list.
    await revoke(one.id);
    expect((await published()).number).toBe(second.number);
  });

  it('[F22] has a certificate on hold, and no more once it is released; suspension and its end likewise', async () => {
    const [entity, sibling] = [await service.entity(organisation), await service.entity(organisation)];
    const [own, others] = [await issued(entity), await issued(sibling)];
    const numbers = [(await published()).number];
    const reasonsAfter = async (work: () => Promise<unknown>) => {
      await work();
      const { number, reasons } = await published();
      numbers.push(number);
      return reasons;
    };
    const by = 'by a test';
    expect(await reasonsAfter(() => hold(own.id, 'hold'))).toEqual({ [own.serial]: HOLD });
    expect(await reasonsAfter(() => hold(own.id, 'release'))).toEqual({});
    const entityTo = (transition: 'suspend' | 'reinstate' | 'revoke') => () =>
      transitionEntity(service.context(), entity.id, transition, by);
    const organisationTo = (transition: 'suspend' | 'reinstate' | 'withdraw') => () =>
      transitionOrganisation(service.context(), organisation.id, transition, by);
    expect(await reasonsAfter(entityTo('suspend'))).toEqual({ [own.serial]: HOLD });
    expect(await reasonsAfter(entityTo('reinstate'))).toEqual({});
    const both = { [own.serial]: HOLD, [others.serial]: HOLD };
    expect(await reasonsAfter(organisationTo('suspend'))).toEqual(both);
    expect(await reasonsAfter(organisationTo('reinstate'))).toEqual({});
    expect(await reasonsAfter(entityTo('revoke'))).toEqual({ [own.serial]: 9 });
    expect(await reasonsAfter(organisationTo('withdraw'))).toEqual({ [own.serial]: 9, [others.serial]: 5 });
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('has a superseded certificate from the moment on at which its successor alone counts', async () => {
    const entity = await service.entity(organisation);
    const old = await issued(entity);
    const until = new Date((service.clock.now() + 600) * 1000);
    await replaceCredential(service.context(), old.id, { material: clientCertificate(), until });
    const before = await published();
    expect(before.reasons).toEqual({});
    service.clock.advance(599);
    const last = await get();
    expect(last.headers.get('cache-control')).toBe('public, max-age=1');
    service.clock.advance(1);
    const after = await published();
    expect(after.reasons).toEqual({ [old.serial]: 4 });
    expect(after.number).toBeGreaterThan(before.number);
  });

  it('lives as long as is set, is renewed before two thirds of it, and is kept by others for no longer', async () => {
    await published();
    const first = await published();
    const { thisUpdate, nextUpdate } = first.list;
    expect(nextUpdate - thisUpdate).toBe(LIFETIME);
    expect(first.headers.get('cache-control')).toBe('public, max-age=60');
    service.clock.advance(thisUpdate + (LIFETIME * 2) / 3 - 5 - service.clock.now());
    const old = await published();
    expect(old.number).toBe(first.number);
    expect(old.headers.get('cache-control')).toBe('public, max-age=5');
    service.clock.advance(5);
    const second = await published();
    expect(second.number).toBeGreaterThan(first.number);
    expect(second.list.nextUpdate).toBeGreaterThan(nextUpdate);
    expect(second.list.thisUpdate).toBeLessThanOrEqual(service.clock.now());
    // Whoever sets another lifetime has it at once.
    await updateCertificationAuthority(service.context(), issuer.id, { revocationListLifetimeSeconds: 7_200 });
    const { list, number } = await published();
    expect([list.nextUpdate - list.thisUpdate, number > second.number]).toEqual([7_200, true]);
  });

  it('leaves out what ended by itself, once a list that began after its end had it', async () => {
    const entity = await service.entity(organisation);
    const gone = await issued(entity);
    await revoke(gone.id, 'superseded');
    const notAfter = new Date((service.clock.now() + 100) * 1000);
    await service.db.update(credentials).set({ notAfter }).where(eq(credentials.id, gone.id));
    service.clock.advance(LIFETIME);
    const beyondItsEnd = await published();
    expect(beyondItsEnd.list.thisUpdate).toBeGreaterThan(notAfter.getTime() / 1000);
    expect(beyondItsEnd.reasons).toEqual({ [gone.serial]: 4 });
    service.clock.advance(LIFETIME);
    expect((await published()).reasons).toEqual({});
  });

  it('is not sent again to who has it', async () => {
    const response = await get();
    const etag = response.headers.get('etag') ?? '';
    const again = await get({ 'if-none-match': etag });
    expect([again.status, (await again.arrayBuffer()).byteLength]).toEqual([304, 0]);
    const { id } = await issued(await service.entity(organisation));
    expect((await get({ 'if-none-match': etag })).status).toBe(304);
    await revoke(id);
    expect((await get({ 'if-none-match': etag })).status).toBe(200);
  });

  it('is made once, however many ask at a time, and by the job for who asks later', async () => {
    const entity = await service.entity(organisation);
    const numbers: number[] = [];
    for (let round = 0; round < 3; round++) {
      await revoke((await issued(entity)).id);
      const seen = await Promise.all(Array.from({ length: 10 }, () => published()));
      expect(new Set(seen.map(({ number }) => number)).size).toBe(1);
      numbers.push(seen[0]?.number ?? 0);
    }
    const [first = 0] = numbers;
    expect(numbers).toEqual([first, first + 1, first + 2]);
    const { id, serial } = await issued(entity);
    await revoke(id);
    await service.publishRevocationLists();
    const [stored] = await service.db
      .select()
      .from(certificateRevocationLists)
      .orderBy(desc(certificateRevocationLists.number))
      .limit(1);
    expect([...parseRevocationList(stored?.der ?? new Uint8Array()).entries()].map((entry) => entry.serial)).toContain(
      serial,
    );
    // Old ones do not pile up.
    expect((await service.db.select().from(certificateRevocationLists)).length).toBeLessThanOrEqual(3);
  });

  it('goes on with its numbers after a restart, and is the same where nothing changed', async () => {
    const entity = await service.entity(organisation);
    await revoke((await issued(entity)).id);
    const before = await published();
    await service.restart();
    const same = await published();
    expect(same.number).toBe(before.number);
    expect(Buffer.from(same.list.toBeSigned).equals(before.list.toBeSigned)).toBe(true);
    await revoke((await issued(entity)).id);
    await service.restart();
    const after = await published();
    expect(after.number).toBeGreaterThan(before.number);
    expect(Object.keys(after.reasons)).toHaveLength(2);
  });

  it('is made anew past two thirds of its life though nobody asks and the service was restarted, and has a higher number', async () => {
    const before = await published();
    service.clock.advance((LIFETIME * 2) / 3);
    await service.restart();
    await service.publishRevocationLists();
    const [newest] = await service.db
      .select()
      .from(certificateRevocationLists)
      .orderBy(desc(certificateRevocationLists.number))
      .limit(1);
    expect(newest?.number).toBeGreaterThan(before.number);
    const after = await published();
    expect(after.number).toBe(newest?.number);
    expect(service.clock.now()).toBeLessThan(before.list.nextUpdate);
    expect(after.list.nextUpdate - after.list.thisUpdate).toBe(LIFETIME);
    expect(after.list.nextUpdate).toBeGreaterThan(before.list.nextUpdate);
  });

  it('is there for no other certification authority, and for none without a certificate', async () => {
    for (const id of [NO_SUCH_ID, 'nonsense', authority.id]) {
      expect((await get({}, id)).status).toBe(404);
    }
  });
});

describe('[F23] the list of revocations', () => {
  it('of two nodes has each number once, and never less than the one before', async () => {
    await begin('postgresql');
    // Whoever stops last closes the database.
    const shared = { ...service.database, [Symbol.asyncDispose]: async () => {} };
    const other = await TestService.start(shared, { baseUrl: ORIGIN });
    try {
      const entity = await service.entity(organisation);
      const bytesByNumber = new Map<number, string>();
      let highest = 0;
      for (let round = 0; round < 5; round++) {
        const { id, serial } = await issued(entity);
        await revoke(id);
        const seq = await service.seq();
        await expect.poll(async () => Number((await published(other)).headers.get('x-registry-seq'))).toBe(seq);
        const seen = await Promise.all([service, other, service, other].map((node) => published(node)));
        for (const { number, list, reasons } of seen) {
          const bytes = Buffer.from(list.toBeSigned).toString('hex');
          expect(bytesByNumber.get(number) ?? bytes).toBe(bytes);
          bytesByNumber.set(number, bytes);
          expect(reasons).toHaveProperty([serial]);
          expect(number).toBeGreaterThan(highest);
        }
        highest = Math.max(...seen.map(({ number }) => number));
      }
    } finally {
      await other[Symbol.asyncDispose]();
    }
  });

  it('is not told while nobody knows what is true', async () => {
    const { database, feed } = await databaseWithFeedSwitch();
    service = await TestService.start(database, { baseUrl: ORIGIN });
    authority = await service.authority();
    issuer = await certificationAuthority(service, authority);
    expect((await get()).status).toBe(200);
    feed.isCut = true;
    service.monotonic.aheadMs += 60_000;
    const response = await get();
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    feed.isCut = false;
    expect((await get()).status).toBe(200);
  });
});
