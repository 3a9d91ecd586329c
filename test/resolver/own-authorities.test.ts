import { afterAll, describe, expect, it } from 'vitest';
import { createResolver } from '../../src/resolver/resolver.ts';
import { authorityDependencyKey, dependencyKey, type OwnAuthorities } from '../../src/resolver/statement-source.ts';
import { type EntitySettings, ManualClock } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testClient } from '../support/outbound.ts';
import { ends, type Outcome, type ResolveOptions, resolveFrom } from '../support/resolving.ts';

const outbound = testClient();

afterAll(async () => {
  await outbound[Symbol.asyncDispose]();
});

function resolve(server: FederationServer, subject: string, options: Partial<ResolveOptions>): Promise<Outcome> {
  return resolveFrom(server, subject, { outbound, ...options });
}

const settings: Record<string, EntitySettings> = {
  anchor: {},
  lower: { superiors: ['anchor'] },
  op: { superiors: ['lower'] },
};

function ownedBy(server: FederationServer, owned: string[]): OwnAuthorities & { vouched: Set<string> } {
  const { federation } = server;
  const byId = new Map(federation.entities.map((entity) => [entity.identifier, entity.name]));
  const vouched = new Set(['lower', 'op']);
  return {
    vouched,
    async entityConfiguration(entity) {
      const name = byId.get(entity);
      return name !== undefined && owned.includes(name) ? await federation.configuration(name) : undefined;
    },
    async subordinateStatement(authority, subject) {
      const name = byId.get(subject) ?? '';
      if (!vouched.has(name)) return null;
      return await federation.subordinateStatement(byId.get(authority) ?? '', name);
    },
  };
}

describe('own authorities', () => {
  it('answer for themselves, without a request', async () => {
    await using server = await serveFederation(settings);
    const ownAuthorities = ownedBy(server, ['anchor', 'lower']);
    expect((await resolve(server, 'op', { ownAuthorities })).resolved?.trustChain).toHaveLength(4);
    expect(server.requests.map(({ url }) => url)).toEqual([server.configurationUrl('op')]);
    const itself = await resolve(server, 'lower', { ownAuthorities });
    expect(itself.resolved?.trustChain).toHaveLength(3);
    expect(server.requests).toHaveLength(1);
  });

  it('mix with others on one chain', async () => {
    await using server = await serveFederation(settings);
    const ownAuthorities = ownedBy(server, ['lower']);
    expect((await resolve(server, 'op', { ownAuthorities })).resolved?.trustChain).toHaveLength(4);
    expect(server.requests.map(({ url }) => url)).toEqual([
      server.configurationUrl('op'),
      server.configurationUrl('anchor'),
      expect.stringMatching(/anchor\/fetch\?sub=/),
    ]);
  });

  it('refuse a subject that they do not vouch for', async () => {
    await using server = await serveFederation(settings);
    const ownAuthorities = ownedBy(server, ['anchor', 'lower']);
    ownAuthorities.vouched.delete('lower');
    const outcome = await resolve(server, 'op', { ownAuthorities });
    expect(ends(server, outcome)).toEqual(['op lower anchor: subject_not_active at Subordinate Statement']);
    expect(outcome.requests).toBe(1);
    const local = await resolve(server, 'lower', { ownAuthorities });
    expect(local.requests).toBe(0);
  });

  it('are trusted no more than others: what they answer is validated', async () => {
    await using server = await serveFederation(settings);
    const ownAuthorities: OwnAuthorities = {
      ...ownedBy(server, ['anchor']),
      subordinateStatement: () => server.federation.subordinateStatement('anchor', 'op'),
    };
    const outcome = await resolve(server, 'lower', { ownAuthorities });
    expect(ends(server, outcome)).toEqual(['lower anchor: subject_mismatch at Subordinate Statement /sub']);
  });

  it('are named among what a resolution rests on, before they are asked and also when they refuse', async () => {
    await using server = await serveFederation(settings);
    const { federation } = server;
    const told: string[] = [];
    const answers = ownedBy(server, ['anchor', 'lower']);
    const ownAuthorities: OwnAuthorities = {
      entityConfiguration(entity) {
        expect(told).toContain(authorityDependencyKey(entity));
        return answers.entityConfiguration(entity);
      },
      subordinateStatement(authority, subject) {
        expect(told).toContain(dependencyKey(authority, subject));
        return answers.subordinateStatement(authority, subject);
      },
    };
    const resolver = createResolver({ outbound, clock: new ManualClock(), ownAuthorities });
    const request = {
      subject: federation.id('op'),
      trustAnchors: federation.trustAnchors('anchor'),
      onDependency: (key: string) => told.push(key),
    };
    const outcome: Outcome = await resolver.resolve(request);
    const expected = [
      authorityDependencyKey(federation.id('op')),
      authorityDependencyKey(federation.id('lower')),
      authorityDependencyKey(federation.id('anchor')),
      dependencyKey(federation.id('lower'), federation.id('op')),
      dependencyKey(federation.id('anchor'), federation.id('lower')),
    ].toSorted();
    expect(outcome.resolved?.dependencies.toSorted()).toEqual(expected);
    expect(told.toSorted()).toEqual(expected);

    told.length = 0;
    answers.vouched.clear();
    expect(await resolver.resolve(request)).toHaveProperty('attempts');
    expect(told.toSorted()).toEqual(expected);
  });

  it('that cannot answer are an outage, not a verdict', async () => {
    await using server = await serveFederation(settings);
    const ownAuthorities: OwnAuthorities = {
      ...ownedBy(server, ['anchor', 'lower']),
      subordinateStatement: () => Promise.reject(new Error('the database is gone')),
    };
    await expect(resolve(server, 'op', { ownAuthorities })).rejects.toThrow('the database is gone');
  });
});
