import { eq } from 'drizzle-orm';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { revocationImpact } from '../../../src/registry/authorities/keys/revocation-impact.ts';
import { STATEMENTS_ONLY } from '../../../src/registry/authorities/keys/signed-by-key.ts';
import { markKeyCompromised } from '../../../src/registry/entities/keys/mark-key-compromised.ts';
import { readEntity } from '../../../src/registry/entities/read-entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { advanceHostedKeys } from '../../../src/registry/hosting/advance-hosted-keys.ts';
import { announceBroughtKey } from '../../../src/registry/hosting/announce-brought-key.ts';
import { dueHostedEntities, readHosting } from '../../../src/registry/hosting/read-hosting.ts';
import { rollHostedKey } from '../../../src/registry/hosting/roll-hosted-key.ts';
import { takeHostedKey } from '../../../src/registry/hosting/take-hosted-key.ts';
import { updateHosting } from '../../../src/registry/hosting/update-hosting.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { authorityKeys } from '../../../src/storage/schema/authority-keys.ts';
import { hostedKeys } from '../../../src/storage/schema/hosted-entities.ts';
import { issuedStatements } from '../../../src/storage/schema/issued-statements.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { generateHostedKey, hostedEntity } from '../../support/hosting-verbs.ts';
import { actor, NOW_DATE, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';
import { freshKey } from '../../support/subordinate-keys.ts';

const later = (days: number): Date => new Date(NOW_DATE.getTime() + days * 86_400_000);

describe.each(DATABASE_KINDS)('keys of a hosted entity on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;

  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });

  afterAll(() => registry[Symbol.asyncDispose]());

  const keysOf = (id: string) => registry.db.select().from(hostedKeys).where(eq(hostedKeys.entityId, id));
  const at = (now: Date) => registry.context(undefined, { now });

  it('destroy their private halves when they sign no more, and when the record is closed', async () => {
    const { id } = await hostedEntity(registry, authority);
    await rollHostedKey(registry.context(), id, { reason: undefined }, generateHostedKey);
    await advanceHostedKeys(at(later(120)), id);
    const held = async () =>
      (await keysOf(id)).map(({ state, sealedPrivateKey }) => `${state} ${sealedPrivateKey !== null}`).sort();
    expect(await held()).toEqual(['active true', 'retired false']);
    await transitionEntity(registry.context(), id, 'withdraw', 'left');
    expect(await held()).toEqual(['removed false', 'removed false']);
    expect(await dueHostedEntities(registry.db, later(400), 1000)).not.toContain(id);
  });

  it('are due when their next step is, and not before', async () => {
    const { id } = await hostedEntity(registry, authority);
    const isDue = async (days: number) => (await dueHostedEntities(registry.db, later(days), 1000)).includes(id);
    expect(await isDue(400)).toBe(false);
    await rollHostedKey(registry.context(), id, { reason: undefined }, generateHostedKey);
    expect([await isDue(0), await isDue(120)]).toEqual([false, true]);
    await advanceHostedKeys(at(later(120)), id);
    expect([await isDue(120), await isDue(121)]).toEqual([false, true]);
    await advanceHostedKeys(at(later(121)), id);
    expect(await isDue(400)).toBe(false);
  });

  it('take one step at a time: of two nodes that roll at once one is refused', async () => {
    const { id } = await hostedEntity(registry, authority);
    const roll = () => outcome(rollHostedKey(registry.context(), id, { reason: undefined }, generateHostedKey));
    expect((await Promise.all([roll(), roll()])).sort()).toEqual(['done', 'key_roll_pending']);
    const advance = () => advanceHostedKeys(at(later(120)), id);
    await Promise.all([advance(), advance()]);
    expect((await keysOf(id)).map(({ state }) => state).sort()).toEqual(['active', 'retired']);
  });

  it('are moved along for a limited number of entities at a time', async () => {
    for (let made = 0; made < 3; made++) {
      const { id } = await hostedEntity(registry, authority);
      await rollHostedKey(registry.context(), id, { reason: undefined }, generateHostedKey);
    }
    expect(await dueHostedEntities(registry.db, later(120), 2)).toHaveLength(2);
  });

  it('are helped out once, when several nodes see that none signs', async () => {
    const { id } = await hostedEntity(registry, authority);
    const [key] = await keysOf(id);
    await markKeyCompromised(registry.context(), id, { kid: key?.kid ?? '', reason: 'stolen' });
    const help = { reason: 'none signs', isOnlyWithoutSigner: true };
    for (let node = 0; node < 2; node++) await rollHostedKey(registry.context(), id, help, generateHostedKey);
    expect((await keysOf(id)).map(({ state }) => state).sort()).toEqual(['active', 'removed']);
  });

  it('are told apart by entity: one may bring what another calls its key the same', async () => {
    const brought = { evidence: { challenge: 'c', outOfBandCheck: 'called' }, alongside: async () => {} };
    const { jwk } = await freshKey();
    for (let made = 0; made < 2; made++) {
      const { id } = await hostedEntity(registry, authority);
      await announceBroughtKey(registry.context(), id, { ...brought, jwk });
      expect((await keysOf(id)).map(({ kid }) => kid)).toContain(jwk.kid);
    }
  });

  const theirs = async () => {
    const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    return { ...(await exportJWK(publicKey)), kid: 'theirs' };
  };

  it('are not handed out while a change of the configuration would get lost', async () => {
    const { id, configuration } = await hostedEntity(registry, authority);
    const presentConfiguration = async () => {
      const jwt = await configuration();
      await updateHosting(registry.context(), id, { configurationLifetimeSeconds: 7200 }, undefined);
      return jwt;
    };
    const tools = { exportKey: async () => 'jwe', presentConfiguration };
    const order = { recipient: await theirs(), reason: 'moves out' };
    expect(await outcome(takeHostedKey(registry.context(), id, order, tools))).toBe('key_not_exportable');
    expect((await keysOf(id)).map(({ state }) => state)).toEqual(['active']);
  });

  it.each(['withdraw', 'revoke'] as const)('are destroyed with their organisation: %s', async (transition) => {
    const { id } = await hostedEntity(registry, authority);
    const { organisationId } = await readEntity(registry.db, actor(), id);
    const other = await hostedEntity(registry, authority);
    await transitionOrganisation(registry.context(), organisationId, 'suspend', 'for now');
    expect((await keysOf(id)).map(({ state }) => state)).toEqual(['active']);
    await transitionOrganisation(registry.context(), organisationId, transition, 'for good');
    expect(await keysOf(id)).toMatchObject([{ state: 'removed', sealedPrivateKey: null }]);
    expect((await readHosting(registry.db, actor(), id)).endedAt).toEqual(NOW_DATE);
    expect(await keysOf(other.id)).toMatchObject([{ state: 'active', sealedPrivateKey: expect.anything() }]);
  });

  it('are destroyed with what was handed out and not used yet', async () => {
    const { id, configuration } = await hostedEntity(registry, authority);
    const tools = { exportKey: async () => 'jwe', presentConfiguration: configuration };
    await takeHostedKey(registry.context(), id, { recipient: await theirs(), reason: 'moves out' }, tools);
    expect(await keysOf(id)).toMatchObject([{ state: 'handed_over', sealedPrivateKey: null, handedOverJwe: 'jwe' }]);
    await transitionEntity(registry.context(), id, 'withdraw', 'left');
    expect(await keysOf(id)).toMatchObject([{ state: 'removed', handedOverJwe: null, handedOverTo: null }]);
  });

  it('do not leave a PKCS#11 token', async () => {
    const { id, configuration } = await hostedEntity(registry, authority);
    const inToken = { custody: 'pkcs11', tokenObject: 'ab', sealedPrivateKey: null } as const;
    await registry.db.update(hostedKeys).set(inToken).where(eq(hostedKeys.entityId, id));
    const { publicKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256', extractable: true });
    const recipient = { ...(await exportJWK(publicKey)), kid: 'theirs' };
    const tools = { exportKey: () => Promise.reject(new Error('asked for')), presentConfiguration: configuration };
    const take = takeHostedKey(registry.context(), id, { recipient, reason: 'moves out' }, tools);
    expect(await outcome(take)).toBe('key_not_exportable');
  });

  it('are not counted among what a key of the authority signed', async () => {
    const { entityIdentifier } = await hostedEntity(registry, authority);
    await registry.db.insert(issuedStatements).values({
      ...{ authorityId: authority.id, kind: 'hosted-configuration', subject: entityIdentifier, claimsHash: 'x' },
      ...{ basisVersion: 1, jwt: 'x', issuedAt: NOW_DATE, expiresAt: later(1), refreshAt: later(1) },
    });
    const [key] = await registry.db.select().from(authorityKeys).where(eq(authorityKeys.authorityId, authority.id));
    if (key === undefined) throw new Error('no key');
    const impact = await registry.db.transaction((tx) =>
      revocationImpact(tx, authority, key, STATEMENTS_ONLY, NOW_DATE),
    );
    expect(impact.statements).toEqual([]);
  });
});
