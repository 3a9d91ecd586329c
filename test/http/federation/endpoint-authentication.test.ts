import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_ASSERTION_TYPE } from '../../../src/federation/client-assertion.ts';
import { ALGORITHM_NAMES } from '../../../src/federation/signature.ts';
import { endpointUrl } from '../../../src/issuance/authority-endpoints.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import {
  CONFIGURABLE_ENDPOINTS,
  type ConfigurableEndpoint,
} from '../../../src/registry/authorities/endpoint-authentication.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import type { EndpointAuthentication } from '../../../src/storage/schema/authorities.ts';
import { claimsOf, descriptionIn, jwtOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import type { Tampering } from '../../support/keys.ts';
import { startTestService, TestService } from '../../support/service.ts';

type Form = Record<string, string>;

/** An authority whose endpoints ask for proofs, and entities of all kinds that ask it. */
class Setting implements AsyncDisposable {
  readonly service: TestService;
  readonly anchor: Authority;
  readonly caller: Entity;
  readonly server: FederationServer;
  /** A question to each endpoint that has an answer. */
  readonly questions: Record<ConfigurableEndpoint, Form>;

  private constructor(parts: Pick<Setting, 'service' | 'anchor' | 'caller' | 'server' | 'questions'>) {
    this.service = parts.service;
    this.anchor = parts.anchor;
    this.caller = parts.caller;
    this.server = parts.server;
    this.questions = parts.questions;
  }

  static async start(
    kind: (typeof DATABASE_KINDS)[number],
    resolveAnonymous: 'refuse' | 'background' = 'refuse',
  ): Promise<Setting> {
    const service = await startTestService(kind, { resolveAnonymous });
    const anchor = await service.authority();
    const organisation = await service.organisation(anchor);
    const superiors = [anchor.entityIdentifier];
    const names = ['caller', 'suspended', 'pending', 'stranger'];
    const entities = Object.fromEntries(names.map((name) => [name, { superiors }]));
    const outside = { outside: { superiors }, below: { superiors: ['outside'] } };
    const server = await serveFederation({ ...entities, ...outside }, { clock: service.clock });
    const { federation } = server;
    const caller = await service.admit(organisation, federation, 'caller');
    await service.admit(organisation, federation, 'outside', { verifiedIntermediate: true });
    await service.admit(organisation, federation, 'pending', {}, 'pending');
    const suspended = await service.admit(organisation, federation, 'suspended');
    await transitionEntity(service.context(), suspended.id, 'suspend', 'by a test');
    const type = await service.trustMarkType(anchor);
    await service.trustMark(type, caller.entityIdentifier);
    const mark = { trust_mark_type: type.trustMarkType, sub: caller.entityIdentifier };
    const trustMark = await (await service.ask(anchor, 'trustMark', mark)).text();
    const sub = { sub: caller.entityIdentifier };
    const questions = {
      fetch: sub,
      list: {},
      resolve: { sub: anchor.entityIdentifier, trust_anchor: anchor.entityIdentifier },
      trustMarkStatus: { trust_mark: trustMark },
      trustMarkList: { trust_mark_type: type.trustMarkType },
      trustMark: mark,
      historicalKeys: {},
      extendedList: {},
      subordinateEvents: sub,
      collection: {},
    };
    return new Setting({ service, anchor, caller, server, questions });
  }

  async set(endpoint: ConfigurableEndpoint, rule: EndpointAuthentication): Promise<void> {
    await updateAuthority(this.service.context(), this.anchor.id, { endpointAuthentication: { [endpoint]: rule } });
  }

  async assertionBy(name: string, tampering: Tampering = {}): Promise<string> {
    const iss = this.server.federation.id(name);
    const now = this.service.clock.now();
    const claims = { iss, sub: iss, aud: this.anchor.entityIdentifier, jti: randomUUID(), iat: now, exp: now + 60 };
    return await this.server.federation.sign(name, 'client-authentication+jwt', claims, tampering);
  }

  get(endpoint: ConfigurableEndpoint, method = 'GET'): Promise<Response> {
    return this.service.ask(this.anchor, endpoint, this.questions[endpoint], { method });
  }

  post(endpoint: ConfigurableEndpoint, assertion?: string, node: TestService = this.service): Promise<Response> {
    const proof = assertion && { client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion: assertion };
    const body = new URLSearchParams({ ...this.questions[endpoint], ...(proof || {}) });
    return node.ask(this.anchor, endpoint, {}, { method: 'POST', body });
  }

  async postBy(name: string, endpoint: ConfigurableEndpoint, tampering: Tampering = {}): Promise<string> {
    return await outcomeOf(this.post(endpoint, await this.assertionBy(name, tampering)));
  }

  /** What the Entity Configuration says about an endpoint. */
  async published(endpoint: ConfigurableEndpoint): Promise<{ url: unknown; methods: unknown; algorithms: unknown }> {
    const jwt = await (await this.service.ask(this.anchor, 'configuration')).text();
    const { metadata } = claimsOf(jwt) as { metadata: { federation_entity: Record<string, unknown> } };
    const parameters = metadata.federation_entity;
    const url = endpointUrl(this.anchor.entityIdentifier, endpoint);
    const name = Object.keys(parameters).find((parameter) => parameters[parameter] === url);
    return {
      url: name && parameters[name],
      methods: parameters[`${name}_auth_methods`],
      algorithms: parameters['endpoint_auth_signing_alg_values_supported'],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.service[Symbol.asyncDispose]();
  }
}

async function outcomeOf(response: Promise<Response> | Response): Promise<string> {
  const answer = await response;
  return answer.status === 200 ? '200' : await refusalIn(answer);
}

describe.each(CONFIGURABLE_ENDPOINTS)('the endpoint %s', (endpoint) => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await Setting.start('embedded');
  });
  afterAll(() => setting[Symbol.asyncDispose]());
  afterEach(() => expect(setting.service.failures).toEqual([]));

  /** Of a Trust Mark's status everybody asks by POST (§8.4.1). */
  const isPostAlways = endpoint === 'trustMarkStatus';
  const url = () => endpointUrl(setting.anchor.entityIdentifier, endpoint);
  const allowed = async () => (await setting.get(endpoint, 'OPTIONS')).headers.get('allow');

  it('[OIDFED-8.8-5] [OIDFED-8.8.1-1] takes no proof where none is asked for, and says nothing of any', async () => {
    await setting.set(endpoint, 'off');
    await setting.set('resolve', 'off');
    expect(await setting.published(endpoint)).toEqual({ url: url(), methods: undefined, algorithms: undefined });
    const proven = setting.post(endpoint, await setting.assertionBy('caller'));
    if (isPostAlways) {
      expect(await outcomeOf(proven)).toBe('200');
      expect(await outcomeOf(setting.post(endpoint))).toBe('200');
      expect(await outcomeOf(setting.get(endpoint))).toBe('405 invalid_request');
      expect(await allowed()).toBe('POST, OPTIONS');
    } else {
      expect(await outcomeOf(proven)).toBe('405 invalid_request');
      expect((await proven).headers.get('allow')).toBe('GET, HEAD, OPTIONS');
      expect(await outcomeOf(setting.get(endpoint))).toBe('200');
      expect(await allowed()).toBe('GET, HEAD, OPTIONS');
    }
  });

  it('[OIDFED-8.8-6] [OIDFED-8.8.1-1] answers with and without a proof where it is optional', async () => {
    await setting.set(endpoint, 'optional');
    expect(await setting.published(endpoint)).toEqual({
      url: url(),
      methods: ['none', 'private_key_jwt'],
      algorithms: ALGORITHM_NAMES,
    });
    const bare = setting.post(endpoint);
    if (isPostAlways) {
      expect(await outcomeOf(bare)).toBe('200');
      expect([await outcomeOf(setting.get(endpoint)), await allowed()]).toEqual([
        '405 invalid_request',
        'POST, OPTIONS',
      ]);
    } else {
      expect(await outcomeOf(bare)).toBe('400 invalid_request');
      expect(await outcomeOf(setting.get(endpoint))).toBe('200');
      expect((await setting.get(endpoint, 'HEAD')).status).toBe(200);
      expect(await allowed()).toBe('GET, HEAD, POST, OPTIONS');
    }
    expect(await setting.postBy('caller', endpoint)).toBe('200');
    // The standard gives those who prove nothing the same answer.
    expect(await setting.postBy('stranger', endpoint)).toBe('200');
    expect(await setting.postBy('caller', endpoint, { claims: { aud: url() } })).toBe('401 invalid_client');
  });

  it('[OIDFED-8.8-4] [OIDFED-8.8.1-1] [OIDFED-8-3] answers those alone who prove who they are where that is required', async () => {
    await setting.set(endpoint, 'required');
    expect(await setting.published(endpoint)).toEqual({
      url: url(),
      methods: ['private_key_jwt'],
      algorithms: ALGORITHM_NAMES,
    });
    expect(await outcomeOf(setting.post(endpoint))).toBe('401 invalid_client');
    if (isPostAlways) {
      expect([await outcomeOf(setting.get(endpoint)), await allowed()]).toEqual([
        '405 invalid_request',
        'POST, OPTIONS',
      ]);
    } else {
      expect(await outcomeOf(setting.get(endpoint))).toBe('401 invalid_client');
      expect((await setting.get(endpoint, 'HEAD')).status).toBe(401);
      expect(await allowed()).toBe('POST, OPTIONS');
      const other = await setting.get(endpoint, 'PUT');
      expect([await refusalIn(other), other.headers.get('allow')]).toEqual(['405 invalid_request', 'POST, OPTIONS']);
    }
    const answer = await setting.post(endpoint, await setting.assertionBy('caller'));
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect((await answer.text()).length).toBeGreaterThan(0);
  });

  it('[OIDFED-8.8-1] [OIDFED-8.8-2] [OIDFED-8.8-3] refuses whoever it does not know there, and fetches nothing to learn of it', async () => {
    await setting.set(endpoint, 'required');
    const asked = setting.server.requests.length;
    for (const name of ['stranger', 'pending', 'suspended', 'below']) {
      expect([name, await setting.postBy(name, endpoint)]).toEqual([name, '401 invalid_client']);
    }
    const caller = (tampering: Tampering) => setting.postBy('caller', endpoint, tampering);
    expect(await caller({ claims: { aud: url() } })).toBe('401 invalid_client');
    expect(await caller({ claims: { aud: [setting.anchor.entityIdentifier, 'https://x.example'] } })).toBe(
      '401 invalid_client',
    );
    expect(await caller({ claims: { exp: setting.service.clock.now() - 31 } })).toBe('401 invalid_client');
    const [key] = setting.server.federation.entity('stranger').keys;
    expect(await caller({ key })).toBe('401 invalid_client');
    expect(setting.server.requests).toHaveLength(asked);
  });

  it('[OIDFED-8.8-2] refuses an assertion that was used before, there or at another endpoint', async () => {
    await setting.set(endpoint, 'required');
    const other = endpoint === 'list' ? 'fetch' : 'list';
    await setting.set(other, 'required');
    const assertion = await setting.assertionBy('caller');
    expect(await outcomeOf(setting.post(endpoint, assertion))).toBe('200');
    expect(await outcomeOf(setting.post(endpoint, assertion))).toBe('401 invalid_client');
    expect(await outcomeOf(setting.post(other, assertion))).toBe('401 invalid_client');
    expect(await setting.postBy('caller', other)).toBe('200');
  });
});

