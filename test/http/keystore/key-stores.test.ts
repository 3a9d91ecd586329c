import { execFileSync } from 'node:child_process';
import { eq } from 'drizzle-orm';
import { CompactSign, calculateJwkThumbprint, compactVerify, createRemoteJWKSet, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addCredential, type NewCredential } from '../../../src/registry/credentials/add-credential.ts';
import { holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import { replaceCredential } from '../../../src/registry/credentials/replace-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import type { NewEntity } from '../../../src/registry/entities/add-entity.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import type { ParticipantState } from '../../../src/storage/schema/organisations.ts';
import { NO_SUCH_ID } from '../../support/api-service.ts';
import { certificate, chainOf, DIGITAL_SIGNATURE, ecKey, type KeyPair, pem } from '../../support/certificates.ts';
import { clientCertificate, publicJwk } from '../../support/credentials.ts';
import { databaseWithFeedSwitch } from '../../support/lagging-feed.ts';
import { nextId } from '../../support/registry.ts';
import { startTestService, TestService } from '../../support/service.ts';

const ORIGIN = 'http://localhost:8080';

let service: TestService;
let organisation: Organisation;

beforeAll(async () => {
  service = await startTestService('embedded', { baseUrl: ORIGIN });
  organisation = await service.organisation(await service.authority());
});
afterAll(async () => {
  expect(service.failures).toEqual([]);
  await service[Symbol.asyncDispose]();
});

const app = (settings: Partial<NewEntity> = {}, state: ParticipantState = 'active') =>
  service.entity(organisation, settings, state);
const add = (entity: Entity, settings: Partial<NewCredential> = {}) =>
  addCredential(service.context(), entity.id, { usage: 'transport', material: clientCertificate(), ...settings });
const revoke = (id: string, reasonCode: 'key_compromise' | 'superseded' = 'superseded') =>
  revokeCredential(service.context(), id, { reasonCode, reason: 'by a test' });
/** For what an application signs. */
const signing = (key: KeyPair = ecKey()) => ({
  usage: 'signing' as const,
  material: { certificate: pem(certificate({ key, extensions: [DIGITAL_SIGNATURE] })) },
});

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return service.fetch(`${ORIGIN}/keystore/${path}`, { headers });
}

