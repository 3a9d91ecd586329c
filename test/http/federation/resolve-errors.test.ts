import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import type { NewEntity } from '../../../src/registry/entities/add-entity.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { descriptionIn, refusalIn } from '../../support/answers.ts';
import type { EntitySettings } from '../../support/federation.ts';
import { serveFederation } from '../../support/federation-server.ts';
import { testKey } from '../../support/keys.ts';
import { freshJwks } from '../../support/registry.ts';
import { type Query, startTestService, type TestService } from '../../support/service.ts';

let service: TestService;
let anchor: Authority;

beforeAll(async () => {
  service = await startTestService('embedded');
  anchor = await service.authority();
});

afterEach(() => expect(service.failures).toEqual([]));

afterAll(() => service[Symbol.asyncDispose]());

/** An active subject `op` under an authority, published over HTTP. */
async function publishedSubject(
  settings: EntitySettings = {},
  record: Partial<NewEntity> = {},
  authority = anchor,
): Promise<{ sub: string; server: Awaited<ReturnType<typeof serveFederation>> } & AsyncDisposable> {
  const op = { superiors: [authority.entityIdentifier], ...settings };
  const server = await serveFederation({ op }, { clock: service.clock });
  await service.admit(await service.organisation(authority), server.federation, 'op', record);
  const dispose = (): Promise<void> => server[Symbol.asyncDispose]();
  return { sub: server.federation.id('op'), server, [Symbol.asyncDispose]: dispose };
}