describe.each(DATABASE_KINDS)('callers of an endpoint that requires a proof, on the %s database', (kind) => {
  it('[OIDFED-8.8-3] are let in as long as they are active', async () => {
    await using setting = await Setting.start(kind);
    const { service, caller } = setting;
    await setting.set('list', 'required');
    expect(await setting.postBy('caller', 'list')).toBe('200');
    await transitionEntity(service.context(), caller.id, 'suspend', 'by a test');
    expect(await setting.postBy('caller', 'list')).toBe('401 invalid_client');
    await transitionEntity(service.context(), caller.id, 'reinstate', 'by a test');
    expect(await setting.postBy('caller', 'list')).toBe('200');
    expect(service.failures).toEqual([]);
  });

  it('[OIDFED-8.8-3] [OIDFED-18.1-2] are learned from their Trust Chain in the background, as far as any stranger is', async () => {
    await using setting = await Setting.start(kind, 'background');
    const { service, server } = setting;
    await setting.set('list', 'required');
    const first = await setting.post('list', await setting.assertionBy('below'));
    expect(await refusalIn(first)).toBe('401 invalid_client');
    expect(await descriptionIn(first)).toContain('try again shortly');
    await expect.poll(() => setting.postBy('below', 'list'), { interval: 20, timeout: 10_000 }).toBe('200');
    const [key] = server.federation.entity('stranger').keys;
    expect(await setting.postBy('below', 'list', { key })).toBe('401 invalid_client');
    const asked = server.requests.length;
    expect(await setting.postBy('suspended', 'list')).toBe('401 invalid_client');
    expect(server.requests).toHaveLength(asked);
    expect(service.failures).toEqual([]);
  });
});

