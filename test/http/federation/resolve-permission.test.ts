import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import type { Organisation } from '../../../src/registry/organisations/organisation.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import type { Transition } from '../../../src/registry/states.ts';
import { listTokens } from '../../../src/registry/tokens/list-tokens.ts';
import { revokeToken } from '../../../src/registry/tokens/revoke-token.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { unpinTrustAnchor } from '../../../src/registry/trust-anchors/unpin-trust-anchor.ts';
import { claimsOf, jwtOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { actor, freshJwks } from '../../support/registry.ts';
import { startTestService, type TestService } from '../../support/service.ts';

const RP = { openid_relying_party: { client_name: 'Shop' } };

describe.each(DATABASE_KINDS)('whom resolve answers on the %s database', (kind) => {
  let service: TestService;
  let anchor: Authority;
  let organisation: Organisation;

  beforeAll(async () => {
    service = await startTestService(kind, { resolveAnonymous: 'refuse' });
    anchor = await service.authority();
    organisation = await service.organisation(anchor);
  });

  afterAll(async () => {
    expect(service.failures).toEqual([]);
    await service[Symbol.asyncDispose]();
  });

  /** `rp`, which names the authority as its superior. */
  function publish(authority = anchor): Promise<FederationServer> {
    const settings = { rp: { superiors: [authority.entityIdentifier], metadata: RP } };
    return serveFederation(settings, { clock: service.clock });
  }

  /** `200`, or the refusal. */
  async function outcomeFor(
    sub: string,
    {
      at = anchor,
      towards,
      headers = {},
    }: { at?: Authority; towards?: Authority; headers?: Record<string, string> } = {},
  ): Promise<string> {
    const query = { sub, trust_anchor: (towards ?? at).entityIdentifier };
    const response = await service.ask(at, 'resolve', query, { headers });
    return response.status === 200 ? '200' : await refusalIn(response);
  }

  async function metadataOf(sub: string, authority = anchor): Promise<unknown> {
    const response = await service.ask(authority, 'resolve', { sub, trust_anchor: authority.entityIdentifier });
    return claimsOf(await jwtOf(response, 'application/resolve-response+jwt'))['metadata'];
  }

  const change = ({ id }: Entity, transition: Transition): Promise<Entity> =>
    transitionEntity(service.context(), id, transition, 'by a test');

  describe('strangers', () => {
    it('[OIDFED-8.3-23] are refused to anonymous callers, and not a single request is sent', async () => {
      await using server = await publish();
      for (let count = 0; count < 3; count++) {
        expect(await outcomeFor(server.federation.id('rp'))).toBe('404 invalid_subject');
      }
      expect(server.requests).toEqual([]);
    });

    it.each(['pending', 'rejected'] as const)('[OIDFED-8.3-22] include entities that are %s', async (state) => {
      await using server = await publish();
      await service.admit(organisation, server.federation, 'rp', {}, state);
      expect(await outcomeFor(server.federation.id('rp'))).toBe('404 invalid_subject');
      expect(server.requests).toEqual([]);
    });

    it.each(['admin', 'registrar', 'approver', 'auditor'] as const)(
      'are evaluated for a caller with the role %s',
      async (role) => {
        await using server = await publish();
        const headers = await service.bearer([role], [anchor]);
        expect(await outcomeFor(server.federation.id('rp'), { headers })).toBe('400 invalid_trust_chain');
        expect(server.requests.map(({ url }) => url)).toEqual([server.configurationUrl('rp')]);
      },
    );

    it('are not evaluated for callers whose token is unknown, revoked, expired, or of another authority', async () => {
      await using server = await publish();
      const other = await service.authority();
      const revoked = await service.bearer(['admin']);
      const [token] = (await listTokens(service.db, actor(), { limit: 500 })).items.slice(-1);
      await revokeToken(service.context(), token!.id);
      const expired = await service.bearer(['admin']);
      service.clock.advance(86_400);
      const elsewhere = await service.bearer(['admin'], [other]);
      const unknown = { authorization: 'Bearer holdfast_unknown' };
      const basic = { authorization: `Basic ${elsewhere.authorization.slice(7)}` };
      for (const headers of [revoked, expired, elsewhere, unknown, basic, { authorization: 'Bearer' }]) {
        expect(await outcomeFor(server.federation.id('rp'), { headers })).toBe('404 invalid_subject');
      }
      expect(server.requests).toEqual([]);
    });

    it('once evaluated are answered to everybody, without another request, while the evaluation holds', async () => {
      await using server = await serveFederation(
        { outside: { superiors: [anchor.entityIdentifier] }, rp: { superiors: ['outside'], metadata: RP } },
        { clock: service.clock },
      );
      const outside = await service.admit(organisation, server.federation, 'outside', { verifiedIntermediate: true });
      const rp = server.federation.id('rp');
      expect(await outcomeFor(rp)).toBe('404 invalid_subject');
      expect(await outcomeFor(rp, { headers: await service.bearer(['auditor']) })).toBe('200');
      const asked = server.requests.length;
      expect(await outcomeFor(rp)).toBe('200');
      expect(server.requests).toHaveLength(asked);
      await change(outside, 'suspend');
      expect(await outcomeFor(rp)).toBe('404 invalid_subject');
      await change(outside, 'reinstate');
      expect(await outcomeFor(rp, { headers: await service.bearer(['auditor']) })).toBe('200');
      service.clock.advance(3600);
      const later = server.requests.length;
      expect(await outcomeFor(rp)).toBe('404 invalid_subject');
      expect(server.requests).toHaveLength(later);
    });
  });

  describe('subjects under our authorities', () => {
    it('are evaluated for everybody', async () => {
      await using server = await publish();
      await service.admit(organisation, server.federation, 'rp');
      expect(await outcomeFor(server.federation.id('rp'))).toBe('200');
    });

    it.each(['suspend', 'withdraw', 'revoke'] as const)(
      '[OIDFED-8.3-21] have no chain from the moment of %s on, and nobody is asked',
      async (transition) => {
        await using server = await publish();
        const entity = await service.admit(organisation, server.federation, 'rp');
        expect(await outcomeFor(entity.entityIdentifier)).toBe('200');
        const asked = server.requests.length;
        await change(entity, transition);
        expect(await outcomeFor(entity.entityIdentifier)).toBe('400 invalid_trust_chain');
        expect(server.requests).toHaveLength(asked);
      },
    );

    it('[OIDFED-8.3-21] stay ended when the service starts anew', async () => {
      await using server = await publish();
      const entity = await service.admit(organisation, server.federation, 'rp');
      await change(entity, 'revoke');
      await service.restart();
      expect(await outcomeFor(entity.entityIdentifier)).toBe('400 invalid_trust_chain');
      expect(server.requests).toEqual([]);
    });

    it('stop and go on with their own suspension and with that of their organisation', async () => {
      await using server = await publish();
      const own = await service.organisation(anchor);
      const entity = await service.admit(own, server.federation, 'rp');
      const outcomes = [await outcomeFor(entity.entityIdentifier)];
      const steps = [
        () => change(entity, 'suspend'),
        () => change(entity, 'reinstate'),
        () => transitionOrganisation(service.context(), own.id, 'suspend', 'contract ended'),
        () => transitionOrganisation(service.context(), own.id, 'reinstate', 'contract renewed'),
      ];
      for (const step of steps) {
        await step();
        outcomes.push(await outcomeFor(entity.entityIdentifier));
      }
      const ended = '400 invalid_trust_chain';
      expect(outcomes).toEqual(['200', ended, '200', ended, '200']);
    });

    it('begin with their approval, even if asked for before', async () => {
      await using server = await publish();
      const entity = await service.admit(organisation, server.federation, 'rp', {}, 'pending');
      expect(await outcomeFor(entity.entityIdentifier, { headers: await service.bearer(['auditor']) })).toBe(
        '400 invalid_trust_chain',
      );
      await change(entity, 'approve');
      expect(await outcomeFor(entity.entityIdentifier)).toBe('200');
    });

    it('[OIDFED-8.3-21] keep another path that remains to them', async () => {
      await using server = await serveFederation(
        { elsewhere: {}, rp: { superiors: [anchor.entityIdentifier, 'elsewhere'], metadata: RP } },
        { clock: service.clock },
      );
      const { federation } = server;
      const entity = await service.admit(organisation, federation, 'rp');
      const pin = { entityIdentifier: federation.id('elsewhere'), jwks: federation.jwks('elsewhere') };
      const pinned = await pinTrustAnchor(service.context(), anchor.id, pin);
      const query = { sub: entity.entityIdentifier, trust_anchor: [anchor.entityIdentifier, pin.entityIdentifier] };
      const superiors = async () => {
        const jwt = await (await service.ask(anchor, 'resolve', query)).text();
        return (claimsOf(jwt)['trust_chain'] as string[]).slice(1).map((statement) => claimsOf(statement)['iss']);
      };
      expect(await superiors()).toEqual([anchor.entityIdentifier, anchor.entityIdentifier]);
      const towardsTheOther = { sub: entity.entityIdentifier, trust_anchor: pin.entityIdentifier };
      expect((await service.ask(anchor, 'resolve', towardsTheOther)).status).toBe(200);
      await change(entity, 'suspend');
      expect(await superiors()).toEqual([pin.entityIdentifier, pin.entityIdentifier]);
      await unpinTrustAnchor(service.context(), pinned.id);
      expect(await refusalIn(await service.ask(anchor, 'resolve', query))).toBe('400 invalid_trust_chain');
    });
  });

  describe('subjects below an Intermediate of ours', () => {
    it('stop with the suspension of the Intermediate, at both authorities, and go on after it', async () => {
      const { intermediate, record } = await service.intermediate(anchor, organisation);
      await using server = await publish(intermediate);
      const leaf = await service.admit(await service.organisation(intermediate), server.federation, 'rp');
      const sub = leaf.entityIdentifier;
      const outcomes = async () => [
        await outcomeFor(sub),
        await outcomeFor(sub, { at: intermediate, towards: anchor }),
        await outcomeFor(intermediate.entityIdentifier),
      ];
      expect(await outcomes()).toEqual(['200', '200', '200']);
      await change(record, 'suspend');
      expect(await outcomes()).toEqual(Array(3).fill('400 invalid_trust_chain'));
      expect(await outcomeFor(sub, { at: intermediate })).toBe('200');
      await change(record, 'reinstate');
      expect(await outcomes()).toEqual(['200', '200', '200']);
      await change(leaf, 'suspend');
      expect(await outcomes()).toEqual(['400 invalid_trust_chain', '400 invalid_trust_chain', '200']);
    });
  });

  describe('every change of the registry', () => {
    it('shows in the next answer: policies of the entity and of the authority, keys, constraints', async () => {
      const authority = await service.authority();
      await using server = await publish(authority);
      const entity = await service.admit(await service.organisation(authority), server.federation, 'rp');
      const name = async () =>
        ((await metadataOf(entity.entityIdentifier, authority)) as typeof RP).openid_relying_party.client_name;
      expect(await name()).toBe('Shop');
      const policy = (value: string) => ({ openid_relying_party: { client_name: { value } } });
      await updateEntity(service.context(), entity.id, { metadataPolicy: policy('Own') });
      expect(await name()).toBe('Own');
      await updateEntity(service.context(), entity.id, { metadataPolicy: {} });
      await updateAuthority(service.context(), authority.id, { defaultMetadataPolicy: policy('Default') });
      expect(await name()).toBe('Default');
      await updateEntity(service.context(), entity.id, {
        metadata: { openid_relying_party: { logo_uri: 'https://x.example/' } },
      });
      expect(await metadataOf(entity.entityIdentifier, authority)).toMatchObject({
        openid_relying_party: { client_name: 'Default', logo_uri: 'https://x.example/' },
      });
      await updateAuthority(service.context(), authority.id, { defaultConstraints: { allowed_entity_types: [] } });
      expect(await metadataOf(entity.entityIdentifier, authority)).not.toHaveProperty('openid_relying_party');
      const jwks = await freshJwks();
      await service.publishKeys(entity, jwks);
      await updateEntity(service.context(), entity.id, { jwks });
      expect(await outcomeFor(entity.entityIdentifier, { at: authority })).toBe('400 invalid_trust_chain');
      expect(server.requests).not.toHaveLength(0);
    });

    it('shows in an answer that was under way when it was made', async () => {
      await using server = await publish();
      const entity = await service.admit(organisation, server.federation, 'rp');
      const asked = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const url = server.configurationUrl('rp');
      const hold: RequestListener = (request, response) => {
        server.restore(url);
        asked.resolve();
        void released.promise.then(() => server.listener(request, response));
      };
      server.override(url, hold);
      const outcome = outcomeFor(entity.entityIdentifier);
      await asked.promise;
      await change(entity, 'suspend');
      released.resolve();
      expect(await outcome).toBe('400 invalid_trust_chain');
    });
  });
});
