import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_TRUST_MARK_BYTES } from '../../../src/federation/lint/lint-trust-mark.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { listAuthorityKeys } from '../../../src/registry/authorities/read-authority.ts';
import type { RecognitionSettings } from '../../../src/registry/authorities/recognition-settings.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { makeTrustMarkDelegation } from '../../../src/registry/trust-marks/make-trust-mark-delegation.ts';
import { transitionTrustMarkType } from '../../../src/registry/trust-marks/transition-trust-mark-type.ts';
import { type Ownership, readTrustMarkType } from '../../../src/registry/trust-marks/trust-mark-type.ts';
import { updateTrustMarkType } from '../../../src/registry/trust-marks/update-trust-mark-type.ts';
import { trustMarkTypes } from '../../../src/storage/schema/trust-mark-types.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { buildFederation, NOW, type TestFederation } from '../../support/federation.ts';
import { testKey } from '../../support/keys.ts';
import { actor, freshIdentifier, freshJwks, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';
import { AUDITED, delegation } from '../../support/trust-marks.ts';

describe.each(DATABASE_KINDS)('Trust Mark types on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  let federation: TestFederation;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
    federation = await buildFederation({ owner: {}, issuer: { identifier: authority.entityIdentifier }, other: {} });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  it('have settings of their own, with a life of a day and approval by a person where nothing is said', async () => {
    const trustMarkType = `${freshIdentifier('marks')}/x`;
    const type = await registry.trustMarkType(authority, { trustMarkType, lifetimeSeconds: undefined });
    expect(await readTrustMarkType(registry.db, actor(), type.id)).toEqual(type);
    expect(type).toMatchObject({ trustMarkType, lifetimeSeconds: 86_400, approval: 'manual', state: 'active' });
    expect(await outcome(registry.trustMarkType(authority, { trustMarkType }))).toBe('trust_mark_type_exists');
    expect(await outcome(registry.trustMarkType(await registry.authority(), { trustMarkType }))).toBe('done');
  });

  it.each<[string, object]>([
    ['/trustMarkType', { trustMarkType: 'member' }],
    ['/trustMarkType', { trustMarkType: 'https://marks.example/a b' }],
    ['/lifetimeSeconds', { lifetimeSeconds: 599 }],
    ['/lifetimeSeconds', { lifetimeSeconds: 1.5 }],
    ['/lifetimeSeconds', { lifetimeSeconds: 10 * 366 * 86_400 }],
    ['/additionalClaims/exp', { additionalClaims: { exp: 1 } }],
    ['/additionalClaims/delegation', { additionalClaims: { delegation: 'x' } }],
    ['/additionalClaims', { additionalClaims: { note: 'x'.repeat(MAX_TRUST_MARK_BYTES) } }],
    ['/logoUri', { logoUri: 'logo.png' }],
    ['/ref', { ref: 'javascript:alert(1)' }],
    ['/eligibility/entityTypes', { eligibility: { entityTypes: [] } }],
    [
      '/eligibility/trustMarkTypes',
      { eligibility: { trustMarkTypes: ['https://a.example/x', 'https://a.example/x'] } },
    ],
    ['/eligibility/trustMarkTypes/0', { eligibility: { trustMarkTypes: ['https://a.example/unknown'] } }],
  ])('[OIDFED-7.1-1] are refused where nobody could sign or get a mark: %s', async (field, settings) => {
    expect(await outcome(registry.trustMarkType(authority, settings))).toBe(`validation_failed at ${field}`);
  });

  it('do not depend on themselves', async () => {
    const type = await registry.trustMarkType(authority);
    const eligibility = { trustMarkTypes: [type.trustMarkType] };
    expect(await outcome(updateTrustMarkType(registry.context(), type.id, { eligibility }))).toBe(
      'validation_failed at /eligibility/trustMarkTypes/0',
    );
    const another = await registry.trustMarkType(authority, { eligibility });
    expect(another.eligibility).toEqual(eligibility);
  });

  it('change when told so, and not when nothing changes or the version is stale', async () => {
    const { id, version } = await registry.trustMarkType(authority);
    const seq = await registry.seq();
    await updateTrustMarkType(registry.context(), id, { name: 'Member' });
    expect(await registry.seq()).toBe(seq);
    expect(await outcome(updateTrustMarkType(registry.context(), id, { name: 'New' }, version + 1))).toBe(
      'version_mismatch',
    );
    const changed = await updateTrustMarkType(registry.context(), id, { name: 'New', lifetimeSeconds: null }, version);
    expect(changed).toMatchObject({ name: 'New', lifetimeSeconds: null, version: version + 1 });
  });

  it('keep a lifetime from before there was a limit, until another is given', async () => {
    const { id } = await registry.trustMarkType(authority);
    await registry.db.update(trustMarkTypes).set({ lifetimeSeconds: 60 }).where(eq(trustMarkTypes.id, id));
    expect(await updateTrustMarkType(registry.context(), id, { name: 'New' })).toMatchObject({
      name: 'New',
      lifetimeSeconds: 60,
    });
    expect(await outcome(updateTrustMarkType(registry.context(), id, { lifetimeSeconds: 60 }))).toBe(
      'validation_failed at /lifetimeSeconds',
    );
  });

  it('leave room for the marks granted already', async () => {
    const { id, ...type } = await registry.trustMarkType(authority);
    await registry.trustMark({ id, ...type }, undefined, { additionalClaims: { note: 'x'.repeat(5000) } });
    const additionalClaims = { terms: 'y'.repeat(6000) };
    expect(await outcome(updateTrustMarkType(registry.context(), id, { additionalClaims }))).toBe(
      'validation_failed at /additionalClaims',
    );
    const another = await registry.trustMarkType(authority);
    expect(await outcome(updateTrustMarkType(registry.context(), another.id, { additionalClaims }))).toBe('done');
  });

  it('are retired and reinstated, each once', async () => {
    const type = await registry.trustMarkType(authority);
    const move = (transition: 'retire' | 'reinstate') =>
      outcome(transitionTrustMarkType(registry.context(), type.id, transition, 'a reason'));
    expect([await move('reinstate'), await move('retire'), await move('retire')]).toEqual([
      'illegal_transition',
      'done',
      'illegal_transition',
    ]);
    expect(await outcome(registry.trustMark(type))).toBe('trust_mark_type_retired');
    expect([await move('reinstate'), await outcome(registry.trustMark(type))]).toEqual(['done', 'done']);
  });

  describe('of a foreign owner', () => {
    const define = async (jwt: string, jwks: unknown = federation.jwks('owner')) =>
      registry.trustMarkType(
        await registry.authority({ entityIdentifier: freshIdentifier('unused') }).then(() => authority),
        {
          trustMarkType: AUDITED,
          ownership: { owner: federation.id('owner'), jwks: jwks as never, delegation: jwt },
        },
      );

    it.each<[string, () => Promise<string>]>([
      ['expired', () => delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: NOW } })],
      ['not valid yet', () => delegation(federation, 'owner', 'issuer', AUDITED, { claims: { iat: NOW + 1 } })],
      ['for another issuer', () => delegation(federation, 'owner', 'other')],
      ['of another type', () => delegation(federation, 'owner', 'issuer', 'https://owner.example/marks/other')],
      ['by somebody else', () => delegation(federation, 'other', 'issuer')],
      [
        'signed by a key that the anchor does not list',
        async () => delegation(federation, 'owner', 'issuer', AUDITED, { key: await testKey('ES256', 99) }),
      ],
      ['of another kind of JWT', () => delegation(federation, 'owner', 'issuer', AUDITED, { header: { typ: 'JWT' } })],
      ['that is no JWT', async () => 'a.b.c'],
    ])('[OIDFED-7.2.2-1] [OIDFED-7.2.2-2] [OIDFED-7.2.2-3] are refused under a delegation %s', async (_what, make) => {
      expect(await outcome(define(await make()))).toBe('validation_failed at /ownership/delegation');
    });

    it('are issued under a good delegation, until it ends', async () => {
      const type = await define(await delegation(federation, 'owner', 'issuer'));
      expect(type).toMatchObject({ owner: federation.id('owner'), delegationExpiresAt: new Date((NOW + 3600) * 1000) });
      const lasting = await delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: undefined } });
      const ownership = { owner: federation.id('owner'), jwks: federation.jwks('owner') as never, delegation: lasting };
      const renewed = await updateTrustMarkType(registry.context(), type.id, { ownership });
      expect(renewed).toMatchObject({ delegation: lasting, delegationExpiresAt: null });
      const free = await updateTrustMarkType(registry.context(), type.id, { ownership: null });
      expect(free).toMatchObject({ owner: null, ownerJwks: null, delegation: null, delegationExpiresAt: null });
    });
  });

  describe('that an authority recognises as a Trust Anchor', () => {
    const recognised = (settings: object) => outcome(updateAuthority(registry.context(), authority.id, settings));

    it('are named with issuers and owners', async () => {
      const trustMarkIssuers = { [AUDITED]: [authority.entityIdentifier], 'https://x.example/open': [] };
      const trustMarkOwners = { [AUDITED]: { sub: federation.id('owner'), jwks: (await freshJwks()) as never } };
      const changed = await updateAuthority(registry.context(), authority.id, { trustMarkIssuers, trustMarkOwners });
      expect(changed).toMatchObject({ trustMarkIssuers, trustMarkOwners });
    });

    describe('are issued and delegated only as it lists them itself:', () => {
      const type = 'https://own.example/marks/audited';
      let own: Authority;
      beforeAll(async () => {
        own = await registry.authority();
      });
      const lists = (settings: Partial<RecognitionSettings>) =>
        updateAuthority(registry.context(), own.id, { trustMarkIssuers: {}, trustMarkOwners: {}, ...settings });
      const define = (ownership: Ownership | null = null) =>
        outcome(registry.trustMarkType(own, { trustMarkType: type, ownership }));
      const ownershipBy = async (): Promise<Ownership> => {
        const tampering = { claims: { sub: own.entityIdentifier } };
        const jwt = await delegation(federation, 'owner', 'issuer', type, tampering);
        return { owner: federation.id('owner'), jwks: federation.jwks('owner') as never, delegation: jwt };
      };
      const delegate = async (issuer: string) => {
        const [key] = await keysOf();
        const sign = async () => ({ jwt: 'a.b.c', kid: key?.kid ?? '' });
        const terms = { trustMarkType: type, issuer };
        return await outcome(makeTrustMarkDelegation(registry.context(), own.id, terms, sign));
      };
      const keysOf = () => listAuthorityKeys(registry.db, actor(), own.id);
      const ownerOf = (sub: string, keys: readonly object[]) => ({ [type]: { sub, jwks: { keys } as never } });

      it('[OIDFED-7.3-2] a type that others alone may issue is not defined', async () => {
        await lists({ trustMarkIssuers: { [type]: ['https://another.example'] } });
        expect(await define()).toBe('validation_failed at /trustMarkType');
      });

      it('[OIDFED-7.3-4] a type with an owner is defined with the delegation of that owner, and stays so', async () => {
        const { keys } = federation.jwks('owner');
        await lists({ trustMarkOwners: ownerOf(federation.id('owner'), keys) });
        expect(await define()).toBe('validation_failed at /ownership');
        const ownership = await ownershipBy();
        await lists({ trustMarkOwners: ownerOf('https://another.example', keys) });
        expect(await define(ownership)).toBe('validation_failed at /ownership/delegation');
        await lists({ trustMarkOwners: ownerOf(federation.id('owner'), (await freshJwks()).keys) });
        expect(await define(ownership)).toBe('validation_failed at /ownership/delegation');
        await lists({ trustMarkIssuers: { [type]: [] } });
        expect(await define(ownership)).toBe('validation_failed at /ownership');
        await lists({
          trustMarkIssuers: { [type]: [own.entityIdentifier] },
          trustMarkOwners: ownerOf(federation.id('owner'), keys),
        });
        const { id } = await registry.trustMarkType(own, { trustMarkType: type, ownership });
        const freed = updateTrustMarkType(registry.context(), id, { ownership: null });
        expect(await outcome(freed)).toBe('validation_failed at /ownership');
        await transitionTrustMarkType(registry.context(), id, 'retire', 'a reason');
      });

      it('a list of issuers is not closed to the authority while it issues the type, nor the type taken up again', async () => {
        const authority = await registry.authority();
        const { id, trustMarkType } = await registry.trustMarkType(authority);
        const list = (issuers: string[]) =>
          outcome(
            updateAuthority(registry.context(), authority.id, { trustMarkIssuers: { [trustMarkType]: issuers } }),
          );
        const move = (transition: 'retire' | 'reinstate') =>
          outcome(transitionTrustMarkType(registry.context(), id, transition, 'a reason'));
        expect(await list(['https://another.example'])).toMatch(/^validation_failed at \/trustMarkIssuers\//);
        expect(await list(['https://another.example', authority.entityIdentifier])).toBe('done');
        expect(await list([])).toBe('done');
        expect(await move('retire')).toBe('done');
        expect(await list(['https://another.example'])).toBe('done');
        expect(await move('reinstate')).toBe('validation_failed at /trustMarkType');
      });

      it('[OIDFED-7.2.2-3] a delegation is not made for what another owns, by another key, or for no issuer', async () => {
        const [issuer, published] = ['https://issuer.example', (await keysOf()).map(({ publicJwk }) => publicJwk)];
        await lists({ trustMarkOwners: ownerOf('https://another.example', published) });
        expect(await delegate(issuer)).toBe('validation_failed at /trustMarkType');
        await lists({ trustMarkOwners: ownerOf(own.entityIdentifier, (await freshJwks()).keys) });
        expect(await delegate(issuer)).toBe('validation_failed at /trustMarkType');
        const trustMarkOwners = ownerOf(own.entityIdentifier, published);
        await lists({ trustMarkOwners, trustMarkIssuers: { [type]: ['https://another.example'] } });
        expect(await delegate(issuer)).toBe('validation_failed at /issuer');
        await lists({ trustMarkOwners, trustMarkIssuers: { [type]: [issuer] } });
        expect(await delegate(issuer)).toBe('done');
      });
    });

    it('are few enough for a configuration that is read', async () => {
      const issuersOf = (types: number, issuers: number) => {
        const names = Array.from({ length: issuers }, (_, index) => `https://issuer-${index}.example`);
        return Object.fromEntries(Array.from({ length: types }, (_, index) => [`urn:type:${index}`, names]));
      };
      expect(await recognised({ trustMarkIssuers: issuersOf(10, 200) })).toBe('done');
      expect(await recognised({ trustMarkIssuers: issuersOf(12, 200) })).toBe('validation_failed at /trustMarkIssuers');
      await recognised({ trustMarkIssuers: {} });
    });

    it.each<[string, () => Promise<object>]>([
      [
        '/trustMarkIssuers/https:~1~1a.example~1x/0',
        async () => ({ trustMarkIssuers: { 'https://a.example/x': ['x'] } }),
      ],
      ['/trustMarkIssuers/', async () => ({ trustMarkIssuers: { '': [] } })],
      ['/trustMarkOwners/t/sub', async () => ({ trustMarkOwners: { t: { sub: 'x', jwks: await freshJwks() } } })],
      ['/trustMarkOwners/t/jwks', async () => ({ trustMarkOwners: { t: { sub: 'https://o.example', jwks: {} } } })],
      [
        '/trustMarkOwners/t/jwks/keys/0',
        async () => ({
          trustMarkOwners: { t: { sub: 'https://o.example', jwks: { keys: [(await testKey()).privateJwk] } } },
        }),
      ],
    ])('[OIDFED-3.1.2-5] are refused at %s', async (field, settings) => {
      expect(await recognised(await settings())).toBe(`validation_failed at ${field}`);
    });
  });
});
