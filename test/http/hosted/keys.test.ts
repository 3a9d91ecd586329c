import { createHash } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { claimsOf, headerOf } from '../../support/answers.ts';
import { refusalOf } from '../../support/api-client.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { buildFederation } from '../../support/federation.ts';
import { METADATA, startHosting, type TestHosting } from '../../support/hosting.ts';
import { type TestKey, testKey } from '../../support/keys.ts';
import { inProcessClient, outcomeText, RelyingParty } from '../../support/relying-parties.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Relying Parties hold a Subordinate Statement for longer than a configuration lives, and the other way round. */
const LIFETIMES = { configurationLifetimeSeconds: DAY, statementLifetimeSeconds: 4 * DAY };

/** Relying Parties that keep everything for as long as they may, each asking at another rhythm. */
async function relyingParties(hosting: TestHosting): Promise<(hour: number, sub: string) => Promise<string[]>> {
  const { service, anchor } = hosting;
  const client = inProcessClient(service, await buildFederation({}));
  const trustAnchors = await service.trustAnchors(anchor);
  const parties = [1, 5, 11, 29].map((every) => ({
    every,
    party: new RelyingParty({ client, clock: service.clock, trustAnchors }),
  }));
  return async (hour, sub) => {
    const due = parties.filter(({ every }) => hour % every === 0);
    return await Promise.all(due.map(async ({ party }) => outcomeText(await party.resolve(sub))));
  };
}

async function kidsIn(hosting: TestHosting, id: string): Promise<Record<string, string>> {
  const { keys } = await hosting.hosting(id);
  return Object.fromEntries(keys.map(({ kid, state }: { kid: string; state: string }) => [kid, state]));
}

async function statementKids(hosting: TestHosting, sub: string): Promise<string[]> {
  const statement = await (await hosting.service.ask(hosting.anchor, 'fetch', { sub })).text();
  const { jwks } = claimsOf(statement) as unknown as { jwks: { keys: { kid: string }[] } };
  return jwks.keys.map(({ kid }) => kid);
}

const digestOf = (jwt: string) => createHash('sha256').update(jwt).digest('base64url');

let keyNumber = 7000;
const freshKey = () => testKey('ES256', ++keyNumber);

