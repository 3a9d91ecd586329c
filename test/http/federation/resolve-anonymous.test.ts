import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionRole } from '../../../src/registry/roles/transition-role.ts';
import { updateRole } from '../../../src/registry/roles/update-role.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { DEFAULT_FRESH_SECONDS } from '../../../src/resolver/statement-cache.ts';
import { refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { policyOf, role } from '../../support/roles.ts';
import { startTestService, type TestService } from '../../support/service.ts';

/** Requests in any minute by default, of which half may be sent at once. */
const BURST = 300;

describe.each(DATABASE_KINDS)('strangers asked for by nobody in particular, on the %s database', (kind) => {
  let service: TestService;
  let anchor: Authority;
  let organisation: Organisation;
  let server: FederationServer;

  async function start(resolveAnonymous: 'refuse' | 'background' | 'on-demand'): Promise<void> {
    // All strangers are at one host here, which has a limit of its own: this is about that for all hosts.
    const { resolver } = loadConfig({ HOLDFAST_RESOLVE_HOST_REQUESTS_PER_MINUTE: '10000' }).config;
    service = await startTestService(kind, { resolveAnonymous, resolver });
    anchor = await service.authority();
    organisation = await service.organisation(anchor);
    server = await serveFederation(
      {
        outside: { superiors: [anchor.entityIdentifier] },
        rp: { superiors: ['outside'] },
        lost: { superiors: ['elsewhere'] },
        elsewhere: {},
      },
      { clock: service.clock },
    );
    await service.admit(organisation, server.federation, 'outside', { verifiedIntermediate: true });
  }

  afterEach(async () => {
    expect(service.failures).toEqual([]);
    await server[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  const ask = (sub: string): Promise<Response> =>
    service.ask(anchor, 'resolve', { sub, trust_anchor: anchor.entityIdentifier });

  async function outcomeFor(sub: string): Promise<string> {
    const response = await ask(sub);
    return response.status === 200 ? '200' : await refusalIn(response);
  }

  /** The first answer but that it is being evaluated. */
  async function finalOutcome(sub: string): Promise<string> {
    await expect.poll(() => outcomeFor(sub), { interval: 10, timeout: 10_000 }).not.toBe('503 temporarily_unavailable');
    return await outcomeFor(sub);
  }

  /** Random identifiers whose server breaks off: each costs two requests, since what fails is tried once more. */
  function failingStrangers(count: number): string[] {
    const strangers = Array.from({ length: count }, () => `${server.origin}/${randomUUID()}`);
    for (const sub of strangers) {
      server.override(`${sub}/.well-known/openid-federation`, (_request, response) => response.destroy());
    }
    return strangers;
  }

  const configurationsAsked = (name: string): number => server.requestCount(server.configurationUrl(name));

  describe('with `background`', () => {
    it('[OIDFED-8.3-24] [OIDFED-18.1-2] are answered 503 with Retry-After, evaluated once for all who ask, then answered', async () => {
      await start('background');
      const rp = server.federation.id('rp');
      const responses = await Promise.all(Array.from({ length: 50 }, () => ask(rp)));
      for (const response of responses) {
        expect([await refusalIn(response), response.headers.get('retry-after')]).toEqual([
          '503 temporarily_unavailable',
          '2',
        ]);
      }
      expect(await finalOutcome(rp)).toBe('200');
      expect(configurationsAsked('rp')).toBe(1);
    });

    it('[OIDFED-8.3-24] that do not resolve get their real verdict, and are not tried again for a while', async () => {
      await start('background');
      const missing = `${server.origin}/missing`;
      expect(await finalOutcome(missing)).toBe('404 not_found');
      const lost = server.federation.id('lost');
      expect(await finalOutcome(lost)).toBe('400 invalid_trust_chain');
      const asked = server.requests.length;
      service.clock.advance(299);
      for (let count = 0; count < 5; count++) {
        expect([await outcomeFor(missing), await outcomeFor(lost)]).toEqual([
          '404 not_found',
          '400 invalid_trust_chain',
        ]);
      }
      expect(server.requests).toHaveLength(asked);
      service.clock.advance(1);
      expect(await outcomeFor(missing)).toBe('503 temporarily_unavailable');
    });

    it('[OIDFED-8.3-24] are tried again at once after a change of the registry', async () => {
      await start('background');
      const missing = `${server.origin}/missing`;
      expect(await finalOutcome(missing)).toBe('404 not_found');
      await updateAuthority(service.context(), anchor.id, { name: 'Another name' });
      expect(await outcomeFor(missing)).toBe('503 temporarily_unavailable');
      expect(await finalOutcome(missing)).toBe('404 not_found');
    });

    it('F02 [OIDFED-8.3-24] are tried again at once after a change of a role, whose policy may have been why', async () => {
      await start('background');
      const missing = `${server.origin}/missing`;
      const { id } = await role(service, anchor);
      const changes = [
        () => updateRole(service.context(), id, { metadataPolicy: policyOf({ value: 'gold' }) }),
        () => transitionRole(service.context(), id, 'retire', 'x'),
      ];
      for (const change of changes) {
        expect(await finalOutcome(missing)).toBe('404 not_found');
        await change();
        expect(await outcomeFor(missing)).toBe('503 temporarily_unavailable');
      }
    });

    it('[OIDFED-8.3-24] whose servers fail are tried again sooner', async () => {
      await start('background');
      const rp = server.federation.id('rp');
      server.override(server.configurationUrl('rp'), { status: 500 });
      await expect.poll(async () => (await ask(rp)).headers.get('retry-after'), { interval: 10 }).toBe('30');
      server.restore(server.configurationUrl('rp'));
      const asked = server.requests.length;
      service.clock.advance(29);
      expect((await ask(rp)).headers.get('retry-after')).toBe('1');
      expect(server.requests).toHaveLength(asked);
      service.clock.advance(1);
      expect(await finalOutcome(rp)).toBe('200');
    });

    it('are renewed while they are asked for, before what is known of them ends', async () => {
      await start('background');
      const rp = server.federation.id('rp');
      const outside = server.federation.id('outside');
      expect([await finalOutcome(rp), await outcomeFor(outside)]).toEqual(['200', '200']);
      const asked = [configurationsAsked('rp'), configurationsAsked('outside')];
      service.clock.advance(DEFAULT_FRESH_SECONDS - 1);
      expect([await outcomeFor(rp), await outcomeFor(outside)]).toEqual(['200', '200']);
      const isRenewed = () => [configurationsAsked('rp') > asked[0]!, configurationsAsked('outside') > asked[1]!];
      await expect.poll(isRenewed).toEqual([true, true]);
      service.clock.advance(DEFAULT_FRESH_SECONDS / 2);
      expect([await outcomeFor(rp), await outcomeFor(outside)]).toEqual(['200', '200']);
    });

    it('[OIDFED-8.3-24] at random cost no more requests than the budget, and known subjects are answered meanwhile', async () => {
      await start('background');
      const known = server.federation.id('outside');
      expect(await outcomeFor(known)).toBe('200');
      const strangers = failingStrangers(200);
      const before = server.requests.length;
      const outcomes = await Promise.all(strangers.flatMap((sub) => [outcomeFor(sub), outcomeFor(known)]));
      expect(new Set(outcomes)).toEqual(new Set(['200', '503 temporarily_unavailable']));
      expect(outcomes.filter((outcome) => outcome === '200')).toHaveLength(200);
      const sent = () => server.requests.length - before;
      await expect.poll(sent, { timeout: 10_000 }).toBeGreaterThan(100);
      service.clock.advance(10);
      await expect.poll(sent, { timeout: 10_000 }).toBeGreaterThan(200);
      expect(sent()).toBeLessThanOrEqual(BURST + 50);
      expect(await outcomeFor(known)).toBe('200');
    });
  });

  describe('towards several Trust Anchors', () => {
    /** Evaluates `rp` towards the anchor alone; then asks for it towards that and one that nobody tried. */
    async function outcomesAfter(mode: 'refuse' | 'background' | 'on-demand'): Promise<string[]> {
      await start(mode);
      const { federation } = server;
      const pin = { entityIdentifier: federation.id('elsewhere'), jwks: federation.jwks('elsewhere') };
      await pinTrustAnchor(service.context(), anchor.id, pin);
      const ask = async (sub: string, anchors: string[], headers = {}): Promise<string> => {
        const response = await service.ask(anchor, 'resolve', { sub, trust_anchor: anchors }, { headers });
        return response.status === 200 ? '200' : await refusalIn(response);
      };
      const [rp, lost] = [federation.id('rp'), federation.id('lost')];
      await ask(rp, [anchor.entityIdentifier], await service.bearer(['auditor']));
      const both = [pin.entityIdentifier, anchor.entityIdentifier];
      return [await ask(rp, both), await ask(lost, both)];
    }

    it('are answered from what is evaluated for one of them, and never evaluated, with `refuse`', async () => {
      expect(await outcomesAfter('refuse')).toEqual(['200', '404 invalid_subject']);
    });

    it('[OIDFED-8.3-24] are answered from that, and evaluated for all of them once, with `background`', async () => {
      expect(await outcomesAfter('background')).toEqual(['200', '503 temporarily_unavailable']);
      await expect.poll(() => configurationsAsked('lost')).toBe(1);
    });

    it('[OIDFED-8.3-25] are evaluated for all of them, with `on-demand`', async () => {
      expect(await outcomesAfter('on-demand')).toEqual(['200', '200']);
      expect([configurationsAsked('lost'), configurationsAsked('elsewhere')]).toEqual([1, 1]);
    });
  });

  describe('with `on-demand`', () => {
    it('[OIDFED-8.3-25] are evaluated at once', async () => {
      await start('on-demand');
      expect(await outcomeFor(server.federation.id('rp'))).toBe('200');
      expect(await outcomeFor(`${server.origin}/missing`)).toBe('404 not_found');
      expect(await outcomeFor(server.federation.id('lost'))).toBe('400 invalid_trust_chain');
      const asked = server.requests.length;
      expect(await outcomeFor(server.federation.id('lost'))).toBe('400 invalid_trust_chain');
      expect(server.requests).toHaveLength(asked);
    });

    it('[OIDFED-8.3-25] are evaluated within the budget only', async () => {
      await start('on-demand');
      const before = server.requests.length;
      for (const sub of failingStrangers(180)) expect(await outcomeFor(sub)).toBe('503 temporarily_unavailable');
      const sent = server.requests.length - before;
      expect([sent > BURST - 16, sent <= BURST]).toEqual([true, true]);
      const rp = server.federation.id('rp');
      expect(await outcomeFor(rp)).toBe('503 temporarily_unavailable');
      const headers = await service.bearer(['auditor']);
      const query = { sub: server.federation.id('lost'), trust_anchor: anchor.entityIdentifier };
      expect(await outcomeFor(query.sub)).toBe('503 temporarily_unavailable');
      expect(await refusalIn(await service.ask(anchor, 'resolve', query, { headers }))).toBe('400 invalid_trust_chain');
      service.clock.advance(60);
      expect(await outcomeFor(rp)).toBe('200');
    });
  });
});
