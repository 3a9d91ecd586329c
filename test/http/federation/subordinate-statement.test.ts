import { afterAll, describe, expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../../src/federation/media-types.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import type { NewEntity } from '../../../src/registry/entities/add-entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { removeRoleAssignment } from '../../../src/registry/roles/remove-role-assignment.ts';
import { updateRole } from '../../../src/registry/roles/update-role.ts';
import { updateRoleAssignment } from '../../../src/registry/roles/update-role-assignment.ts';
import { claimsOf, jwtOf } from '../../support/answers.ts';
import { relyingParty } from '../../support/api-service.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { serveFederation } from '../../support/federation-server.ts';
import { freshJwks, outcome, refusedBy } from '../../support/registry.ts';
import { assignedRole, policyOf, role } from '../../support/roles.ts';
import { startSuperior } from '../../support/superior.ts';

describe.each(DATABASE_KINDS)('the Subordinate Statement on the %s database', async (kind) => {
  const { service, authority, enrol, fetchStatement, refused, stop } = await startSuperior(kind, {
    understoodClaims: ['https://operator.example/level'],
  });
  afterAll(stop);

  describe('signed once', () => {
    it('sends the same bytes again, from memory and after a restart from the database', async () => {
      const entity = await enrol();
      const first = await fetchStatement(entity);
      service.clock.advance(600);
      expect(await fetchStatement(entity)).toBe(first);
      await service.restart();
      expect(await fetchStatement(entity)).toBe(first);
    });

    it('gives concurrent callers the same bytes', async () => {
      const entity = await enrol();
      const jwts = await Promise.all(Array.from({ length: 8 }, () => fetchStatement(entity)));
      expect(new Set(jwts).size).toBe(1);
    });

    it('signs anew between 40 and 50 percent of its life, also after a restart', async () => {
      const entity = await enrol({ statementLifetimeSeconds: 1000 });
      const first = await fetchStatement(entity);
      service.clock.advance(399);
      expect(await fetchStatement(entity)).toBe(first);
      service.clock.advance(101);
      const second = await fetchStatement(entity);
      expect(claimsOf(second)).toMatchObject({ iat: service.clock.now(), exp: service.clock.now() + 1000 });
      service.clock.advance(500);
      await service.restart();
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ iat: service.clock.now() });
    });

    it('signs anew at once when what it says changes', async () => {
      const entity = await enrol();
      const first = claimsOf(await fetchStatement(entity));
      expect(first).not.toHaveProperty('metadata_policy');
      const policy = { openid_relying_party: { contacts: { add: ['federation@operator.example'] } } };
      await updateEntity(service.context(), entity.id, { metadataPolicy: policy });
      expect(claimsOf(await fetchStatement(entity))).toEqual({ ...first, metadata_policy: policy });
      await updateEntity(service.context(), entity.id, { statementLifetimeSeconds: 120 });
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ exp: service.clock.now() + 120 });
    });

    it('F02 serves the policy of a role at once, for as long as it is held', async () => {
      const entity = await enrol();
      const organisation = { id: entity.organisationId, authorityId: authority.id };
      const now = service.clock.now();
      const { id } = await role(service, authority, { metadataPolicy: policyOf({ value: 'gold' }) });
      const validTo = new Date((now + 50) * 1000);
      const assignment = await assignedRole(service, organisation, { id, validTo });
      const served = async () => claimsOf(await fetchStatement(entity))['metadata_policy'];
      expect(await served()).toBeUndefined();
      await giveRole(service.context(), entity.id, id);
      expect(await served()).toEqual(policyOf({ value: 'gold' }));
      await updateRole(service.context(), id, { metadataPolicy: policyOf({ value: 'silver' }) });
      expect(await served()).toEqual(policyOf({ value: 'silver' }));
      service.clock.advance(40);
      expect(claimsOf(await fetchStatement(entity))['exp']).toBe(now + 50);
      service.clock.advance(10);
      expect(await served()).toBeUndefined();
      await updateRoleAssignment(service.context(), organisation.id, assignment.id, { validTo: null });
      expect(await served()).toEqual(policyOf({ value: 'silver' }));
      await removeRoleAssignment(service.context(), organisation.id, assignment.id, 'licence lost');
      expect(await served()).toBeUndefined();
    });

    it('signs the statements of all subordinates anew when the authority changes its default policy', async () => {
      const changing = await service.authority();
      const members = await service.organisation(changing);
      const entities = [await service.entity(members), await service.entity(members)];
      for (const entity of entities) await fetchStatement(entity, changing);
      const defaultMetadataPolicy = { openid_relying_party: { grant_types: { subset_of: ['authorization_code'] } } };
      await updateAuthority(service.context(), changing.id, { defaultMetadataPolicy });
      for (const entity of entities) {
        expect(claimsOf(await fetchStatement(entity, changing))).toMatchObject({
          metadata_policy: defaultMetadataPolicy,
        });
      }
    });

    it('keeps its bytes when a change concerns others', async () => {
      const [entity, other] = [await enrol(), await enrol()];
      const first = await fetchStatement(entity);
      service.clock.advance(1);
      await transitionEntity(service.context(), other.id, 'suspend', 'incident');
      await updateEntity(service.context(), entity.id, { metadataPolicy: {} });
      expect(await fetchStatement(entity)).toBe(first);
    });
  });

  describe('keys of the subordinate', () => {
    it('[OIDFED-3.1.1-2] are all listed in the order in which they were registered, new ones at once', async () => {
      const jwks = await freshJwks(3);
      const entity = await enrol({ jwks });
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ jwks });
      const added = { keys: [...(await freshJwks()).keys, ...jwks.keys.toReversed()] };
      await service.publishKeys(entity, added);
      await updateEntity(service.context(), entity.id, { jwks: added });
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ jwks: added });
      await service.restart();
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ jwks: added });
    });

    it('are listed until they expire, and the statement ends with the first of them', async () => {
      const { keys } = await freshJwks(2);
      const now = service.clock.now();
      const [passing, lasting] = [{ ...keys[0]!, exp: now + 600 }, keys[1]!];
      const entity = await enrol({ jwks: { keys: [passing, lasting] } });
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({
        exp: now + 600,
        jwks: { keys: [passing, lasting] },
      });
      service.clock.advance(599);
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ exp: now + 600 });
      service.clock.advance(1);
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({ exp: now + 4200, jwks: { keys: [lasting] } });
    });

    it('must not all have expired: then there is no statement', async () => {
      const { keys } = await freshJwks();
      const jwks = { keys: keys.map((key) => ({ ...key, exp: service.clock.now() + 600 })) };
      const entity = await enrol({ jwks });
      await fetchStatement(entity);
      const renewed = await freshJwks();
      await service.publishKeys(entity, renewed);
      service.clock.advance(600);
      expect(await refused(entity)).toBe('404 not_found');
      expect(await refused(entity)).toBe('404 not_found');
      await updateEntity(service.context(), entity.id, { jwks: renewed });
      expect(await fetchStatement(entity)).toMatch(/^eyJ/);
    });
  });

  describe('claims of the superior', () => {
    it('[OIDFED-3.1.1-7] has metadata only for Entity Types that the subordinate declares', async () => {
      const entity = await enrol({
        verifiedEntityTypes: ['openid_relying_party'],
        metadata: { openid_relying_party: { client_name: 'Shop' }, openid_provider: { display_name: 'Login' } },
      });
      expect(claimsOf(await fetchStatement(entity))).toMatchObject({
        metadata: { openid_relying_party: { client_name: 'Shop' } },
      });
      const none = await enrol({
        verifiedEntityTypes: [],
        metadata: { openid_relying_party: { client_name: 'Shop' } },
      });
      expect(claimsOf(await fetchStatement(none))).not.toHaveProperty('metadata');
    });

    it('[OIDFED-8.1-5] never sets the endpoints of the subordinate', async () => {
      const entity = await enrol();
      for (const endpoint of [
        'federation_fetch_endpoint',
        'federation_list_endpoint',
        'federation_trust_mark_status_endpoint',
      ]) {
        const metadata = { federation_entity: { [endpoint]: 'https://evil.example/fetch' } };
        const change = updateEntity(service.context(), entity.id, { metadata });
        expect(await outcome(change)).toBe(`validation_failed at /metadata/federation_entity/${endpoint}`);
      }
      expect(claimsOf(await fetchStatement(entity))).not.toHaveProperty('metadata');
    });

    it("merges the authority's default policy with the subordinate's own; a scope that is set stays one string", async () => {
      const strict = await service.authority({
        defaultMetadataPolicy: {
          openid_relying_party: {
            scope: { subset_of: ['openid', 'profile', 'email'] },
            grant_types: { subset_of: ['authorization_code', 'refresh_token'] },
          },
        },
      });
      const entity = await service.entity(await service.organisation(strict), {
        metadataPolicy: {
          openid_relying_party: {
            scope: { default: 'openid profile' },
            grant_types: { subset_of: ['authorization_code', 'implicit'] },
          },
        },
      });
      expect(claimsOf(await fetchStatement(entity, strict))).toMatchObject({
        metadata_policy: {
          openid_relying_party: {
            scope: { default: 'openid profile', subset_of: ['openid', 'profile', 'email'] },
            grant_types: { subset_of: ['authorization_code'] },
          },
        },
      });
    });

    it("has the subordinate's own constraints in place of the authority's", async () => {
      const strict = await service.authority({ defaultConstraints: { max_path_length: 0 } });
      const members = await service.organisation(strict);
      const [plain, own] = [
        await service.entity(members),
        await service.entity(members, { verifiedIntermediate: true, constraints: { max_path_length: 2 } }),
      ];
      expect(claimsOf(await fetchStatement(plain, strict))).toMatchObject({ constraints: { max_path_length: 0 } });
      expect(claimsOf(await fetchStatement(own, strict))).toMatchObject({ constraints: { max_path_length: 2 } });
    });

    it('[OIDFED-6.2.1-1] lets nobody be below who was not approved as an Intermediate', async () => {
      const [leaf, intermediate] = [await enrol(), await enrol({ verifiedIntermediate: true })];
      const naming = { naming_constraints: { permitted: ['.example'] } };
      const named = await enrol({ constraints: { ...naming, max_path_length: 1 } });
      expect(claimsOf(await fetchStatement(leaf))['constraints']).toEqual({ max_path_length: 0 });
      expect(claimsOf(await fetchStatement(named))['constraints']).toEqual({ ...naming, max_path_length: 0 });
      expect(claimsOf(await fetchStatement(intermediate))).not.toHaveProperty('constraints');
    });

    it('[OIDFED-13.4-1] names in crit only additional claims that it has, and leaves an empty one out', async () => {
      const additionalClaims = { 'https://operator.example/level': 'substantial', note: { text: 'x' } };
      const critical = await enrol({ additionalClaims, crit: ['https://operator.example/level'] });
      expect(claimsOf(await fetchStatement(critical))).toMatchObject({
        ...additionalClaims,
        crit: ['https://operator.example/level'],
      });
      const plain = await enrol({ additionalClaims });
      expect(claimsOf(await fetchStatement(plain))).toMatchObject(additionalClaims);
      expect(claimsOf(await fetchStatement(plain))).not.toHaveProperty('crit');
      const claimOutcome = (settings: Partial<NewEntity>) => outcome(enrol(settings));
      expect(await claimOutcome({ crit: ['absent'] })).toBe('validation_failed at /crit/0');
      expect(await claimOutcome({ additionalClaims: { jwks: {} } })).toBe(
        'validation_failed at /additionalClaims/jwks',
      );
      expect(await claimOutcome({ additionalClaims, crit: ['note', 'note'] })).toBe('validation_failed at /crit');
    });

    it('[OIDFED-13.4-2] names nothing in crit that is not understood here, and says which setting changes that', async () => {
      const refusal = await refusedBy(enrol({ additionalClaims: { note: 1 }, crit: ['note'] }));
      expect(refusal.message).toBe(
        '/crit/0 note is not understood here; if this federation defined it, name it in HOLDFAST_UNDERSTOOD_CLAIMS',
      );
    });

    it('[OIDFED-13.4-2] is accepted with its critical claim by the resolver of the same deployment', async () => {
      const [level, value] = ['https://operator.example/level', 'substantial'];
      await using rp = await serveFederation({ rp: relyingParty(authority) });
      const { entityIdentifier, jwks } = { entityIdentifier: rp.federation.id('rp'), jwks: rp.federation.jwks('rp') };
      await enrol({ entityIdentifier, jwks, additionalClaims: { [level]: value }, crit: [level] });
      const query = { sub: entityIdentifier, trust_anchor: authority.entityIdentifier };
      const { trust_chain: chain } = claimsOf(
        await jwtOf(await service.ask(authority, 'resolve', query), MEDIA_TYPE.resolveResponse),
      );
      expect(claimsOf((chain as string[])[1] ?? '')).toMatchObject({ [level]: value, crit: [level] });
    });

    it('leaves out whatever is empty', async () => {
      const entity = await enrol({
        verifiedIntermediate: true,
        metadata: {},
        metadataPolicy: { openid_relying_party: {}, openid_provider: { contacts: {} } },
        constraints: {},
      });
      expect(Object.keys(claimsOf(await fetchStatement(entity))).toSorted()).toEqual([
        'exp',
        'iat',
        'iss',
        'jwks',
        'sub',
      ]);
    });
  });
});
