import { desc, eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { issuedStatements } from '../../../src/storage/schema/issued-statements.ts';
import { claimsOf, headerOf, jwtOf } from '../../support/answers.ts';
import { refusalOf } from '../../support/api-client.ts';
import { buildFederation } from '../../support/federation.ts';
import { HOSTED_BASE_URL, METADATA, startHosting, type TestHosting } from '../../support/hosting.ts';
import { hostedEntity } from '../../support/hosting-verbs.ts';
import { inProcessClient, outcomeText, RelyingParty } from '../../support/relying-parties.ts';

const CONFIGURATION = 'application/entity-statement+jwt';
const LIFETIME = 86_400;

let hosting: TestHosting;

beforeAll(async () => {
  hosting = await startHosting('embedded');
});

afterEach(() => expect(hosting.service.failures).toEqual([]));

afterAll(() => hosting[Symbol.asyncDispose]());

async function resolved(entityIdentifier: string): Promise<string> {
  const { service, anchor } = hosting;
  const client = inProcessClient(service, await buildFederation({}));
  const trustAnchors = await service.trustAnchors(anchor);
  return outcomeText(await new RelyingParty({ client, clock: service.clock, trustAnchors }).resolve(entityIdentifier));
}

describe('an entity that is hosted here', () => {
  it('is checked as what would be published, and pending: nothing is', async () => {
    const { status, body } = await hosting.enrol();
    expect([status, body.state, body.enrolment, body.entityTypes]).toEqual([
      201,
      'pending',
      'hosted',
      Object.keys(METADATA),
    ]);
    expect(body.checks.map(({ outcome }: { outcome: string }) => outcome)).toEqual(body.checks.map(() => 'passed'));
    expect(body.evidence.claims).toMatchObject({ iss: body.entityIdentifier, metadata: METADATA });
    expect((await hosting.ask(body.entityIdentifier)).status).toBe(404);
  });

  it('[OIDFED-9-3] is published once it is active, by the key that its superior lists', async () => {
    const { id, entityIdentifier } = await hosting.host();
    const response = await hosting.ask(entityIdentifier);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'public, max-age=60',
      'access-control-allow-origin': '*',
      etag: expect.any(String),
    });
    const jwt = await jwtOf(response, CONFIGURATION);
    const [key] = (await hosting.hosting(id)).keys;
    expect(headerOf(jwt)).toEqual({ typ: 'entity-statement+jwt', alg: 'ES256', kid: key.kid });
    expect(claimsOf(jwt)).toEqual({
      ...{ iss: entityIdentifier, sub: entityIdentifier, iat: expect.any(Number), exp: expect.any(Number) },
      jwks: { keys: [key.publicJwk] },
      authority_hints: [hosting.anchor.entityIdentifier],
      metadata: METADATA,
    });
    const statement = await hosting.service.ask(hosting.anchor, 'fetch', { sub: entityIdentifier });
    expect(claimsOf(await statement.text())).toMatchObject({ jwks: { keys: [key.publicJwk] } });
  });

  it('resolves for whoever trusts our Trust Anchor', async () => {
    const { entityIdentifier } = await hosting.host();
    expect(await resolved(entityIdentifier)).toBe('resolved');
  });

  it('is served again and again as it was signed, to whoever knows it without its bytes', async () => {
    const { entityIdentifier } = await hosting.host();
    const first = await hosting.ask(entityIdentifier);
    const etag = first.headers.get('etag') ?? '';
    const again = await hosting.ask(entityIdentifier, { headers: { 'if-none-match': etag } });
    expect([await first.text(), again.status, await again.text()]).toEqual([
      await hosting.configuration(entityIdentifier),
      304,
      '',
    ]);
    const head = await hosting.ask(entityIdentifier, { method: 'HEAD' });
    expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
    const preflight = await hosting.ask(entityIdentifier, { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, HEAD, OPTIONS',
    ]);
  });

  it('is signed anew before half the life of its configuration is over, over and over, without a gap', async () => {
    const { entityIdentifier } = await hosting.host();
    let signatures = 0;
    let before = '';
    for (let hours = 0; hours < 24 * 5; hours++) {
      const jwt = await hosting.configuration(entityIdentifier);
      const { iat, exp } = claimsOf(jwt) as { iat: number; exp: number };
      expect(hosting.service.clock.now() - iat).toBeLessThanOrEqual((exp - iat) / 2);
      expect(exp - iat).toBe(LIFETIME);
      if (jwt !== before) signatures++;
      before = jwt;
      hosting.service.clock.advance(3600);
    }
    expect(signatures).toBeGreaterThan(8);
    expect(signatures).toBeLessThan(14);
  });

  it('survives a restart with the same bytes', async () => {
    const { entityIdentifier } = await hosting.host();
    const before = await hosting.configuration(entityIdentifier);
    await hosting.service.restart();
    expect(await hosting.configuration(entityIdentifier)).toBe(before);
  });

  it.each(['suspend', 'withdraw', 'revoke'])('is gone at once when somebody makes it %s', async (transition) => {
    const { id, entityIdentifier } = await hosting.host();
    await hosting.configuration(entityIdentifier);
    await hosting.transition(id, transition);
    const response = await hosting.ask(entityIdentifier);
    expect([response.status, await response.text(), response.headers.get('cache-control')]).toEqual([
      404,
      '',
      'no-store',
    ]);
    expect(await resolved(entityIdentifier)).not.toBe('resolved');
  });

  it('is back when it is reinstated; one that was closed is not, and its private key is destroyed', async () => {
    const { id, entityIdentifier } = await hosting.host();
    await hosting.transition(id, 'suspend');
    await hosting.transition(id, 'reinstate');
    expect((await hosting.ask(entityIdentifier)).status).toBe(200);
    await hosting.transition(id, 'withdraw');
    const ended = await hosting.hosting(id);
    expect([ended.endedAt, ended.keys[0].state]).toEqual([expect.any(String), 'removed']);
    const again = await hosting.host(entityIdentifier);
    const { kid } = headerOf(await hosting.configuration(entityIdentifier));
    expect(kid).toBe((await hosting.hosting(again.id)).keys[0].kid);
    expect(kid).not.toBe(ended.keys[0].kid);
  });

  it('is gone at once with its organisation', async () => {
    const { service, anchor } = hosting;
    const organisation = await service.organisation(anchor);
    const entityIdentifier = hosting.identifier();
    const body = { organisationId: organisation.id, entityIdentifier, hosting: { metadata: METADATA } };
    const enrolled = await hosting.registrar.post('/api/v1/entities', body);
    await hosting.transition(enrolled.body.id, 'approve', { 'if-match': enrolled.etag });
    expect((await hosting.ask(entityIdentifier)).status).toBe(200);
    await transitionOrganisation(service.context(), organisation.id, 'suspend', 'by a test');
    expect((await hosting.ask(entityIdentifier)).status).toBe(404);
    await transitionOrganisation(service.context(), organisation.id, 'reinstate', 'by a test');
    expect((await hosting.ask(entityIdentifier)).status).toBe(200);
  });

  it('says what it is told to from the moment of the answer on, and its checks look at it', async () => {
    const { id, entityIdentifier } = await hosting.host();
    const { etag } = await hosting.admin.get(`/api/v1/entities/${id}`);
    const changes = { metadata: { openid_provider: { issuer: entityIdentifier } }, configurationLifetimeSeconds: 7200 };
    const path = `/api/v1/entities/${id}/hosting`;
    expect(refusalOf(await hosting.registrar.patch(path, changes))).toBe('428 version_required');
    const changed = await hosting.registrar.patch(path, changes, { 'if-match': etag });
    expect([changed.status, changed.body.evidence.claims.metadata]).toEqual([200, changes.metadata]);
    const { metadata, iat, exp } = claimsOf(await hosting.configuration(entityIdentifier)) as Record<string, number>;
    expect([metadata, Number(exp) - Number(iat)]).toEqual([changes.metadata, 7200]);
    expect(refusalOf(await hosting.registrar.patch(path, changes, { 'if-match': etag }))).toBe('412 version_mismatch');
  });

  it('is not published while no key of its own is registered: nobody could verify it', async () => {
    const { id, entityIdentifier } = await hosting.host();
    const { kid } = headerOf(await hosting.configuration(entityIdentifier));
    const reason = 'stolen';
    await hosting.registrar.post(`/api/v1/entities/${id}/keys/compromise`, { kid, reason });
    expect((await hosting.ask(entityIdentifier)).status).toBe(404);
    await hosting.service.rollHostedKeys();
    const next = headerOf(await hosting.configuration(entityIdentifier))['kid'];
    expect(next).not.toBe(kid);
    expect(await resolved(entityIdentifier)).toBe('resolved');
    expect(claimsOf(await hosting.configuration(entityIdentifier))).toMatchObject({
      jwks: { keys: [expect.objectContaining({ kid: next })] },
    });
  });

  it('does not take another policy of its superior amiss', async () => {
    const { id, entityIdentifier } = await hosting.host();
    const before = await hosting.configuration(entityIdentifier);
    await updateEntity(hosting.service.context(), id, {
      metadataPolicy: { openid_relying_party: { client_name: { value: 'Set above' } } },
    });
    expect(claimsOf(await hosting.configuration(entityIdentifier))).toMatchObject({ metadata: METADATA });
    expect(claimsOf(before)).toMatchObject({ metadata: METADATA });
  });
});

