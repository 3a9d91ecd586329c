import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import {
  type AskEndpoint,
  CHANGES_OF_STATE,
  expectedSurfaces,
  subordinateSurfaces,
} from '../../support/subordinate-surfaces.ts';

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
    const { trustMarkType } = type;
    const trustMark = await (await service.ask(authority, 'trustMark', { trust_mark_type: trustMarkType, sub })).text();
    const headers = await service.bearer(['auditor']);
    const ask: AskEndpoint = async (endpoint, parameters) => {
      if (endpoint === 'trustMarkStatus') return await service.askStatus(authority, trustMark);
      return await service.ask(authority, endpoint, parameters, endpoint === 'resolve' ? { headers } : undefined);
    };
    const subordinate = { authority: authority.entityIdentifier, sub, trustMarkType, trustMark };
    const view = () => subordinateSurfaces(ask, subordinate);
    expect(await view()).toEqual(expectedSurfaces(true, 'registration'));
    for (const { transition, isActive, lastEvent } of CHANGES_OF_STATE) {
      await transitionEntity(service.context(), id, transition, 'a reason');
      expect(await view()).toEqual(expectedSurfaces(isActive, lastEvent));
    }
  });
});
