import { expect, it } from 'vitest';
import { DEFAULT_EVALUATION_LIMITS } from '../../../src/http/federation/evaluation-slots.ts';
import { DEFAULT_NEW_REQUESTS } from '../../../src/http/federation/request-budget.ts';
import { serveFederation } from '../../support/federation-server.ts';
import { startTestService } from '../../support/service.ts';

const DEAD_SUPERIORS = 63;

it('a member whose statements expire at once does not make us ask a third host again and again', async () => {
  await using service = await startTestService('embedded');
  const { clock } = service;
  const anchor = await service.authority();
  await using third = await serveFederation({}, { clock });
  await using members = await serveFederation({ rp: { superiors: [] } }, { clock, hosts: true });
  await service.admit(await service.organisation(anchor), members.federation, 'rp');
  const rp = members.federation.entity('rp');

  /** Each time, it names others that are not there. */
  async function ask(round: number): Promise<number> {
    const dead = Array.from({ length: DEAD_SUPERIORS }, (_, index) => `${third.origin}/dead-${round}-${index}`);
    rp.superiors.clear();
    for (const superior of [...dead, anchor.entityIdentifier]) rp.superiors.set(superior, {});
    rp.claims['exp'] = clock.now() + 1;
    clock.advance(1);
    const query = { sub: rp.identifier, trust_anchor: anchor.entityIdentifier };
    return (await service.ask(anchor, 'resolve', query)).status;
  }

  for (let round = 0; round < 20; round++) await ask(round);
  expect(third.requests.length).toBeGreaterThan(DEAD_SUPERIORS);
  expect(third.requests.length).toBeLessThanOrEqual(DEFAULT_NEW_REQUESTS.hostPerMinute);
});

it('one caller who asks for many subjects that do not answer stops nobody else', async () => {
  await using service = await startTestService('embedded');
  const { clock } = service;
  const anchor = await service.authority();
  await using members = await serveFederation({ rp: { superiors: [anchor.entityIdentifier] } }, { clock, hosts: true });
  await using silent = await serveFederation({}, { clock });
  await service.admit(await service.organisation(anchor), members.federation, 'rp');
  const { maxOfCaller } = DEFAULT_EVALUATION_LIMITS;
  const names = Array.from({ length: 70 }, (_, index) => `${silent.origin}/silent-${index}`);
  for (const name of names) silent.override(`${name}/.well-known/openid-federation`, { neverAnswers: true });
  const headers = await service.bearer(['auditor']);
  const ask = (sub: string, init?: RequestInit) =>
    service.ask(anchor, 'resolve', { sub, trust_anchor: anchor.entityIdentifier }, init);

  let refused = 0;
  const asked = names.map(async (name) => {
    const response = await ask(name, { headers });
    if (!(await response.text()).includes('ask for fewer at a time')) return;
    refused++;
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
  });
  await expect.poll(() => refused).toBe(names.length - maxOfCaller);
  expect((await ask(members.federation.id('rp'))).status).toBe(200);
  expect((await ask(members.federation.id('rp'), { headers })).status).toBe(200);
  await Promise.all(asked);
}, 30_000);