describe('what cannot be hosted is refused', () => {
  const metadata = METADATA;
  it.each<[string, string, object]>([
    ['400 validation_failed /entityIdentifier', `${HOSTED_BASE_URL}`, { metadata }],
    ['400 validation_failed /entityIdentifier', `${HOSTED_BASE_URL}/`, { metadata }],
    ['400 validation_failed /entityIdentifier', `${HOSTED_BASE_URL}/a/.well-known/b`, { metadata }],
    ['400 validation_failed /entityIdentifier', `${HOSTED_BASE_URL}/federation/fetch`, { metadata }],
    ['400 validation_failed /entityIdentifier', `${HOSTED_BASE_URL}/a/../b`, { metadata }],
    ['400 validation_failed /entityIdentifier', `${HOSTED_BASE_URL}/a%2Fb`, { metadata }],
    ['400 validation_failed /entityIdentifier', `${HOSTED_BASE_URL}/api/v1`, { metadata }],
    ['400 validation_failed /entityIdentifier', `${HOSTED_BASE_URL}:8443/a`, { metadata }],
    ['400 validation_failed /entityIdentifier', 'https://entities.example./a', { metadata }],
    ['400 validation_failed /entityIdentifier', 'http://localhost:9999/a', { metadata }],
    ['400 validation_failed /hosting/metadata', `${HOSTED_BASE_URL}/ok`, { metadata: {} }],
    [
      '400 validation_failed /hosting/metadata/openid_relying_party/client_name',
      `${HOSTED_BASE_URL}/ok`,
      {
        metadata: { openid_relying_party: { client_name: null } },
      },
    ],
    [
      '400 validation_failed /hosting/metadata/federation_entity/federation_fetch_endpoint',
      `${HOSTED_BASE_URL}/ok`,
      {
        metadata: {
          federation_entity: {
            federation_fetch_endpoint: 'https://evil.example/f',
            federation_list_endpoint: 'https://evil.example/l',
          },
        },
      },
    ],
    [
      '400 validation_failed /hosting/configurationLifetimeSeconds',
      `${HOSTED_BASE_URL}/ok`,
      {
        metadata,
        configurationLifetimeSeconds: 1,
      },
    ],
  ])('%s: %s %j', async (expected, entityIdentifier, settings) => {
    expect(refusalOf(await hosting.enrol(entityIdentifier, settings))).toBe(expected);
  });

  it('a second one at the same place, trailing slash or not', async () => {
    const { entityIdentifier } = await hosting.host();
    expect(refusalOf(await hosting.enrol(`${entityIdentifier}/`))).toBe('409 entity_exists');
  });

  it('on the host of an authority, and an authority on the host of hosted entities', async () => {
    const { host } = new URL(hosting.anchor.entityIdentifier);
    expect(refusalOf(await hosting.enrol(`https://${host}/clinic`))).toBe('400 validation_failed /entityIdentifier');
    expect(refusalOf(await hosting.enrol(`https://${host}:8443/clinic`))).toBe(
      '400 validation_failed /entityIdentifier',
    );
    const { entityIdentifier: partner } = await hostedEntity(hosting.service, hosting.anchor);
    for (const entityIdentifier of [HOSTED_BASE_URL, `${HOSTED_BASE_URL}:8443/x`, new URL('/anchor', partner).href]) {
      const answer = await hosting.admin.post('/api/v1/authorities', { entityIdentifier, name: 'Intruder' });
      expect(refusalOf(answer)).toBe('400 validation_failed /entityIdentifier');
    }
  });

  it('under the host name of another organisation', async () => {
    const { id, entityIdentifier: partner } = await hostedEntity(hosting.service, hosting.anchor);
    const enrol = () => hosting.enrol(`${partner}/op`);
    expect(refusalOf(await enrol())).toBe('400 validation_failed /entityIdentifier');
    await hosting.transition(id, 'withdraw');
    expect(refusalOf(await enrol())).toBe('400 validation_failed /entityIdentifier');
  });

  it('at a place under our host name where an entity of another organisation was', async () => {
    const { id, entityIdentifier } = await hosting.host();
    await hosting.transition(id, 'withdraw');
    const { id: organisationId } = await hosting.service.organisation(hosting.anchor);
    const body = { organisationId, entityIdentifier, hosting: { metadata: METADATA } };
    const answer = await hosting.registrar.post('/api/v1/entities', body);
    expect(refusalOf(answer)).toBe('400 validation_failed /entityIdentifier');
    expect(JSON.stringify(answer.body)).toContain('ask whoever operates this service');
  });
});

