import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approveEntity } from '../../src/enrolment/decide-entity.ts';
import { enrolHandedOver, type HandedOverEnrolment } from '../../src/enrolment/enrol-handed-over.ts';
import { CHALLENGE_LIFETIME_SECONDS, createEnrolmentChallenge } from '../../src/enrolment/enrolment-challenge.ts';
import { recheckEntity } from '../../src/enrolment/recheck-entity.ts';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { readEntity } from '../../src/registry/entities/read-entity.ts';
import type { Organisation } from '../../src/registry/organisations/organisation.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { enrolmentOf, keyProof } from '../support/enrolment.ts';
import { NOW } from '../support/federation.ts';
import { signJwt, type TestKey, testKey } from '../support/keys.ts';
import {
  actor,
  freshIdentifier,
  NOW_DATE,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../support/registry.ts';

const neverAsked = () => Promise.reject(new Error('an entity that cannot publish was asked for its configuration'));

describe.each(DATABASE_KINDS)('enrolHandedOver on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  let organisation: Organisation;
  let keys: [TestKey, TestKey];
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
    organisation = await registry.organisation(authority);
    keys = [await testKey('ES256', 80), await testKey('ES256', 81)];
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const challengeFor = async (entityIdentifier: string, { id } = authority) =>
    (await createEnrolmentChallenge(registry.context(), id, entityIdentifier)).challenge;

  /** A request that is in order, for two keys that both prove themselves. */
  async function request(changes: Partial<HandedOverEnrolment> = {}): Promise<HandedOverEnrolment> {
    const entityIdentifier = changes.entityIdentifier ?? freshIdentifier('handed-over');
    const challenge = changes.challenge ?? (await challengeFor(entityIdentifier));
    const claims = { iss: entityIdentifier, aud: authority.entityIdentifier, nonce: challenge };
    return {
      ...enrolmentOf(organisation.id, entityIdentifier),
      jwks: { keys: keys.map((key) => key.jwk) },
      challenge,
      keyProofs: await Promise.all(keys.map((key) => keyProof(key, claims))),
      outOfBandCheck: 'Called back on a known number',
      ...changes,
    };
  }

  const enrol = (input: HandedOverEnrolment, by = actor(), now = NOW_DATE) =>
    enrolHandedOver(registry.context(by, { now }), input);

  it('records the keys with their proofs and how a person made sure, and can be approved without any fetch', async () => {
    const input = await request();
    const entity = await enrol(input);
    expect(entity).toMatchObject({
      enrolment: 'handed_over',
      state: 'pending',
      registeredEntityTypes: ['openid_relying_party'],
      verifiedEntityTypes: null,
      evidence: {
        challenge: input.challenge,
        keyProofs: input.keyProofs,
        outOfBandCheck: 'Called back on a known number',
      },
      checks: [
        { check: 'key_proof', outcome: 'passed' },
        { check: 'out_of_band', outcome: 'passed', detail: 'Called back on a known number' },
      ],
    });
    expect(entity.keys.map(({ jwk }) => jwk)).toEqual(keys.map((key) => key.jwk));
    const approved = await approveEntity(registry.context(), entity.id, 'x', entity.version, neverAsked);
    expect(approved.state).toBe('active');
    expect(await outcome(recheckEntity(registry.context(), entity.id, neverAsked))).toBe('checks_failed');
  });

  it('is for registrars only', async () => {
    const input = await request();
    for (const role of ['admin', 'approver', 'auditor'] as const) {
      const by = actor({ roles: [role] });
      expect(await outcome(enrol(input, by))).toBe('role_missing');
      const challenge = createEnrolmentChallenge(registry.context(by), authority.id, input.entityIdentifier);
      expect(await outcome(challenge)).toBe('role_missing');
    }
    expect(await outcome(enrol(input, actor({ roles: ['registrar'] })))).toBe('done');
  });

  describe('proofs', () => {
    it('are needed from every key', async () => {
      const input = await request();
      const error = await refusedBy(enrol({ ...input, keyProofs: input.keyProofs.slice(0, 1) }));
      expect([error.code, error.details.errors?.[0]?.pointer]).toEqual(['validation_failed', '/keyProofs']);
      expect(error.message).toContain(keys[1].kid);
      expect(error.message).not.toContain(keys[0].kid);
      expect(await outcome(enrol({ ...input, keyProofs: [] }))).toBe('validation_failed at /keyProofs');
    });

    it('of one key do not stand for another', async () => {
      const input = await request();
      const [proof = ''] = input.keyProofs;
      expect(await outcome(enrol({ ...input, keyProofs: [proof, proof] }))).toBe('validation_failed at /keyProofs');
    });

    it.each<[string, (claims: { iss: string; aud: string; nonce: string }) => Promise<string>]>([
      ['another nonce', (claims) => keyProof(keys[1], { ...claims, nonce: 'another' })],
      ['another audience', (claims) => keyProof(keys[1], { ...claims, aud: 'https://other.example' })],
      ['another issuer', (claims) => keyProof(keys[1], { ...claims, iss: 'https://other.example' })],
      ['another type', (claims) => signJwt(keys[1], 'entity-statement+jwt', claims)],
      ['a key that is not handed over', async (claims) => keyProof(await testKey('ES256', 82), claims)],
      [
        'a signature by another key under the same kid',
        async (claims) =>
          signJwt(keys[1], 'holdfast-key-proof+jwt', claims, {
            key: { ...(await testKey('ES256', 83)), kid: keys[1].kid },
          }),
      ],
      ['no JWT', async () => 'proof'],
    ])('with %s are refused', async (_what, forge) => {
      const input = await request();
      const claims = { iss: input.entityIdentifier, aud: authority.entityIdentifier, nonce: input.challenge };
      const keyProofs = [input.keyProofs[0] ?? '', await forge(claims)];
      expect(await outcome(enrol({ ...input, keyProofs }))).toBe('validation_failed at /keyProofs/1');
      // A refused attempt does not use the challenge up.
      expect(await outcome(enrol(input))).toBe('done');
    });

    it('are not good for another entity, even with a challenge of its own', async () => {
      const { keyProofs } = await request();
      expect(await outcome(enrol({ ...(await request()), keyProofs }))).toBe('validation_failed at /keyProofs/0');
    });
  });

  describe('a challenge', () => {
    it('has 256 random bits and is good for a day', async () => {
      const context = registry.context();
      const { challenge, expiresAt } = await createEnrolmentChallenge(context, authority.id, freshIdentifier('x'));
      expect(Buffer.from(challenge, 'base64url')).toHaveLength(32);
      expect(expiresAt).toEqual(new Date(NOW_DATE.getTime() + 86_400_000));
    });

    it('leaves no trace in the registry', async () => {
      const seq = await registry.seq();
      await challengeFor(freshIdentifier('x'));
      expect(await registry.seq()).toBe(seq);
    });

    it('is good once', async () => {
      const input = await request();
      const { id } = await enrol(input);
      const error = await refusedBy(enrol(input));
      expect([error.code, error.kind]).toEqual(['challenge_invalid', 'conflict']);
      const again = await request({ entityIdentifier: input.entityIdentifier });
      expect(await outcome(enrol(again))).toBe('entity_exists');
      expect((await readEntity(registry.db, actor(), id)).state).toBe('pending');
    });

    it('is good for one of two enrolments at once', async () => {
      const input = await request();
      const outcomes = await Promise.all([outcome(enrol(input)), outcome(enrol(input))]);
      expect(outcomes.sort()).toEqual(['challenge_invalid', 'done']);
    });

    it('is not used up by an enrolment that fails', async () => {
      const entityIdentifier = freshIdentifier('taken');
      const existing = await registry.entity(organisation, { entityIdentifier }, 'pending');
      const input = await request({ entityIdentifier });
      expect(await outcome(enrol(input))).toBe('entity_exists');
      expect((await readEntity(registry.db, actor(), existing.id)).keys).toEqual(existing.keys);
    });

    it('ends after a day', async () => {
      const input = await request();
      const later = (seconds: number) => new Date(NOW_DATE.getTime() + seconds * 1000);
      expect(await outcome(enrol(input, actor(), later(CHALLENGE_LIFETIME_SECONDS)))).toBe('challenge_invalid');
      expect(await outcome(enrol(input, actor(), later(CHALLENGE_LIFETIME_SECONDS - 1)))).toBe('done');
    });

    it('of another entity, of another authority or made up is not accepted', async () => {
      const other = await registry.authority();
      const entityIdentifier = freshIdentifier('challenged');
      for (const challenge of [
        await challengeFor(freshIdentifier('other')),
        await challengeFor(entityIdentifier, other),
        'A'.repeat(43),
      ]) {
        expect(await outcome(enrol(await request({ entityIdentifier, challenge })))).toBe('challenge_invalid');
      }
    });

    it('is made for what can be enrolled only', async () => {
      const create = (id: string, entityIdentifier: string) =>
        outcome(createEnrolmentChallenge(registry.context(), id, entityIdentifier));
      expect(await create(authority.id, 'http://rp.example')).toBe('validation_failed at /entityIdentifier');
      expect(await create(authority.id, authority.entityIdentifier)).toBe('validation_failed at /entityIdentifier');
      expect(await create(nextId(), 'https://rp.example')).toBe('not_found');
    });
  });

  it('takes the same request once', async () => {
    const input = await request();
    const idempotency = { key: input.challenge, requestHash: 'hash' };
    const first = await enrolHandedOver(registry.context(), input, idempotency);
    expect(await enrolHandedOver(registry.context(), input, idempotency)).toEqual(first);
  });

  it('refuses the authority itself', async () => {
    const input = await request();
    const { entityIdentifier } = authority;
    expect(await outcome(enrol({ ...input, entityIdentifier }))).toBe('validation_failed at /entityIdentifier');
  });

  it('refuses a key that has expired', async () => {
    const [one, other] = keys.map((key) => key.jwk);
    const jwks = (exp: number) => ({ keys: [one, { ...other, exp }] });
    expect(await outcome(enrol(await request({ jwks: jwks(NOW) })))).toBe('validation_failed at /jwks/keys/1/exp');
    expect(await outcome(enrol(await request({ jwks: jwks(NOW + 1) })))).toBe('done');
  });

  it('[OIDFED-3.1.1-4] refuses a private key, and tells nobody what it is', async () => {
    const input = await request();
    const error = await refusedBy(enrol({ ...input, jwks: { keys: [keys[0].privateJwk, keys[1].jwk] } }));
    expect(error.details.errors?.[0]?.pointer).toBe('/jwks/keys/0');
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(String(keys[0].privateJwk['d']));
  });
});
