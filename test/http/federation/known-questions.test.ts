import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { KnownQuestions, type Question } from '../../../src/http/federation/known-questions.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { AuthorityDirectory } from '../../../src/registry/authorities/authority-directory.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { replaceTrustAnchorKeys } from '../../../src/registry/trust-anchors/replace-trust-anchor-keys.ts';
import { unpinTrustAnchor } from '../../../src/registry/trust-anchors/unpin-trust-anchor.ts';
import { DEFAULT_FRESH_SECONDS } from '../../../src/resolver/statement-cache.ts';
import { claimsOf, refusalIn } from '../../support/answers.ts';
import type { EntitySettings } from '../../support/federation.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { freshIdentifier } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const RELYING_PARTY = { openid_relying_party: { client_name: 'Shop' } };

let service: TestService;
let anchor: Authority;
const added = vi.spyOn(KnownQuestions.prototype, 'add');
const found = vi.spyOn(KnownQuestions.prototype, 'get');

beforeAll(async () => {
  service = await startTestService('embedded', { resolveAnonymous: 'refuse' });
  anchor = await service.authority();
});

afterEach(() => expect(service.failures).toEqual([]));

afterAll(async () => {
  vi.restoreAllMocks();
  await service[Symbol.asyncDispose]();
});

async function publish(settings: EntitySettings = {}): Promise<FederationServer> {
  const metadata = (issuer: string) => ({ ...RELYING_PARTY, openid_provider: { issuer } });
  const rp = { superiors: [anchor.entityIdentifier], metadata, ...settings };
  return await serveFederation({ rp }, { clock: service.clock });
}

async function ask(sub: string, towards = anchor.entityIdentifier, init: RequestInit = {}): Promise<string> {
  const response = await service.ask(anchor, 'resolve', { sub, trust_anchor: towards }, init);
  return response.status === 200 ? await response.text() : await refusalIn(response);
}

/** Evaluated, then known as a question, then found with its answer. */
async function askUntilKnown(sub: string, towards = anchor.entityIdentifier): Promise<string> {
  const first = await ask(sub, towards);
  expect(claimsOf(first)).toMatchObject({ iss: anchor.entityIdentifier, sub });
  for (let count = 0; count < 3; count++) expect(await ask(sub, towards)).toBe(first);
  expect(found.mock.results.at(-1)?.value).toMatchObject({ request: { subject: sub } });
  return first;
}