describe('two nodes', () => {
  it('[OIDFED-8.8-2] [OIDFED-8.8-4] ask for the same proofs, and take each once between them', async () => {
    await using setting = await Setting.start('postgresql');
    const { service } = setting;
    const { url = '' } = service.database;
    await using other = await TestService.start(await connectDatabase({ url }), {});
    await setting.set('list', 'required');
    await setting.set('fetch', 'required');
    // The last change that the other node is to know of.
    const unproven = () => outcomeOf(setting.post('fetch', undefined, other));
    await expect.poll(unproven, { interval: 10, timeout: 1000 }).toBe('401 invalid_client');
    const assertion = await setting.assertionBy('caller');
    expect(await outcomeOf(setting.post('list', assertion))).toBe('200');
    expect(await outcomeOf(setting.post('list', assertion, other))).toBe('401 invalid_client');
    expect(await outcomeOf(setting.post('fetch', assertion, other))).toBe('401 invalid_client');
    for (let count = 0; count < 3; count++) {
      const both = await setting.assertionBy('caller');
      const outcomes = [outcomeOf(setting.post('list', both)), outcomeOf(setting.post('fetch', both, other))];
      expect((await Promise.all(outcomes)).toSorted()).toEqual(['200', '401 invalid_client']);
    }
    expect([service.failures, other.failures]).toEqual([[], []]);
  });
});

