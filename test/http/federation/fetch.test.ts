import { afterAll, describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { validateSubordinateStatement } from '../../../src/federation/statement/validate-statement.ts';
import { validateTrustChain } from '../../../src/federation/trust-chain/validate-trust-chain.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { claimsOf, headerOf, jwtOf, refusalIn } from '../../support/answers.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { buildFederation } from '../../support/federation.ts';
import { freshIdentifier, freshJwks } from '../../support/registry.ts';
import { urlOf } from '../../support/service.ts';
import { startSuperior } from '../../support/superior.ts';

const MEDIA_TYPE = 'application/entity-statement+jwt';

describe.each(DATABASE_KINDS)('fetch on the %s database', async (kind) => {
  const { service, authority, organisation, enrol, fetchStatement, refused, stop } = await startSuperior(kind);
  afterAll(stop);

  describe('200', () => {
    it('[OIDFED-8.1-1] [OIDFED-15-1] is a statement about the subordinate, valid under the keys of the authority', async () => {
      const jwks = await freshJwks(2);
      const entity = await enrol({ jwks });
      const jwt = await fetchStatement(entity);
      const issuer = {
        entityIdentifier: authority.entityIdentifier as EntityIdentifier,
        jwks: await service.jwks(authority),
      };
      const subject = entity.entityIdentifier as EntityIdentifier;
      await validateSubordinateStatement(jwt, subject, issuer, { now: service.clock.now() });
      const now = service.clock.now();
      expect(claimsOf(jwt)).toEqual({
        iss: authority.entityIdentifier,
        sub: entity.entityIdentifier,
        iat: now,
        exp: now + 3600,
        jwks,
        constraints: { max_path_length: 0 },
      });
    });

    it('[OIDFED-8.1-1] completes a chain from the configuration of its subject to that of the authority', async () => {
      const rp = {
        superiors: [authority.entityIdentifier],
        metadata: { openid_relying_party: { client_name: 'Shop' } },
      };
      const federation = await buildFederation({ rp }, { clock: service.clock });
      const metadataPolicy = { openid_relying_party: { client_name: { value: 'The Shop' } } };
      const entity = await service.admit(organisation, federation, 'rp', { metadataPolicy });
      const anchor = await jwtOf(await service.ask(authority, 'configuration'), MEDIA_TYPE);
      const chain = [await federation.configuration('rp'), await fetchStatement(entity), anchor];
      const trustAnchors = await service.trustAnchors(authority);
      const { metadata } = await validateTrustChain(chain, { now: service.clock.now(), trustAnchors });
      expect(metadata).toMatchObject({ openid_relying_party: { client_name: 'The Shop' } });
      await validateTrustChain(chain.slice(0, 2), { now: service.clock.now(), trustAnchors });
    });

    it('[OIDFED-3-4] is signed with a key of the configuration, named by typ and kid', async () => {
      const jwt = await fetchStatement(await enrol());
      const { keys } = await service.jwks(authority);
      expect(headerOf(jwt)).toEqual({ typ: 'entity-statement+jwt', alg: 'ES256', kid: keys[0]?.kid });
    });

    it('[OIDFED-8-1] ignores parameters that it does not understand', async () => {
      const entity = await enrol();
      const query = { sub: entity.entityIdentifier, iss: 'https://elsewhere.example', anchor: 'x', format: 'json' };
      const response = await service.ask(authority, 'fetch', query);
      expect(await jwtOf(response, MEDIA_TYPE)).toBe(await fetchStatement(entity));
    });

    it('is the same about the same record for another authority, each with its own', async () => {
      const other = await service.authority({
        defaultMetadataPolicy: { openid_provider: { contacts: { essential: true } } },
      });
      const jwks = await freshJwks();
      const entity = await enrol({ jwks });
      await service.entity(await service.organisation(other), { entityIdentifier: entity.entityIdentifier, jwks });
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ iss: authority.entityIdentifier });
      expect(claimsOf(await fetchStatement(entity))).not.toHaveProperty('metadata_policy');
      expect(claimsOf(await fetchStatement(entity, other))).toMatchObject({
        iss: other.entityIdentifier,
        metadata_policy: { openid_provider: { contacts: { essential: true } } },
      });
    });
  });

  describe('the subject', () => {
    it('[OIDFED-8.1-6] [OIDFED-8-2] may have colons and slashes as they are, or percent-encoded', async () => {
      const entity = await enrol({ entityIdentifier: `${freshIdentifier('raw')}:8443/partners/a` });
      const expected = await fetchStatement(entity);
      for (const sub of [entity.entityIdentifier, encodeURIComponent(entity.entityIdentifier)]) {
        expect(await jwtOf(await service.ask(authority, 'fetch', `sub=${sub}`), MEDIA_TYPE)).toBe(expected);
      }
    });

    it('has its plus signs percent-encoded: a bare one is a space, which no identifier has', async () => {
      const entity = await enrol({ entityIdentifier: `${freshIdentifier('plus')}/a+b` });
      const encoded = entity.entityIdentifier.replace('+', '%2B');
      expect(await jwtOf(await service.ask(authority, 'fetch', `sub=${encoded}`), MEDIA_TYPE)).toMatch(/^eyJ/);
      const bare = await service.ask(authority, 'fetch', `sub=${entity.entityIdentifier}`);
      expect(await refusalIn(bare)).toBe('400 invalid_request');
    });

    it('[OIDFED-16-2] is compared character by character', async () => {
      const host = freshIdentifier('exact');
      await enrol({ entityIdentifier: `${host}/path` });
      const others = [
        `${host}/path/`,
        `${host}:443/path`,
        `${host.toUpperCase().replace('HTTPS', 'https')}/path`,
        host,
      ];
      for (const other of others) expect(await refused({ entityIdentifier: other })).toBe('404 not_found');
      expect(claimsOf(await fetchStatement({ entityIdentifier: `${host}/path` }))).toMatchObject({
        sub: `${host}/path`,
      });
    });
  });

  describe('refusals', () => {
    it('[OIDFED-8.1-2] needs sub', async () => {
      for (const query of ['', 'sub=', 'subject=https://op.example']) {
        expect(await refusalIn(await service.ask(authority, 'fetch', query))).toBe('400 invalid_request');
      }
    });

    it('takes one sub only', async () => {
      const { entityIdentifier } = await enrol();
      const twice = await service.ask(authority, 'fetch', { sub: [entityIdentifier, entityIdentifier] });
      expect(await refusalIn(twice)).toBe('400 invalid_request');
    });

    it.each([
      'op.example',
      'ftp://op.example',
      'http://op.example',
      'https://op.example?a=b',
      'https://op.example#a',
      'https://user@op.example',
      'https://op.example/a b',
      'https://op.example/\0',
      'https://op.example/ä',
      `https://op.example/${'a'.repeat(2048)}`,
    ])('refuses a sub that is no Entity Identifier: %j', async (sub) => {
      expect(await refused({ entityIdentifier: sub })).toBe('400 invalid_request');
    });

    it('[OIDFED-8.1-3] answers not_found for what is no subordinate', async () => {
      expect(await refused({ entityIdentifier: 'https://stranger.example' })).toBe('404 not_found');
      expect(await refused({ entityIdentifier: 'https://stranger.example' })).toBe('404 not_found');
    });

    it('[OIDFED-8.1-4] answers invalid_request for the authority itself', async () => {
      expect(await refused(authority)).toBe('400 invalid_request');
    });

    it('answers not_found for a subordinate of another authority', async () => {
      const entity = await enrol();
      expect(await refused(entity, await service.authority())).toBe('404 not_found');
    });
  });

  describe('only active subordinates', () => {
    it.each(['pending', 'rejected', 'suspended', 'withdrawn', 'revoked'] as const)(
      '[OIDFED-11.4-1] has nothing about one that is %s',
      async (state) => {
        expect(await refused(await service.entity(organisation, {}, state))).toBe('404 not_found');
      },
    );

    it('[OIDFED-11.4-1] stops with the suspension, although its statement was served before, and goes on after it', async () => {
      const entity = await enrol();
      await fetchStatement(entity);
      await transitionEntity(service.context(), entity.id, 'suspend', 'incident');
      expect(await refused(entity)).toBe('404 not_found');
      await transitionEntity(service.context(), entity.id, 'reinstate', 'mended');
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ sub: entity.entityIdentifier });
      await transitionEntity(service.context(), entity.id, 'revoke', 'again');
      expect(await refused(entity)).toBe('404 not_found');
    });

    it('begins with the approval, although it was asked for before', async () => {
      const entity = await service.entity(organisation, {}, 'pending');
      expect(await refused(entity)).toBe('404 not_found');
      await transitionEntity(service.context(), entity.id, 'approve', 'fine');
      expect(await fetchStatement(entity)).toMatch(/^eyJ/);
    });

    it('stops and goes on with its organisation, but not for what was suspended itself', async () => {
      const own = await service.organisation(authority);
      const [first, second] = [await service.entity(own), await service.entity(own)];
      const other = await enrol();
      for (const entity of [first, second, other]) await fetchStatement(entity);
      await transitionEntity(service.context(), second.id, 'suspend', 'of its own');
      await transitionOrganisation(service.context(), own.id, 'suspend', 'contract ended');
      expect([await refused(first), await refused(second)]).toEqual(['404 not_found', '404 not_found']);
      expect(await fetchStatement(other)).toMatch(/^eyJ/);
      await transitionOrganisation(service.context(), own.id, 'reinstate', 'contract renewed');
      expect(await fetchStatement(first)).toMatch(/^eyJ/);
      expect(await refused(second)).toBe('404 not_found');
    });

    it('speaks of the new record once a revoked entity was enrolled anew', async () => {
      const entity = await enrol();
      await fetchStatement(entity);
      await transitionEntity(service.context(), entity.id, 'revoke', 'keys lost');
      const { entityIdentifier } = entity;
      const jwks = await freshJwks();
      await enrol({ entityIdentifier, jwks });
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ sub: entityIdentifier, jwks });
    });
  });

  it('[OIDFED-8-1] finds its endpoint with the query in any order', async () => {
    const entity = await enrol();
    const url = `${urlOf(authority, 'fetch')}?x=1&sub=${encodeURIComponent(entity.entityIdentifier)}&y=2`;
    expect(await jwtOf(await service.fetch(url), MEDIA_TYPE)).toBe(await fetchStatement(entity));
  });
});