describe('a question that was answered before', () => {
  it('sees at once that its subject was suspended, and reinstated', async () => {
    await using server = await publish();
    const sub = server.federation.id('rp');
    const record = await service.admit(await service.organisation(anchor), server.federation, 'rp');
    await askUntilKnown(sub);
    await transitionEntity(service.context(), record.id, 'suspend', 'incident');
    expect(await ask(sub)).toBe('400 invalid_trust_chain');
    await transitionEntity(service.context(), record.id, 'reinstate', 'mended');
    expect(claimsOf(await ask(sub))).toMatchObject({ iss: anchor.entityIdentifier, sub });
  });

  it('sees at once what its superior says anew, and what the authority does', async () => {
    await using server = await publish();
    const sub = server.federation.id('rp');
    const record = await service.admit(await service.organisation(anchor), server.federation, 'rp');
    const named = (name: string) => ({ openid_relying_party: { client_name: { value: name } } });
    const nameNow = async () => claimsOf(await ask(sub))['metadata'];
    await askUntilKnown(sub);
    await updateEntity(service.context(), record.id, { metadataPolicy: named('Of the entity') });
    expect(await nameNow()).toMatchObject({ openid_relying_party: { client_name: 'Of the entity' } });
    await askUntilKnown(sub);
    await updateEntity(service.context(), record.id, { metadataPolicy: {} });
    await updateAuthority(service.context(), anchor.id, { defaultMetadataPolicy: named('Of all') });
    expect(await nameNow()).toMatchObject({ openid_relying_party: { client_name: 'Of all' } });
    await askUntilKnown(sub);
    await updateAuthority(service.context(), anchor.id, { defaultMetadataPolicy: {}, resolveLifetimeSeconds: 120 });
    expect(claimsOf(await ask(sub))).toMatchObject({ metadata: RELYING_PARTY, exp: service.clock.now() + 120 });
  });

  it('gets the types that its subject plays now, not those of the answer before', async () => {
    await using server = await publish();
    const sub = server.federation.id('rp');
    const record = await service.admit(await service.organisation(anchor), server.federation, 'rp', {
      constraints: { allowed_entity_types: ['openid_relying_party'] },
    });
    const typesFor = async (...entityTypes: string[]) => {
      const query = { sub, trust_anchor: anchor.entityIdentifier, entity_type: entityTypes };
      const jwt = await (await service.ask(anchor, 'resolve', query)).text();
      return Object.keys(claimsOf(jwt)['metadata'] as object).toSorted();
    };
    const both = ['openid_provider', 'openid_relying_party'];
    for (let count = 0; count < 4; count++) expect(await typesFor(...both)).toEqual(['openid_relying_party']);
    await updateEntity(service.context(), record.id, { constraints: null });
    for (let count = 0; count < 4; count++) {
      expect(await typesFor('openid_relying_party')).toEqual(['openid_relying_party']);
      expect(await typesFor(...both)).toEqual(both);
    }
  });

  it('[OIDFED-8.3-7] gets a fresh answer at half its life, and none when the chain has expired', async () => {
    const end = service.clock.now() + 200;
    await using server = await publish({ claims: { exp: end } });
    const sub = server.federation.id('rp');
    await service.admit(await service.organisation(anchor), server.federation, 'rp');
    const first = await askUntilKnown(sub);
    service.clock.advance(100);
    const second = await ask(sub);
    expect([second === first, claimsOf(second)['iat'], claimsOf(second)['exp']]).toEqual([false, end - 100, end]);
    service.clock.advance(100);
    expect(await ask(sub)).toBe('400 invalid_trust_chain');
  });

  it('causes a renewal before what answers it ends', async () => {
    await using server = await publish();
    const sub = server.federation.id('rp');
    await service.admit(await service.organisation(anchor), server.federation, 'rp');
    await askUntilKnown(sub);
    service.clock.advance(Math.floor(DEFAULT_FRESH_SECONDS * 0.95));
    expect(server.requests).toHaveLength(1);
    expect(claimsOf(await ask(sub))).toMatchObject({ sub });
    await expect.poll(() => server.requests.length, { interval: 10 }).toBe(2);
  });

  it('sees at once that other keys are pinned for its Trust Anchor, or none', async () => {
    await using server = await serveFederation({ top: {}, stranger: { superiors: ['top'] } }, { clock: service.clock });
    const { federation } = server;
    const [sub, top] = [federation.id('stranger'), federation.id('top')];
    const pin = await pinTrustAnchor(service.context(), anchor.id, {
      entityIdentifier: top,
      jwks: federation.jwks('top'),
    });
    const headers = await service.bearer(['auditor']);
    const evaluated = () => ask(sub, top, { headers });
    expect(claimsOf(await evaluated())).toMatchObject({ sub });
    await askUntilKnown(sub, top);
    await replaceTrustAnchorKeys(service.context(), pin.id, { jwks: federation.jwks('stranger') });
    expect([await ask(sub, top), await evaluated()]).toEqual(['404 invalid_subject', '400 invalid_trust_chain']);
    await replaceTrustAnchorKeys(service.context(), pin.id, { jwks: federation.jwks('top') });
    expect(claimsOf(await evaluated())).toMatchObject({ sub });
    await askUntilKnown(sub, top);
    await unpinTrustAnchor(service.context(), pin.id);
    expect(await ask(sub, top)).toBe('404 invalid_trust_anchor');
  });

  it('is not known to another authority on the same host', async () => {
    const host = freshIdentifier('shared');
    const [first, second] = [
      await service.authority({ entityIdentifier: `${host}/first` }),
      await service.authority({ entityIdentifier: `${host}/second`, authorityHints: [`${host}/first`] }),
    ];
    const query = { sub: first.entityIdentifier, trust_anchor: first.entityIdentifier };
    for (let count = 0; count < 4; count++) {
      for (const authority of [first, second]) {
        const jwt = await (await service.ask(authority, 'resolve', query)).text();
        expect(claimsOf(jwt)).toMatchObject({ iss: authority.entityIdentifier, sub: first.entityIdentifier });
      }
    }
  });
});

describe('a question that nothing kept answers', () => {
  it('[OIDFED-18.1-2] is not remembered, whoever asks', async () => {
    added.mockClear();
    for (let count = 0; count < 2; count++) {
      expect(await ask('https://stranger.example')).toBe('404 invalid_subject');
      expect(await ask(anchor.entityIdentifier, 'https://nowhere.example')).toBe('404 invalid_trust_anchor');
      expect(await ask('no identifier')).toBe('400 invalid_request');
    }
    expect(added).not.toHaveBeenCalled();
  });
});

describe('the memory for questions', () => {
  async function setUp(maxBytes?: number) {
    const directory = new AuthorityDirectory(service.db);
    await directory.reload();
    const known = new KnownQuestions(directory, maxBytes);
    const served = directory.find(anchor.entityIdentifier)!;
    const subject = anchor.entityIdentifier as EntityIdentifier;
    const request = { scope: anchor.id, subject, trustAnchors: new Map(), lookups: [] };
    const question: Question = { served, request, entityTypes: [], place: undefined };
    return { directory, known, served, question };
  }

  it('is bounded: the oldest goes first', async () => {
    const { known, served, question } = await setUp(10_000);
    const urls = Array.from({ length: 100 }, (_, index) => `https://anchor.example/resolve?x=${index}`);
    for (const url of urls) known.add(url, question);
    const kept = urls.filter((url) => known.get(served, url) !== undefined);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept).toEqual(urls.slice(-kept.length));
    expect(kept.length).toBeLessThan(20);
  });

  it('is empty once the authorities were read anew', async () => {
    const { directory, known, served, question } = await setUp();
    known.add('https://anchor.example/resolve', question);
    expect(known.get(served, 'https://anchor.example/resolve')).toBe(question);
    await directory.reload();
    expect(known.get(directory.find(anchor.entityIdentifier)!, 'https://anchor.example/resolve')).toBeUndefined();
    expect(known.get(served, 'https://anchor.example/resolve')).toBeUndefined();
  });
});
