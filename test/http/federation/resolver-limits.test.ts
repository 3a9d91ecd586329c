import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { ApiClient, type Body } from '../../support/api-client.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { startTestService, type TestService } from '../../support/service.ts';

describe('a service whose resolver has other limits', () => {
  let service: TestService;
  let anchor: Authority;
  let server: FederationServer;
  let reader: ApiClient;

  /** `rp` is below `outside`, which is below our authority; it names a server that nobody runs before that. */
  async function start(environment: Record<string, string>): Promise<void> {
    const { resolver, resolveAnonymous } = loadConfig(environment).config;
    service = await startTestService('embedded', { resolver, resolveAnonymous });
    anchor = await service.authority();
    server = await serveFederation(
      { outside: { superiors: [anchor.entityIdentifier] }, lost: {}, rp: { superiors: ['lost', 'outside'] } },
      { clock: service.clock },
    );
    const organisation = await service.organisation(anchor);
    await service.admit(organisation, server.federation, 'outside', { verifiedIntermediate: true });
    reader = new ApiClient(service.app, await service.bearer(['auditor']));
  }

  afterEach(async () => {
    expect(service.failures).toEqual([]);
    await server[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  async function explained(): Promise<Body> {
    const asked = { authority: anchor.entityIdentifier, sub: server.federation.id('rp') };
    return (await reader.get(`/api/v1/resolutions/explain?${new URLSearchParams(asked)}`)).body;
  }

  async function reasons(): Promise<string[]> {
    const { verdict, attempts = [] } = await explained();
    return [verdict, ...attempts.map(({ reason }: { reason: string }) => reason)];
  }

  const neverAnswer = () => server.override(server.configurationUrl('rp'), { neverAnswers: true });

  it('resolves with the defaults', async () => {
    await start({});
    expect((await explained()).verdict).toBe('resolved');
  });

  it.each([
    ['HOLDFAST_RESOLVE_MAX_STATEMENTS', '1'],
    ['HOLDFAST_RESOLVE_MAX_DEPTH', '1'],
    ['HOLDFAST_RESOLVE_MAX_HINTS', '1'],
  ])(
    '[OIDFED-18.1-2] finds no chain that %s=%s does not allow, and says that the budget was at fault',
    async (name, value) => {
      await start({ [name]: value });
      const [verdict, ...found] = await reasons();
      expect(verdict).toBe('refused');
      expect(found).toContain('budget_exhausted');
    },
  );

  it('HOLDFAST_RESOLVE_REQUEST_TIMEOUT_MS: gives up an answer that does not come', async () => {
    await start({ HOLDFAST_RESOLVE_REQUEST_TIMEOUT_MS: '50' });
    neverAnswer();
    const startedAt = performance.now();
    expect(await reasons()).toEqual(['refused', 'timed_out']);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('HOLDFAST_RESOLVE_TIMEOUT_MS: gives up a resolution that does not end', async () => {
    await start({ HOLDFAST_RESOLVE_TIMEOUT_MS: '200', HOLDFAST_RESOLVE_REQUEST_TIMEOUT_MS: '60000' });
    neverAnswer();
    const startedAt = performance.now();
    expect(await reasons()).toEqual(['refused', 'timed_out']);
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it('HOLDFAST_OUTBOUND_MAX_RESPONSE_KB: cuts answers', async () => {
    await start({ HOLDFAST_OUTBOUND_MAX_RESPONSE_KB: '4' });
    expect((await explained()).verdict).toBe('resolved');
    service.clock.advance(3600);
    server.override(server.configurationUrl('rp'), { body: 'x'.repeat(5000) });
    expect(await reasons()).toEqual(['refused', 'response_too_large']);
  });

  it('HOLDFAST_RESOLVE_FRESH_SECONDS: asks again after another time', async () => {
    await start({ HOLDFAST_RESOLVE_FRESH_SECONDS: '20' });
    const requestsAfter = async (seconds: number): Promise<number> => {
      service.clock.advance(seconds);
      await explained();
      return server.requestCount(server.configurationUrl('rp'));
    };
    expect([await requestsAfter(0), await requestsAfter(19), await requestsAfter(1)]).toEqual([1, 1, 2]);
  });

  it('HOLDFAST_RESOLVE_ANONYMOUS_*: has another budget for strangers and other quotas', async () => {
    await start({
      HOLDFAST_RESOLVE_ANONYMOUS: 'on-demand',
      HOLDFAST_RESOLVE_ANONYMOUS_MAX_REQUESTS: '1',
      HOLDFAST_RESOLVE_ANONYMOUS_UNITS: '12',
    });
    const ask = (sub: string) => service.ask(anchor, 'resolve', { sub, trust_anchor: anchor.entityIdentifier });
    const response = await ask(server.federation.id('rp'));
    expect([response.status, response.headers.get('ratelimit-policy')]).toEqual([503, '"anonymous";q=12;w=60']);
    expect(server.requests).toHaveLength(1);
    expect((await ask(`${server.origin}/other`)).status).toBe(429);
  });
});
