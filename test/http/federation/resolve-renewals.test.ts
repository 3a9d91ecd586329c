import { expect, it } from 'vitest';
import { DEFAULT_NEW_REQUESTS } from '../../../src/http/federation/request-budget.ts';
import { claimsOf, jwtOf } from '../../support/answers.ts';
import { serveFederation } from '../../support/federation-server.ts';
import { startTestService } from '../../support/service.ts';

const LIFETIME_SECONDS = 20;
/** A renewal is due by then, and what is there still holds. */
const RENEWAL_SECONDS = 18;
const DEAD_SUPERIORS = 40;
const ROUNDS = 6;

it('a member whose statements are short-lived does not make us ask a third host again and again', async () => {
  await using service = await startTestService('embedded');
  const { clock } = service;
  const anchor = await service.authority();
  await using third = await serveFederation({}, { clock });
  const dead = Array.from({ length: DEAD_SUPERIORS }, (_, index) => `${third.origin}/dead-${index}`);
  const superiors = [...dead, anchor.entityIdentifier];
  await using members = await serveFederation({ rp: { superiors } }, { clock, hosts: true });
  await service.admit(await service.organisation(anchor), members.federation, 'rp');
  const rp = members.federation.entity('rp');

  /** When the chain that is answered with ends. */
  async function ask(): Promise<unknown> {
    const query = { sub: rp.identifier, trust_anchor: anchor.entityIdentifier };
    const jwt = await jwtOf(await service.ask(anchor, 'resolve', query), 'application/resolve-response+jwt');
    return claimsOf(jwt)['exp'];
  }

  rp.claims['exp'] = clock.now() + LIFETIME_SECONDS;
  expect(await ask()).toBe(clock.now() + LIFETIME_SECONDS);
  const atFirst = third.requests.length;
  expect(atFirst).toBe(DEAD_SUPERIORS);
  for (let round = 0; round < ROUNDS; round++) {
    clock.advance(RENEWAL_SECONDS);
    rp.claims['exp'] = clock.now() + LIFETIME_SECONDS;
    expect(await ask()).toBe(clock.now() + LIFETIME_SECONDS - RENEWAL_SECONDS);
    await expect.poll(ask).toBe(clock.now() + LIFETIME_SECONDS);
  }

  const units = DEFAULT_NEW_REQUESTS.hostPerMinute / 2;
  const allowed = units + (ROUNDS * RENEWAL_SECONDS * units) / 60;
  const sent = third.requests.length;
  expect([sent > units, sent <= allowed, allowed < ROUNDS * DEAD_SUPERIORS]).toEqual([true, true, true]);
  expect(service.failures).toEqual([]);
});