describe.each(DATABASE_KINDS)('keys of hosted entities on %s', (kind) => {
  let hosting: TestHosting;

  beforeAll(async () => {
    hosting = await startHosting(kind, {}, LIFETIMES);
  });

  afterEach(() => expect(hosting.service.failures).toEqual([]));

  afterAll(() => hosting[Symbol.asyncDispose]());

  describe('a roll', () => {
    it('[OIDFED-11.2-1] fails no chain for anybody who keeps what may be kept', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const ask = await relyingParties(hosting);
      const failures: string[] = [];
      const signers = new Set<unknown>();
      for (let hour = 0; hour < 24 * 20; hour++) {
        if (hour === 30 || hour === 24 * 10) expect((await hosting.roll(id)).status).toBe(201);
        await hosting.service.rollHostedKeys();
        signers.add(headerOf(await hosting.configuration(entityIdentifier))['kid']);
        for (const outcome of await ask(hour, entityIdentifier))
          if (outcome !== 'resolved') failures.push(`${hour} ${outcome}`);
        hosting.service.clock.advance(HOUR);
      }
      expect(failures).toEqual([]);
      expect(signers.size).toBe(3);
      expect(Object.values(await kidsIn(hosting, id))).toEqual(['removed', 'removed', 'active']);
      expect(await statementKids(hosting, entityIdentifier)).toHaveLength(1);
    });

    it('[OIDFED-11.2-2] lists the new key at once, here and above, and lets it sign when no statement without it is in use', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const before = headerOf(await hosting.configuration(entityIdentifier))['kid'] as string;
      const { body } = await hosting.roll(id);
      const [first, next] = body.keys;
      expect([first.kid, first.state, next.state]).toEqual([before, 'active', 'announced']);
      const listed = [first.kid, next.kid];
      expect(await statementKids(hosting, entityIdentifier)).toEqual(listed);
      const configuration = claimsOf(await hosting.configuration(entityIdentifier));
      expect(configuration).toMatchObject({ jwks: { keys: listed.map((kid) => expect.objectContaining({ kid })) } });
      const now = hosting.service.clock.now();
      expect((Date.parse(next.activateAfter) / 1000 - now) / DAY).toBeGreaterThanOrEqual(4);
      expect(refusalOf(await hosting.roll(id))).toBe('409 key_roll_pending');
      await hosting.service.rollHostedKeys();
      expect(headerOf(await hosting.configuration(entityIdentifier))['kid']).toBe(before);
    });

    it('waits while the entity is suspended', async () => {
      const { id } = await hosting.host();
      await hosting.roll(id);
      await hosting.transition(id, 'suspend');
      hosting.service.clock.advance(10 * DAY);
      await hosting.service.rollHostedKeys();
      expect(Object.values(await kidsIn(hosting, id))).toEqual(['active', 'announced']);
      expect(refusalOf(await hosting.roll(id))).toBe('409 entity_not_active');
      await hosting.transition(id, 'reinstate');
      await hosting.service.rollHostedKeys();
      expect(Object.values(await kidsIn(hosting, id))).toEqual(['retired', 'active']);
    });

    it('uses the announced key at once when the present one is compromised', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const { body } = await hosting.roll(id);
      const [present, announced] = body.keys;
      const stolen = { kid: present.kid, reason: 'stolen' };
      await hosting.registrar.post(`/api/v1/entities/${id}/keys/compromise`, stolen);
      const rolled = await hosting.roll(id);
      expect([rolled.status, headerOf(await hosting.configuration(entityIdentifier))['kid']]).toEqual([
        201,
        announced.kid,
      ]);
      expect(await statementKids(hosting, entityIdentifier)).toEqual([announced.kid]);
    });

    it('is on record with what became of each key, and without a private one', async () => {
      const { id } = await hosting.host();
      await hosting.roll(id);
      const { body } = await hosting.admin.get(`/api/v1/audit?entity=${id}`).catch(() => ({ body: undefined }));
      const rows = (await hosting.service.auditAfter()).filter(({ subjectId }) => subjectId === id);
      const rolled = rows.find(({ action }) => action === 'entity.roll_hosted_key');
      expect(rolled).toMatchObject({
        reason: 'yearly',
        after: { hosting: { keys: [{ state: 'active' }, { state: 'announced' }] } },
      });
      expect(JSON.stringify([rows, body ?? {}])).not.toMatch(/"d":|sealed_?private/i);
    });
  });

  describe('an entity that takes its key', () => {
    const freshPair = () => generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });

    async function take(id: string, made?: Awaited<ReturnType<typeof freshPair>>) {
      const pair = made ?? (await freshPair());
      const recipient = { ...(await exportJWK(pair.publicKey)), kid: 'theirs' };
      const answer = await hosting.admin.post(`/api/v1/entities/${id}/hosting/take`, {
        recipient,
        reason: 'moves out',
      });
      return { answer, open: (jwe: string) => compactDecrypt(jwe, pair.privateKey) };
    }

    async function taken(id: string): Promise<TestKey> {
      const { answer, open } = await take(id);
      expect(answer.status).toBe(200);
      const { plaintext } = await open(answer.body.jwe);
      const { kid } = answer.body;
      const privateJwk = { ...JSON.parse(new TextDecoder().decode(plaintext)), kid };
      const { d: _, ...jwk } = privateJwk;
      const privateKey = (await importJWK(privateJwk, 'ES256')) as CryptoKey;
      return { alg: 'ES256', kid, privateKey, jwk: { ...jwk, kid, alg: 'ES256', use: 'sig' }, privateJwk };
    }

    it('gets it once, encrypted, on record; what was published goes on to be served until it expires', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const before = await hosting.configuration(entityIdentifier);
      const key = await taken(id);
      expect(key.kid).toBe(headerOf(before)['kid']);
      expect(await hosting.configuration(entityIdentifier)).toBe(before);
      expect(refusalOf((await take(id)).answer)).toBe('409 not_hosted');
      const hosted = await hosting.hosting(id);
      expect([hosted.mode, hosted.keys[0].state]).toEqual(['uploaded', 'handed_over']);
      const rows = (await hosting.service.auditAfter()).filter(({ subjectId }) => subjectId === id);
      expect(rows.at(-1)).toMatchObject({
        action: 'entity.take_hosted_key',
        reason: 'moves out',
        after: { takenKid: key.kid, recipient: { kid: 'theirs' } },
      });
      expect(JSON.stringify(rows)).not.toContain(String(key.privateJwk['d']));
      const { exp } = claimsOf(before) as { exp: number };
      hosting.service.clock.advance(exp - hosting.service.clock.now());
      expect((await hosting.ask(entityIdentifier)).status).toBe(404);
    });

    it('hears what is given up with it, and until when what was signed here is served', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const { exp } = claimsOf(await hosting.configuration(entityIdentifier)) as { exp: number };
      await hosting.roll(id);
      const announced = (await hosting.hosting(id)).keys.find(({ state }: { state: string }) => state === 'announced');
      const { answer } = await take(id);
      const servedUntil = new Date(exp * 1000).toISOString();
      expect(answer.body).toMatchObject({ droppedKid: announced.kid, servedUntil });
      expect(await statementKids(hosting, entityIdentifier)).toEqual([answer.body.kid]);
      const hosted = await hosting.hosting(id);
      expect(hosted).toMatchObject({ mode: 'uploaded', awaitsUpload: true, uploadedIat: null, servedUntil });
      expect(hosted.keys).toMatchObject([
        { kid: answer.body.kid, state: 'handed_over', custody: 'partner' },
        { kid: announced.kid, state: 'removed', activateAfter: null, removeAfter: null },
      ]);
    });

    it('may leave out the kid of the recipient: it is called by its thumbprint', async () => {
      const { id, entityIdentifier } = await hosting.host();
      await hosting.configuration(entityIdentifier);
      const { publicKey, privateKey } = await freshPair();
      const recipient = await exportJWK(publicKey);
      const body = { recipient, reason: 'moves out' };
      const answer = await hosting.admin.post(`/api/v1/entities/${id}/hosting/take`, body);
      expect(answer.status).toBe(200);
      const { protectedHeader } = await compactDecrypt(answer.body.jwe, privateKey);
      expect(protectedHeader.kid).toBe(await calculateJwkThumbprint(recipient));
    });

    it('gets the same answer again when it got lost, until it uploads; nobody else gets any', async () => {
      const { id, entityIdentifier } = await hosting.host();
      await hosting.configuration(entityIdentifier);
      const pair = await freshPair();
      const [first, again] = [await take(id, pair), await take(id, pair)];
      expect([first.answer.status, again.answer.status, again.answer.body]).toEqual([200, 200, first.answer.body]);
      expect(refusalOf((await take(id)).answer)).toBe('409 not_hosted');
      expect(JSON.stringify(await hosting.service.auditAfter())).not.toContain(first.answer.body.jwe);
      expect(JSON.stringify(await hosting.hosting(id))).not.toContain(first.answer.body.jwe);
      const { plaintext } = await again.open(again.answer.body.jwe);
      const privateJwk = JSON.parse(new TextDecoder().decode(plaintext));
      const { d: _, ...jwk } = { ...privateJwk, kid: first.answer.body.kid, alg: 'ES256', use: 'sig' };
      const privateKey = (await importJWK(privateJwk, 'ES256')) as CryptoKey;
      hosting.service.clock.advance(10);
      const own = await hosting.signed(entityIdentifier, { alg: 'ES256', kid: jwk.kid, privateKey, jwk, privateJwk });
      expect((await hosting.upload(id, own)).status).toBe(200);
      expect(refusalOf((await take(id, pair)).answer)).toBe('409 not_hosted');
    });

    it('may bring another one, if it lost that key before it signed with it', async () => {
      const { id, entityIdentifier } = await hosting.host();
      await hosting.configuration(entityIdentifier);
      await taken(id);
      const key = await freshKey();
      expect((await hosting.bring({ id, entityIdentifier }, key)).status).toBe(201);
      hosting.service.clock.advance(5 * DAY);
      const own = await hosting.signed(entityIdentifier, key);
      expect((await hosting.upload(id, own)).status).toBe(200);
      expect(await hosting.configuration(entityIdentifier)).toBe(own);
    });

    it('signs and uploads from then on, and nothing older than before', async () => {
      const { id, entityIdentifier } = await hosting.host();
      await hosting.configuration(entityIdentifier);
      const key = await taken(id);
      const same = await hosting.signed(entityIdentifier, key);
      expect(refusalOf(await hosting.upload(id, same))).toBe('400 validation_failed /configuration');
      hosting.service.clock.advance(10);
      const own = await hosting.signed(entityIdentifier, key);
      expect((await hosting.upload(id, own)).status).toBe(200);
      expect(await hosting.configuration(entityIdentifier)).toBe(own);
      const { iat, exp } = claimsOf(own) as { iat: number; exp: number };
      const servedUntil = new Date(exp * 1000).toISOString();
      expect(await hosting.hosting(id)).toMatchObject({ awaitsUpload: false, uploadedIat: iat, servedUntil });
      const uploads = async () =>
        (await hosting.service.auditAfter()).filter(
          ({ subjectId, action }) => subjectId === id && action === 'entity.upload_configuration',
        );
      expect([(await hosting.upload(id, own)).status, await uploads()]).toEqual([
        200,
        [expect.objectContaining({ after: expect.objectContaining({ digest: digestOf(own) }) })],
      ]);
      const ask = await relyingParties(hosting);
      expect(new Set(await ask(0, entityIdentifier))).toEqual(new Set(['resolved']));
      await hosting.transition(id, 'suspend');
      expect((await hosting.ask(entityIdentifier)).status).toBe(404);
    });

    it.each([
      ['a signing key', { use: 'sig' }],
      ['a key of another kind', { kty: 'RSA', n: 'AQAB', e: 'AQAB', crv: undefined }],
      ['a private key', { d: 'AAAA' }],
      ['a point that is not on the curve', { x: 'A'.repeat(43) }],
    ])('must name a public key to encrypt to, not %s', async (_, changes) => {
      const { id } = await hosting.host();
      const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
      const recipient = { ...(await exportJWK(publicKey)), kid: 'theirs', ...changes };
      const answer = await hosting.admin.post(`/api/v1/entities/${id}/hosting/take`, { recipient, reason: 'x' });
      expect(refusalOf(answer)).toMatch(/^400 validation_failed \/recipient/);
      expect((await hosting.hosting(id)).mode).toBe('signed_here');
    });

    it('needs an admin for it', async () => {
      const { id } = await hosting.host();
      const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
      const recipient = { ...(await exportJWK(publicKey)), kid: 'theirs' };
      const answer = await hosting.registrar.post(`/api/v1/entities/${id}/hosting/take`, { recipient, reason: 'x' });
      expect(refusalOf(answer)).toBe('403 role_missing');
    });
  });

  describe('an entity that brings its key', () => {
    it('may upload when no statement without it is in use; no chain fails meanwhile', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const ask = await relyingParties(hosting);
      const key = await freshKey();
      const failures: string[] = [];
      let uploadedAt: number | undefined;
      for (let hour = 0; hour < 24 * 12; hour++) {
        if (hour === 7) expect((await hosting.bring({ id, entityIdentifier }, key)).status).toBe(201);
        if (hour === 8) expect(await statementKids(hosting, entityIdentifier)).toContain(key.kid);
        await hosting.service.rollHostedKeys();
        if (hour > 8 && hour % 12 === 0) {
          const signed = await hosting.signed(entityIdentifier, key, { exp: hosting.service.clock.now() + DAY });
          const answer = await hosting.upload(id, signed);
          if (answer.status === 200) uploadedAt ??= hour;
          else expect(refusalOf(answer)).toBe('409 key_not_ready');
        }
        for (const outcome of await ask(hour, entityIdentifier))
          if (outcome !== 'resolved') failures.push(`${hour} ${outcome}`);
        hosting.service.clock.advance(HOUR);
      }
      expect(failures).toEqual([]);
      expect(uploadedAt).toBeGreaterThan(7 + 4 * 24);
      expect(Object.values(await kidsIn(hosting, id))).toEqual(['removed', 'handed_over']);
      expect(await statementKids(hosting, entityIdentifier)).toEqual([key.kid]);
    });

    it('must prove it: a key that did not answer the challenge is not listed', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const [key, other] = [await freshKey(), await freshKey()];
      const answer = await hosting.bring({ id, entityIdentifier }, { ...key, jwk: other.jwk, kid: other.kid });
      expect(refusalOf(answer)).toMatch(/^400 validation_failed \/keyProofs/);
      expect(await statementKids(hosting, entityIdentifier)).toHaveLength(1);
    });
  });

  describe('an upload', () => {
    it.each<[string, (entity: string, key: TestKey, stranger: TestKey) => Promise<string> | string]>([
      ['that is no JWT', () => 'no JWT'],
      ['about another entity', (entity, key) => hosting.signed(`${entity}/2`, key)],
      ['signed by a stranger', (entity, _, stranger) => hosting.signed(entity, stranger)],
      ['that has expired', (entity, key) => hosting.signed(entity, key, { exp: hosting.service.clock.now() - HOUR })],
      ['of the future', (entity, key) => hosting.signed(entity, key, { iat: hosting.service.clock.now() + HOUR })],
      [
        'without our authority',
        (entity, key) => hosting.signed(entity, key, { authority_hints: ['https://o.example'] }),
      ],
      [
        'that lives too long',
        (entity, key) => hosting.signed(entity, key, { exp: hosting.service.clock.now() + 91 * DAY }),
      ],
      ['with metadata that is null', (entity, key) => hosting.signed(entity, key, { metadata: { a: { b: null } } })],
    ])('%s is refused, and what was there stays', async (_, make) => {
      const { id, entityIdentifier } = await hosting.host();
      const key = await freshKey();
      await hosting.bring({ id, entityIdentifier }, key);
      hosting.service.clock.advance(5 * DAY);
      const before = await hosting.configuration(entityIdentifier);
      const answer = await hosting.upload(id, await make(entityIdentifier, key, await freshKey()));
      expect(refusalOf(answer)).toBe('400 validation_failed /configuration');
      expect(await hosting.configuration(entityIdentifier)).toBe(before);
    });

    it('signed with a key that was not brought says to bring it', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const key = await freshKey();
      const { body } = await hosting.upload(id, await hosting.signed(entityIdentifier, key));
      expect(body.detail).toContain(`is signed with the key ${key.kid}, which is not registered; bring it first`);
    });

    it('of what we signed ourselves is refused', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const ours = await hosting.configuration(entityIdentifier);
      expect(refusalOf(await hosting.upload(id, ours))).toBe('400 validation_failed /configuration');
    });

    it('for an entity that publishes itself is refused', async () => {
      const { service, anchor } = hosting;
      const entity = await service.entity(await service.organisation(anchor));
      const key = await freshKey();
      const jwt = await hosting.signed(entity.entityIdentifier, key);
      expect(refusalOf(await hosting.upload(entity.id, jwt))).toBe('409 not_hosted');
      expect(refusalOf(await hosting.admin.get(`/api/v1/entities/${entity.id}/hosting`))).toBe('409 not_hosted');
    });

    it('ends with the key that signed it: a compromised one takes it away at once', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const key = await freshKey();
      await hosting.bring({ id, entityIdentifier }, key);
      hosting.service.clock.advance(5 * DAY);
      expect((await hosting.upload(id, await hosting.signed(entityIdentifier, key))).status).toBe(200);
      const stolen = { kid: key.kid, reason: 'stolen' };
      await hosting.registrar.post(`/api/v1/entities/${id}/keys/compromise`, stolen);
      expect((await hosting.ask(entityIdentifier)).status).toBe(404);
    });

    it('leaves its metadata to the entity: we change none of it any more', async () => {
      const { id, entityIdentifier } = await hosting.host();
      const key = await freshKey();
      await hosting.bring({ id, entityIdentifier }, key);
      hosting.service.clock.advance(5 * DAY);
      const uploaded = await hosting.upload(id, await hosting.signed(entityIdentifier, key));
      const changes = { metadata: METADATA, configurationLifetimeSeconds: 600 };
      const path = `/api/v1/entities/${id}/hosting`;
      expect(refusalOf(await hosting.registrar.patch(path, changes, { 'if-match': uploaded.etag }))).toBe(
        '409 not_hosted',
      );
      expect(refusalOf(await hosting.roll(id))).toBe('409 not_hosted');
      const stopped = await hosting.registrar.post(`${path}/stop`, { reason: 'moves' });
      expect(refusalOf(stopped)).toBe('400 validation_failed /entityIdentifier');
    });
  });
});