describe('what an operator decides', () => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await Setting.start('embedded');
  });
  afterAll(() => setting[Symbol.asyncDispose]());

  it('[OIDFED-8.8.1-1] is off everywhere at first, and optional for resolve', async () => {
    for (const endpoint of CONFIGURABLE_ENDPOINTS) {
      const { methods } = await setting.published(endpoint);
      expect([endpoint, methods]).toEqual([endpoint, endpoint === 'resolve' ? ['none', 'private_key_jwt'] : undefined]);
    }
  });

  it('[EXTLIST-1] [EVENTS-6] [COLLECTION-12] [OIDFED-8.8.1-1] holds of companions as of the endpoints that tell the same, until it is decided', async () => {
    const rules = async () => {
      const companions = ['extendedList', 'collection', 'subordinateEvents'] as const;
      return await Promise.all(companions.map(async (endpoint) => (await setting.published(endpoint)).methods));
    };
    const [optional, required] = [['none', 'private_key_jwt'], ['private_key_jwt']];
    await setting.set('fetch', 'optional');
    expect(await rules()).toEqual([optional, undefined, optional]);
    await setting.set('list', 'required');
    expect(await rules()).toEqual([required, required, optional]);
    expect(await outcomeOf(setting.get('extendedList'))).toBe('401 invalid_client');
    expect(await outcomeOf(setting.get('collection'))).toBe('401 invalid_client');
    for (const endpoint of ['extendedList', 'collection', 'subordinateEvents'] as const) {
      expect(await setting.postBy('caller', endpoint)).toBe('200');
    }
    expect(await outcomeOf(setting.get('subordinateEvents'))).toBe('200');
    await setting.set('collection', 'off');
    expect(await rules()).toEqual([required, undefined, optional]);
    expect(await outcomeOf(setting.get('collection'))).toBe('200');
    await setting.set('list', 'off');
    await setting.set('fetch', 'off');
  });

  it('[OIDFED-8.3-10] has the answer of resolve name its caller also where all prove who they are', async () => {
    await setting.set('resolve', 'required');
    const answer = await setting.post('resolve', await setting.assertionBy('caller'));
    const { aud } = claimsOf(await jwtOf(answer, 'application/resolve-response+jwt'));
    expect(aud).toBe(setting.caller.entityIdentifier);
  });

  it('leaves the Entity Configuration open to everybody', async () => {
    for (const endpoint of CONFIGURABLE_ENDPOINTS) await setting.set(endpoint, 'required');
    expect((await setting.service.ask(setting.anchor, 'configuration')).status).toBe(200);
    expect((await setting.service.ask(setting.anchor, 'configuration', {}, { method: 'POST' })).status).toBe(405);
  });
});

describe.each(['subordinateRefresh', 'trustMarkRequest'] as const)('the endpoint %s of ours', (endpoint) => {
  it('[OIDFED-8.8-4] is for those alone who prove who they are', async () => {
    await using setting = await Setting.start('embedded');
    const url = endpointUrl(setting.anchor.entityIdentifier, endpoint);
    const ask = async (form: Form) =>
      await refusalIn(await setting.service.fetch(url, { method: 'POST', body: new URLSearchParams(form) }));
    const proof = async (name: string) => ({
      client_assertion_type: CLIENT_ASSERTION_TYPE,
      client_assertion: await setting.assertionBy(name),
      trust_mark_type: 'https://marks.example/none',
    });
    expect(await ask({})).toBe('401 invalid_client');
    expect(await ask(await proof('stranger'))).toBe('401 invalid_client');
    expect(await ask(await proof('suspended'))).toBe('401 invalid_client');
    expect(await refusalIn(await setting.service.fetch(url))).toBe('405 invalid_request');
  });
});
