import { afterAll, describe, expect, it } from 'vitest';
import type { ResolveOutcome } from '../../src/resolver/resolution.ts';
import { ResolutionCache, type ResolutionKey } from '../../src/resolver/resolution-cache.ts';
import { createResolver } from '../../src/resolver/resolver.ts';
import { dependencyKey, type OwnAuthorities } from '../../src/resolver/statement-source.ts';
import { ManualClock } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testClient } from '../support/outbound.ts';

const outbound = testClient();

afterAll(async () => {
  await outbound[Symbol.asyncDispose]();
});

/** A resolver behind a cache whose Trust Anchor is ours; everything else is asked for over HTTP. */
class Deployment {
  readonly cache = new ResolutionCache({ clock: new ManualClock() });
  /** Subjects that our authority was asked about. */
  readonly asked: string[] = [];
  readonly #server: FederationServer;
  readonly #suspended = new Set<string>();
  readonly #resolver = createResolver({ outbound, clock: new ManualClock(), ownAuthorities: this.#ownAuthorities() });

  constructor(server: FederationServer) {
    this.#server = server;
  }

  resolve(subject: string): Promise<ResolveOutcome> {
    const { federation } = this.#server;
    const trustAnchors = federation.trustAnchors('anchor');
    const key: ResolutionKey = {
      scope: 'anchor',
      subject: federation.id(subject),
      trustAnchor: federation.id('anchor'),
    };
    return this.cache.get(key, (evaluation) =>
      this.#resolver.resolve({ subject: key.subject, trustAnchors, ...evaluation }),
    );
  }

  suspend(name: string): void {
    this.#suspended.add(name);
    this.#changed(name);
  }

  reinstate(name: string): void {
    this.#suspended.delete(name);
    this.#changed(name);
  }

  #changed(name: string): void {
    const { federation } = this.#server;
    this.cache.invalidate([dependencyKey(federation.id('anchor'), federation.id(name))]);
  }

  #ownAuthorities(): OwnAuthorities {
    return {
      entityConfiguration: async (entity) => {
        const { federation } = this.#server;
        return entity === federation.id('anchor') ? await federation.configuration('anchor') : undefined;
      },
      subordinateStatement: async (_authority, subject) => {
        const { federation } = this.#server;
        const { name } = federation.entities.find(({ identifier }) => identifier === subject) ?? { name: '' };
        this.asked.push(name);
        return this.#suspended.has(name) ? null : await federation.subordinateStatement('anchor', name);
      },
    };
  }
}

const settings = { anchor: {}, lower: { superiors: ['anchor'] }, op: { superiors: ['lower'] } };

describe('a resolver behind a cache', () => {
  it('sends no request for what is kept', async () => {
    await using server = await serveFederation(settings);
    const deployment = new Deployment(server);
    await Promise.all([deployment.resolve('op'), deployment.resolve('op')]);
    await deployment.resolve('op');
    expect(server.requests).toHaveLength(3);
  });

  it('refuses what lies below a suspended Intermediate at once, and resolves it again when it is reinstated', async () => {
    await using server = await serveFederation(settings);
    const deployment = new Deployment(server);
    expect(await deployment.resolve('op')).toHaveProperty('resolved');
    deployment.suspend('lower');
    expect(await deployment.resolve('op')).toMatchObject({ attempts: [{ reason: 'subject_not_active' }] });
    deployment.reinstate('lower');
    expect(await deployment.resolve('op')).toHaveProperty('resolved');
  });

  it('refuses a subject that is suspended while it is resolved', async () => {
    await using server = await serveFederation(settings);
    const deployment = new Deployment(server);
    server.override(server.fetchUrl('lower', 'op'), { neverAnswers: true });
    const resolving = deployment.resolve('op');
    await expect.poll(() => deployment.asked).toEqual(['lower']);
    await expect.poll(() => server.requestCount(server.fetchUrl('lower', 'op'))).toBe(1);
    server.restore(server.fetchUrl('lower', 'op'));
    deployment.suspend('lower');
    expect(await resolving).toMatchObject({ attempts: [{ reason: 'subject_not_active', chain: { length: 3 } }] });
  });
});