describe('[F16] the configuration of a hosted entity', () => {
  const MINUTE = 60;

  /** As it is stored for all nodes. */
  async function stored(entityIdentifier: string): Promise<{ iat: number; exp: number }> {
    const [row] = await hosting.service.db
      .select({ jwt: issuedStatements.jwt })
      .from(issuedStatements)
      .where(eq(issuedStatements.subject, entityIdentifier))
      .orderBy(desc(issuedStatements.issuedAt))
      .limit(1);
    return claimsOf(row?.jwt ?? '') as { iat: number; exp: number };
  }

  it('is signed anew by the job before half of its life, although nobody asks for it', async () => {
    const { service } = hosting;
    const configurationLifetimeSeconds = 4 * 3600;
    const { entityIdentifier } = await hosting.host(undefined, { metadata: METADATA, configurationLifetimeSeconds });
    await hosting.configuration(entityIdentifier);
    let signatures = 0;
    let before = await stored(entityIdentifier);
    for (let minutes = 0; minutes < 12 * 60; minutes += 10) {
      service.clock.advance(10 * MINUTE);
      await service.signHostedConfigurations();
      const now = await stored(entityIdentifier);
      expect(now.exp - now.iat).toBe(configurationLifetimeSeconds);
      expect(service.clock.now() - now.iat).toBeLessThanOrEqual(configurationLifetimeSeconds / 2);
      if (now.iat !== before.iat) signatures++;
      before = now;
    }
    expect(signatures).toBeGreaterThanOrEqual(6);
    expect(claimsOf(await hosting.configuration(entityIdentifier))).toMatchObject(before);
  });

  it.each([0.3, 0.49, 0.51, 0.99, 1, 1.5, 30])(
    'never expires, with a clock that skips %s of its life',
    async (lives) => {
      const { service } = hosting;
      const { entityIdentifier } = await hosting.host();
      await hosting.configuration(entityIdentifier);
      service.clock.advance(Math.round(lives * LIFETIME));
      // Somebody may ask before the job has its turn, and after it.
      for (const run of [async () => {}, () => service.signHostedConfigurations()]) {
        await run();
        const { iat, exp } = claimsOf(await hosting.configuration(entityIdentifier)) as { iat: number; exp: number };
        expect(service.clock.now()).toBeLessThan(exp);
        expect(service.clock.now() - iat).toBeLessThanOrEqual(LIFETIME / 2);
      }
    },
  );

  it('is left alone by the job while it is young, or not published', async () => {
    const { service } = hosting;
    const { id, entityIdentifier } = await hosting.host();
    const before = await hosting.configuration(entityIdentifier);
    await service.signHostedConfigurations();
    expect(await hosting.configuration(entityIdentifier)).toBe(before);
    const { iat } = await stored(entityIdentifier);
    await hosting.transition(id, 'suspend');
    service.clock.advance(2 * LIFETIME);
    await service.signHostedConfigurations();
    expect((await stored(entityIdentifier)).iat).toBe(iat);
    expect((await hosting.ask(entityIdentifier)).status).toBe(404);
  });
});
