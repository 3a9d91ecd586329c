import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import type { Transition } from '../../../src/registry/states.ts';
import { claimsOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { startTestService, type TestService } from '../../support/service.ts';

describe.each(DATABASE_KINDS)('all endpoints on the %s database', (kind) => {
  let service: TestService;
  let authority: Authority;
  let server: FederationServer;

  beforeAll(async () => {
    service = await startTestService(kind);
    authority = await service.authority();
    const rp = { superiors: [authority.entityIdentifier], metadata: { openid_relying_party: {} } };
    server = await serveFederation({ rp }, { clock: service.clock });
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await server[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  it('say the same about a subordinate after each change, at the same seq', async () => {
    const sub = server.federation.id('rp');
    const { id } = await service.admit(await service.organisation(authority), server.federation, 'rp');
    const type = await service.trustMarkType(authority);
    await service.trustMark(type, sub);
    const { trustMarkType: trust_mark_type } = type;
    const mark = await (await service.ask(authority, 'trustMark', { trust_mark_type, sub })).text();
    const json = async (response: Promise<Response>) => JSON.stringify(await (await response).json());
    const names = async (response: Promise<Response>) => (await json(response)).includes(JSON.stringify(sub));
    const status = async (response: Promise<Response>) => {
      const answer = await response;
      return answer.status === 200 ? '200' : await refusalIn(answer);
    };
    const view = async () => ({
      list: await names(service.ask(authority, 'list')),
      extendedList: await names(service.ask(authority, 'extendedList')),
      statements: await names(service.ask(authority, 'extendedList', { claims: 'subordinate_statement' })),
      collection: await names(service.ask(authority, 'collection')),
      bearers: await names(service.ask(authority, 'trustMarkList', { trust_mark_type })),
      fetch: await status(service.ask(authority, 'fetch', { sub })),
      mark: await status(service.ask(authority, 'trustMark', { trust_mark_type, sub })),
      markStatus: claimsOf(await (await service.askStatus(authority, mark)).text())['status'],
      resolve: await status(
        service.ask(
          authority,
          'resolve',
          { sub, trust_anchor: authority.entityIdentifier },
          { headers: await service.bearer(['auditor']) },
        ),
      ),
      lastEvent: (
        claimsOf(await (await service.ask(authority, 'subordinateEvents', { sub })).text())[
          'federation_registration_events'
        ] as { event: string }[]
      ).at(-1)?.event,
    });
    const good = { fetch: '200', mark: '200', markStatus: 'active', resolve: '200' };
    const bad = {
      fetch: '404 not_found',
      mark: '404 not_found',
      markStatus: 'revoked',
      resolve: '400 invalid_trust_chain',
    };
    const listed = (is: boolean) => ({ list: is, extendedList: is, statements: is, collection: is, bearers: is });
    expect(await view()).toEqual({ ...good, ...listed(true), lastEvent: 'registration' });
    const changes: [Transition, boolean, string][] = [
      ['suspend', false, 'suspension'],
      ['reinstate', true, 'reinstatement'],
      ['revoke', false, 'revocation'],
    ];
    for (const [transition, isGood, lastEvent] of changes) {
      await transitionEntity(service.context(), id, transition, 'a reason');
      expect(await view()).toEqual({ ...(isGood ? good : bad), ...listed(isGood), lastEvent });
    }
  });
});