/** The refusal, after a look at its words: nothing in them about what we saw or whom we asked. */
async function refused(query: Query, init?: RequestInit): Promise<string> {
  const response = await service.ask(anchor, 'resolve', query, init);
  const description = await descriptionIn(response);
  expect(description).not.toMatch(
    /127\.0\.0\.1|localhost|:\d{2,5}\b|ECONN|E[A-Z]{5,}|ES\[|\/federation|token|select|timeout/,
  );
  return await refusalIn(response);
}

const refusedSubject = (sub: string): Promise<string> => refused({ sub, trust_anchor: anchor.entityIdentifier });

describe('invalid_request', () => {
  it('[OIDFED-8.3-15] for a sub that is missing, empty or repeated', async () => {
    const { entityIdentifier } = anchor;
    const subjects: Record<string, string | string[]>[] = [
      {},
      { sub: '' },
      { sub: [entityIdentifier, entityIdentifier] },
    ];
    for (const subject of subjects) {
      expect(await refused({ ...subject, trust_anchor: entityIdentifier })).toBe('400 invalid_request');
    }
  });

  it.each([
    'op.example',
    'http://op.example',
    'https://op.example?x',
    'https://op.example#x',
    'https://a@op.example',
    'https://op.example/\0',
    'https://op.example/a b',
  ])('[OIDFED-8.3-15] for a sub that is no Entity Identifier: %j', async (sub) => {
    expect(await refusedSubject(sub)).toBe('400 invalid_request');
  });

  it('[OIDFED-8.3-3] for a trust_anchor that is missing or no Entity Identifier', async () => {
    const sub = anchor.entityIdentifier;
    expect(await refused({ sub })).toBe('400 invalid_request');
    expect(await refused({ sub, anchor: sub })).toBe('400 invalid_request');
    for (const trustAnchor of ['', 'nonsense', ['nonsense', sub]]) {
      expect(await refused({ sub, trust_anchor: trustAnchor })).toBe('400 invalid_request');
    }
  });
});

it('[OIDFED-8.3-16] invalid_trust_anchor where none of those asked for is served', async () => {
  const other = await service.authority();
  await using subject = await publishedSubject();
  for (const trustAnchor of ['https://unknown.example', other.entityIdentifier, `${anchor.entityIdentifier}/`]) {
    const query = { sub: subject.sub, trust_anchor: [trustAnchor, 'https://another.example'] };
    expect(await refused(query)).toBe('404 invalid_trust_anchor');
  }
  expect(subject.server.requests).toEqual([]);
});

it('[OIDFED-8.3-17] not_found where the subject says that it has no configuration', async () => {
  await using subject = await publishedSubject();
  subject.server.override(subject.server.configurationUrl('op'), { status: 404 });
  expect(await refusedSubject(subject.sub)).toBe('404 not_found');
});

describe('invalid_trust_chain', () => {
  it('[OIDFED-8.3-18] where the subject no longer names us as its superior', async () => {
    const other = await service.authority();
    await using subject = await publishedSubject({ superiors: [other.entityIdentifier] });
    expect(await refusedSubject(subject.sub)).toBe('400 invalid_trust_chain');
  });

  it('[OIDFED-8.3-18] where the subject signs with a key that was never registered', async () => {
    await using subject = await publishedSubject({}, { jwks: await freshJwks() });
    expect(await refusedSubject(subject.sub)).toBe('400 invalid_trust_chain');
  });

  it('[OIDFED-8.3-18] where the signature is that of another', async () => {
    await using subject = await publishedSubject();
    const { server } = subject;
    const key = await testKey('ES256', 77);
    const kid = server.federation.entity('op').keys[0]?.kid;
    const forged = await server.federation.configuration('op', { key, header: { kid } });
    server.override(server.configurationUrl('op'), { body: forged });
    expect(await refusedSubject(subject.sub)).toBe('400 invalid_trust_chain');
  });

  it.each([
    ['expired', { iat: -7200, exp: -3600 }],
    ['expired just now, which the leeway of a validator bears but no answer can', { iat: -3600, exp: -10 }],
    ['issued in the future', { iat: 3600, exp: 7200 }],
  ])('[OIDFED-8.3-18] where the configuration is %s', async (_, { iat, exp }) => {
    const now = service.clock.now();
    await using subject = await publishedSubject({ claims: { iat: now + iat, exp: now + exp } });
    expect(await refusedSubject(subject.sub)).toBe('400 invalid_trust_chain');
  });

  it('[OIDFED-8.3-18] where constraints of the superior exclude the subject', async () => {
    const constraints = { naming_constraints: { permitted: ['.partners.example'] } };
    await using subject = await publishedSubject({}, { constraints });
    expect(await refusedSubject(subject.sub)).toBe('400 invalid_trust_chain');
  });

  it.each([
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/' } }],
    ['another media type', { headers: { 'content-type': 'application/jwt' } }],
    ['a status that is neither', { status: 403 }],
    ['no JWT', { body: '<html>' }],
    ['far too much', { body: 'x'.repeat(2_000_000) }],
  ])('[OIDFED-8.3-18] where the subject answers with %s', async (_, answer) => {
    await using subject = await publishedSubject();
    subject.server.override(subject.server.configurationUrl('op'), answer);
    expect(await refusedSubject(subject.sub)).toBe('400 invalid_trust_chain');
  });

  it("[OIDFED-8.3-13] where the subject's configuration would be a chain by itself, but is not that of the Trust Anchor", async () => {
    await using server = await serveFederation({ impostor: {} }, { clock: service.clock });
    const { federation } = server;
    const pin = { entityIdentifier: federation.id('impostor'), jwks: await freshJwks() };
    await pinTrustAnchor(service.context(), anchor.id, pin);
    const headers = await service.bearer(['auditor']);
    const query = { sub: pin.entityIdentifier, trust_anchor: pin.entityIdentifier };
    expect(await refused(query, { headers })).toBe('400 invalid_trust_chain');
    expect(await refused({ ...query, trust_anchor: anchor.entityIdentifier }, { headers })).toBe(
      '400 invalid_trust_chain',
    );
  });
});

describe('invalid_metadata', () => {
  const metadata = { openid_relying_party: { grant_types: ['implicit'], client_name: 'Shop' } };

  it.each([
    [
      'a value that a policy forbids',
      { openid_relying_party: { grant_types: { superset_of: ['authorization_code'] } } },
    ],
    ['without a parameter that a policy demands', { openid_relying_party: { contacts: { essential: true } } }],
  ])('[OIDFED-8.3-19] where the metadata is %s', async (_, metadataPolicy) => {
    await using subject = await publishedSubject({ metadata }, { metadataPolicy });
    expect(await refusedSubject(subject.sub)).toBe('400 invalid_metadata');
  });

  it('[OIDFED-8.3-19] where policies of superiors contradict each other', async () => {
    const top = await service.authority({
      defaultMetadataPolicy: { openid_relying_party: { client_name: { value: 'One' } } },
    });
    const { intermediate } = await service.intermediate(top, await service.organisation(top));
    const metadataPolicy = { openid_relying_party: { client_name: { value: 'Another' } } };
    await using subject = await publishedSubject({ metadata }, { metadataPolicy }, intermediate);
    const query = { sub: subject.sub, trust_anchor: top.entityIdentifier };
    expect(await refusalIn(await service.ask(top, 'resolve', query))).toBe('400 invalid_metadata');
  });
});

describe('temporarily_unavailable', () => {
  it.each([500, 502, 503, 429])('[OIDFED-8.3-20] with Retry-After where the subject answers %d', async (status) => {
    await using subject = await publishedSubject();
    subject.server.override(subject.server.configurationUrl('op'), { status });
    expect(await refusedSubject(subject.sub)).toBe('503 temporarily_unavailable');
  });

  it('[OIDFED-8.3-20] with Retry-After where the connection breaks off, or there is none', async () => {
    await using subject = await publishedSubject();
    subject.server.override(subject.server.configurationUrl('op'), (_request, response) => response.destroy());
    expect(await refusedSubject(subject.sub)).toBe('503 temporarily_unavailable');
    const gone = await publishedSubject();
    await gone[Symbol.asyncDispose]();
    expect(await refusedSubject(gone.sub)).toBe('503 temporarily_unavailable');
  });

  it('is over once the subject answers again', async () => {
    await using subject = await publishedSubject();
    const url = subject.server.configurationUrl('op');
    subject.server.override(url, { status: 503 });
    expect(await refusedSubject(subject.sub)).toBe('503 temporarily_unavailable');
    subject.server.restore(url);
    service.clock.advance(5);
    const query = { sub: subject.sub, trust_anchor: anchor.entityIdentifier };
    expect((await service.ask(anchor, 'resolve', query)).status).toBe(200);
  });

  it('is remembered for some seconds, so that impatient callers cost the subject one round of requests', async () => {
    await using subject = await publishedSubject();
    subject.server.override(subject.server.configurationUrl('op'), { status: 503 });
    for (let count = 0; count < 10; count++) await refusedSubject(subject.sub);
    expect(subject.server.requests).toHaveLength(1);
  });
});