/** Thumbprints of the keys of a set, the newest first. */
async function kids(path: string): Promise<string[]> {
  const response = await get(path);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/jwk-set+json']);
  const { keys } = (await response.json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

const at = ({ organisationId, id }: Entity, file: string) => `${organisationId}/${id}/${file}`;
const both = async (entity: Entity, name = 'transport') => ({
  active: await kids(at(entity, `${name}.jwks`)),
  inactive: await kids(at(entity, `inactive/${name}.jwks`)),
});

async function refusal(path: string): Promise<[number, string]> {
  const response = await get(path);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { code, detail } = (await response.json()) as { code: string; detail: string };
  expect(detail).not.toBe('');
  return [response.status, code];
}

describe('[F13] a key store', () => {
  it('has the keys of an application by what they are for, with their certificates', async () => {
    const entity = await app();
    const [leaf, authority] = chainOf();
    const transport = await add(entity, { material: { certificate: pem(leaf, authority) } });
    const signs = await add(entity, signing());
    const { jwk } = publicJwk();
    await add(entity, { usage: 'encryption', material: { jwk: { ...jwk, kid: 'ours', alg: 'ECDH-ES' } } });
    const read = async (file: string) => ((await (await get(at(entity, file))).json()) as { keys: JWK[] }).keys;
    const [x5tS256, kid] = [transport.x5tS256 ?? '', transport.kid];
    const { crv, x, y } = transport.publicJwk;
    expect(await read('transport.jwks')).toEqual([
      {
        ...{ kty: 'EC', crv, x, y, kid, use: 'sig', 'x5t#S256': x5tS256 },
        x5c: [leaf.toString('base64'), authority.toString('base64')],
        x5u: `${ORIGIN}/keystore/${at(entity, `${x5tS256}.pem`)}`,
      },
    ]);
    expect(await read('signing.jwks')).toMatchObject([{ kid: signs.kid, use: 'sig' }]);
    const encryption = { ...jwk, kid: await calculateJwkThumbprint(jwk as JWK), use: 'enc', alg: 'ECDH-ES' };
    expect(await read('encryption.jwks')).toEqual([encryption]);
    expect(await read('application.jwks')).toMatchObject([encryption, { kid: signs.kid }]);
    for (const key of await read('transport.jwks')) expect(await calculateJwkThumbprint(key)).toBe(key.kid);
    expect(await both(entity, 'application')).toMatchObject({ inactive: [] });
  });

  it('moves a revoked key from active to inactive at one seq', async () => {
    const entity = await app();
    const [stays, goes] = [await add(entity), await add(entity)];
    expect(await both(entity)).toEqual({ active: [goes.kid, stays.kid], inactive: [] });
    const before = await service.seq();
    await revoke(goes.id, 'key_compromise');
    for (const file of ['transport.jwks', 'inactive/transport.jwks']) {
      const response = await get(at(entity, file));
      expect(Number(response.headers.get('x-registry-seq'))).toBe(before + 1);
    }
    expect(await both(entity)).toEqual({ active: [stays.kid], inactive: [goes.kid] });
  });

  it('shows none of a suspended application or organisation as active, and all again once it is reinstated', async () => {
    const theirs = await service.organisation(await service.authority());
    const entity = await service.entity(theirs);
    const { kid } = await add(entity);
    const [active, inactive] = [
      { active: [kid], inactive: [] },
      { active: [], inactive: [kid] },
    ];
    expect(await both(entity)).toEqual(active);
    await transitionEntity(service.context(), entity.id, 'suspend', 'by a test');
    expect(await both(entity)).toEqual(inactive);
    await transitionEntity(service.context(), entity.id, 'reinstate', 'by a test');
    expect(await both(entity)).toEqual(active);
    await transitionOrganisation(service.context(), theirs.id, 'suspend', 'by a test');
    expect(await both(entity)).toEqual(inactive);
    expect(await kids(`${theirs.id}/transport.jwks`)).toEqual([]);
    expect(await kids(`${theirs.id}/inactive/transport.jwks`)).toEqual([kid]);
    await transitionOrganisation(service.context(), theirs.id, 'revoke', 'by a test');
    expect(await both(entity)).toEqual(inactive);
  });

  it('goes by decisions and dates: on hold, superseded later, not begun yet, expired', async () => {
    const entity = await app();
    const held = await add(entity, signing());
    await holdCredential(service.context(), held.id, 'hold', 'by a test');
    expect(await both(entity, 'signing')).toEqual({ active: [], inactive: [held.kid] });
    await holdCredential(service.context(), held.id, 'release', 'by a test');
    const now = service.clock.now();
    const replacement = { material: signing().material, until: inSeconds(90) };
    const next = await replaceCredential(service.context(), held.id, replacement);
    expect(await both(entity, 'signing')).toEqual({ active: [next.kid, held.kid], inactive: [] });
    const ends = publicJwk().jwk;
    const short = await add(entity, { usage: 'signing', material: { jwk: ends, notAfter: inSeconds(40) } });
    const later = certificate({ notBefore: zulu(now + 120), extensions: [DIGITAL_SIGNATURE] });
    const future = await add(entity, { usage: 'signing', material: { certificate: pem(later) } });
    const response = await get(at(entity, 'signing.jwks'));
    expect(response.headers.get('cache-control')).toBe('public, max-age=41');
    expect(await both(entity, 'signing')).toEqual({ active: [short.kid, next.kid, held.kid], inactive: [] });
    service.clock.advance(60);
    expect(await both(entity, 'signing')).toEqual({ active: [next.kid, held.kid], inactive: [short.kid] });
    expect((await get(at(entity, 'signing.jwks'))).headers.get('cache-control')).toBe('public, max-age=30');
    service.clock.advance(60);
    expect(await both(entity, 'signing')).toEqual({ active: [future.kid, next.kid], inactive: [short.kid, held.kid] });
  });

  it('says nothing of what never counted: of who was not approved, or before its time began', async () => {
    const pending = await app({}, 'pending');
    await add(pending);
    expect(await refusal(at(pending, 'transport.jwks'))).toEqual([404, 'not_found']);
    const entity = await app();
    const early = pem(certificate({ notBefore: zulu(service.clock.now() + 3600) }));
    const { id } = await add(entity, { material: { certificate: early } });
    await revoke(id);
    expect(await both(entity)).toEqual({ active: [], inactive: [] });
  });

  it('has the keys of an organisation, of tests and of each environment apart', async () => {
    const theirs = await service.organisation(await service.authority());
    const of = async (settings: Partial<NewEntity>) => (await add(await service.entity(theirs, settings))).kid;
    const live = [await of({}), await of({})].toReversed();
    const sandbox = await of({ environment: 'sandbox' });
    const test = await of({ mode: 'test' });
    expect(await kids(`${theirs.id}/transport.jwks`)).toEqual(live);
    expect(await kids(`${theirs.id}/transport.jwks?environment=sandbox`)).toEqual([sandbox]);
    expect(await kids(`${theirs.id}/transport.jwks?mode=test`)).toEqual([test]);
    expect(await refusal(`${theirs.id}/transport.jwks?mode=x`)).toEqual([400, 'validation_failed']);
  });

  it('has a renewed key once where it signs, and each certificate of it where TLS compares them', async () => {
    const entity = await app();
    const key = ecKey();
    const first = await add(entity, clientOf(key, 1));
    const second = await add(entity, clientOf(key, 2));
    const { keys } = (await (await get(at(entity, 'transport.jwks'))).json()) as { keys: JWK[] };
    expect(keys.map((jwk) => jwk['x5t#S256'])).toEqual([second.x5tS256, first.x5tS256]);
    const signer = ecKey();
    await add(entity, signing(signer));
    const jwk = publicJwk(signer);
    await add(entity, { usage: 'signing', material: jwk });
    expect((await both(entity, 'signing')).active).toHaveLength(1);
  });

  it('409 limit_reached: an organisation has more keys that count than one answer takes; former ones are cut', async () => {
    const theirs = await service.organisation(await service.authority());
    const entity = await service.entity(theirs);
    const { id } = await add(entity, signing());
    const [row] = await service.db.select().from(credentials).where(eq(credentials.id, id));
    if (row === undefined) throw new Error('no row');
    const copies = Array.from({ length: 250 }, (_, index) => ({ ...row, id: nextId(), kid: `copy-${index}` }));
    await service.db.insert(credentials).values(copies);
    expect(await refusal(`${theirs.id}/signing.jwks`)).toEqual([409, 'limit_reached']);
    expect(await kids(`${theirs.id}/transport.jwks`)).toEqual([]);
    await transitionEntity(service.context(), entity.id, 'suspend', 'by a test');
    expect(await kids(`${theirs.id}/signing.jwks`)).toEqual([]);
    expect(await kids(`${theirs.id}/inactive/signing.jwks`)).toHaveLength(250);
  });

  it('gives certificates as PEM that openssl reads, the leaf first, by kid and by fingerprint', async () => {
    const entity = await app();
    const [leaf, authority] = chainOf();
    const { id, kid, x5tS256 } = await add(entity, { material: { certificate: pem(leaf, authority) } });
    for (const name of [kid, x5tS256]) {
      const response = await get(at(entity, `${name}.pem`));
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'application/pem-certificate-chain',
      ]);
      const text = await response.text();
      expect(text).toBe(pem(leaf, authority));
      const shown = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], { input: text }).toString();
      const hex = Buffer.from(x5tS256 ?? '', 'base64url').toString('hex');
      expect(shown.replaceAll(':', '').toLowerCase()).toContain(hex);
    }
    await revoke(id);
    expect((await get(at(entity, `${kid}.pem`))).status).toBe(200);
    const { jwk } = publicJwk();
    await add(entity, { usage: 'signing', material: { jwk: { ...jwk, kid: 'ours' } } });
    const bare = await get(at(entity, `${await calculateJwkThumbprint(jwk as JWK)}.pem`));
    expect([bare.status, await bare.json()]).toMatchObject([
      404,
      { detail: expect.stringContaining('without a cert') },
    ]);
    expect(await refusal(at(entity, `${'x'.repeat(43)}.pem`))).toEqual([404, 'not_found']);
    const other = await app();
    expect(await refusal(at(other, `${kid}.pem`))).toEqual([404, 'not_found']);
  });

  it('is read by jose from its address, which takes the key that signed', async () => {
    await using server = await service.listen();
    const entity = await app();
    const key = ecKey();
    const { id, kid } = await add(entity, signing(key));
    const url = new URL(`${server.origin}/keystore/${at(entity, 'signing.jwks')}`);
    const jws = await new CompactSign(Buffer.from('signed'))
      .setProtectedHeader({ alg: 'ES256', kid })
      .sign(key.privateKey);
    const { payload } = await compactVerify(jws, createRemoteJWKSet(url));
    expect(Buffer.from(payload).toString()).toBe('signed');
    await revoke(id);
    await expect(compactVerify(jws, createRemoteJWKSet(url))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });

  it('tells who has its bytes that nothing changed, from any origin', async () => {
    const entity = await app();
    const { id } = await add(entity);
    const path = at(entity, 'transport.jwks');
    const first = await get(path);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'cache-control': 'public, max-age=60',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    });
    const etag = first.headers.get('etag') ?? '';
    await add(await app());
    const again = await get(path, { 'if-none-match': etag });
    expect([again.status, await again.text(), Number(again.headers.get('x-registry-seq'))]).toEqual([
      304,
      '',
      await service.seq(),
    ]);
    const head = await service.fetch(`${ORIGIN}/keystore/${path}`, { method: 'HEAD' });
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag]);
    await revoke(id);
    const changed = await get(path, { 'if-none-match': etag });
    expect([changed.status, await changed.json()]).toEqual([200, { keys: [] }]);
  });

  it.each([
    [NO_SUCH_ID, 'transport.jwks'],
    ['not-an-id', 'transport.jwks'],
    [`${NO_SUCH_ID}/${NO_SUCH_ID}`, 'transport.jwks'],
  ])('404 %s/%s', async (owner, file) => {
    expect(await refusal(`${owner}/${file}`)).toEqual([404, 'not_found']);
    expect(await refusal(`${owner}/inactive/${file}`)).toEqual([404, 'not_found']);
  });

  it.each(['other.jwks', 'transport', 'transport.pem', 'x.pem', '%00.jwks', 'constructor.jwks'])(
    '404 %s',
    async (file) => {
      const entity = await app();
      expect(await refusal(at(entity, file))).toEqual([404, 'not_found']);
    },
  );

  it('404 of an application under another organisation than its own', async () => {
    const entity = await app();
    const other = await service.organisation(await service.authority());
    expect(await refusal(`${other.id}/${entity.id}/transport.jwks`)).toEqual([404, 'not_found']);
  });

  it('405 for anything but reading', async () => {
    const response = await service.fetch(`${ORIGIN}/keystore/${NO_SUCH_ID}/transport.jwks`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

it('[F13] [F14] nothing is shown and nothing signed while the state is not confirmed', async () => {
  const cut = await databaseWithFeedSwitch();
  await using lagging = await TestService.start(cut.database, {});
  const entity = await lagging.entity(await lagging.organisation(await lagging.authority()));
  const headers = await lagging.bearer(['auditor']);
  const answers = async () => [
    (await lagging.fetch(`${ORIGIN}/keystore/${at(entity, 'transport.jwks')}`)).status,
    (await lagging.fetch(`${ORIGIN}/api/v1/entities/${entity.id}/assertion`, { headers })).status,
  ];
  expect(await answers()).toEqual([200, 200]);
  cut.feed.isCut = true;
  lagging.monotonic.aheadMs += 60_000;
  expect(await answers()).toEqual([503, 503]);
  cut.feed.isCut = false;
  expect(await answers()).toEqual([200, 200]);
});

function clientOf(key: KeyPair, serial: number): Partial<NewCredential> {
  return { material: clientCertificate(key, serial) };
}

function inSeconds(seconds: number): Date {
  return new Date((service.clock.now() + seconds) * 1000);
}

/** UTCTime, as certificates write it. */
function zulu(seconds: number): string {
  const [date = '', time = ''] = new Date(seconds * 1000).toISOString().slice(2, 19).split('T');
  return `${date.replaceAll('-', '')}${time.replaceAll(':', '')}Z`;
}
