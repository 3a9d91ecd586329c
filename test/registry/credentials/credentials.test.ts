import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addCredential, type NewCredential } from '../../../src/registry/credentials/add-credential.ts';
import { type Credential, MAX_OPEN_CREDENTIALS } from '../../../src/registry/credentials/credential.ts';
import type { CredentialMaterial } from '../../../src/registry/credentials/credential-material.ts';
import {
  CREDENTIAL_STATES,
  type CredentialLife,
  credentialStanding,
  credentialState,
} from '../../../src/registry/credentials/credential-standing.ts';
import { credentialsBelow } from '../../../src/registry/credentials/credentials-below.ts';
import { holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import {
  type CredentialFilter,
  listCredentials,
  readCredential,
} from '../../../src/registry/credentials/read-credential.ts';
import { replaceCredential } from '../../../src/registry/credentials/replace-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { updateEntity } from '../../../src/registry/entities/update-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { createToken } from '../../../src/registry/tokens/create-token.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { entities } from '../../../src/storage/schema/entities.ts';
import { certificate, ecKey, KEY_ENCIPHERMENT, pem, rsaKey } from '../../support/certificates.ts';
import { clientCertificate, credential, possessionProof, publicJwk } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import {
  actor,
  freshIdentifier,
  NOW_DATE,
  nextId,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';

const hours = (count: number): Date => new Date(NOW_DATE.getTime() + count * 3_600_000);
const SANDBOX = { mode: 'test', environment: 'sandbox' } as const;

describe.each(DATABASE_KINDS)('credentials on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const entityOf = async (
    settings: Parameters<TestRegistry['entity']>[1] = {},
    state?: Entity['state'],
    of = authority,
  ) => await registry.entity(await registry.organisation(of), settings, state);
  const add = (entity: Entity, material: CredentialMaterial, settings: Partial<NewCredential> = {}, now = NOW_DATE) =>
    addCredential(registry.context(actor(), { now }), entity.id, { usage: 'transport', material, ...settings });
  const added = (settings: Partial<NewCredential> = {}) => credential(registry, authority, settings);
  const revoke = (id: string, reasonCode: Parameters<typeof revokeCredential>[2]['reasonCode'] = 'superseded') =>
    revokeCredential(registry.context(), id, { reasonCode, reason: 'x' });
  const read = (id: string) => readCredential(registry.db, actor(), id);
  const liveAt = async (id: string, now = NOW_DATE) => {
    const { isLive, refusal } = credentialStanding(await read(id), now);
    return isLive ? 'live' : refusal;
  };

  describe('a certificate', () => {
    it('is recorded with its fingerprints, names and validity, and where it counts', async () => {
      const entity = await entityOf();
      const key = ecKey();
      const made = await add(entity, clientCertificate(key, 0x2a));
      expect(made).toMatchObject({
        ...{ entityId: entity.id, entityIdentifier: entity.entityIdentifier, kind: 'x509', usage: 'transport' },
        ...{ source: 'external', environment: 'production', mode: 'live', state: 'active', serial: '2a' },
        subject: 'CN=client.partner.example, O=Partner Ltd',
        notBefore: new Date('2026-01-01T00:00:00Z'),
        notAfter: new Date('2036-01-01T00:00:00Z'),
        supersedes: null,
      });
      expect(made.x5c).toHaveLength(1);
      const [row] = (await registry.auditAfter((await registry.seq()) - 1)).filter(
        ({ subjectId }) => subjectId === made.id,
      );
      expect(row?.after).toMatchObject({ x5tS256: made.x5tS256, name: made.subject, environment: 'production' });
      expect(JSON.stringify(row)).not.toContain(made.x5c?.[0]);
    });

    it.each<[string, () => CredentialMaterial, string]>([
      ['nonsense', () => ({ certificate: 'x' }), 'certificate_malformed'],
      ['a weak key', () => ({ certificate: pem(certificate({ key: rsaKey(1024) })) }), 'weak_key'],
      [
        'another usage',
        () => ({ certificate: pem(certificate({ extensions: [KEY_ENCIPHERMENT] })) }),
        'usage_unsuitable',
      ],
      ['a weak JWK', () => ({ jwk: { kty: 'RSA', ...rsaJwk(1024) } }), 'weak_key'],
      ['a JWK for encryption', () => ({ jwk: { ...publicJwk().jwk, use: 'enc' } }), 'usage_unsuitable'],
      [
        'a JWK whose point is nowhere',
        () => ({ jwk: { ...publicJwk().jwk, y: publicJwk().jwk['y'] ?? '' } }),
        'certificate_malformed',
      ],
    ])('is refused for its reason: %s', async (_, material, reason) => {
      const error = await refusedBy(add(await entityOf(), material()));
      expect([error.code, error.details['reason']]).toEqual(['validation_failed', reason]);
    });

    it('that has expired is not taken, and one of the future counts from then on', async () => {
      const entity = await entityOf();
      const past = { certificate: pem(certificate({ notAfter: '260201000000Z' })) };
      expect(await outcome(add(entity, past))).toBe('validation_failed at /certificate');
      const { id } = await add(entity, { certificate: pem(certificate({ notBefore: '300101000000Z' })) });
      expect(await liveAt(id)).toBe('credential_not_yet_valid');
      expect(await liveAt(id, new Date('2030-01-01T00:00:00Z'))).toBe('live');
      expect(await liveAt(id, new Date('2036-01-01T00:00:00.999Z'))).toBe('live');
      expect(await liveAt(id, new Date('2036-01-01T00:00:01Z'))).toBe('credential_expired');
    });

    it('is there once', async () => {
      const entity = await entityOf();
      const material = clientCertificate();
      const { id } = await add(entity, material);
      const again = await refusedBy(add(entity, material));
      expect([again.code, again.details['credential']]).toEqual(['credential_exists', id]);
      await revoke(id);
      expect(await outcome(add(entity, material))).toBe('done');
    });

    it('is not added to a record that is closed, and is to one that is pending', async () => {
      expect(await outcome(add(await entityOf({}, 'withdrawn'), clientCertificate()))).toBe('illegal_transition');
      const { id } = await add(await entityOf({}, 'pending'), clientCertificate());
      expect(await liveAt(id)).toBe('entity_pending');
    });

    it('is one of a bounded number', async () => {
      const entity = await entityOf();
      const { id: firstId } = await add(entity, clientCertificate());
      const [row] = await registry.db.select().from(credentials).where(eq(credentials.id, firstId));
      const more = Array.from({ length: MAX_OPEN_CREDENTIALS - 1 }, (_, index) => ({
        ...row!,
        id: nextId(),
        x5tS256: `${index}`,
      }));
      await registry.db.insert(credentials).values(more);
      expect(await outcome(add(entity, clientCertificate()))).toBe('limit_reached');
    });
  });

  describe('a key', () => {
    it('is recorded under its kid, or its thumbprint', async () => {
      const entity = await entityOf();
      const named = await add(entity, { jwk: { ...publicJwk().jwk, kid: 'k1', alg: 'ES256' } }, { usage: 'signing' });
      expect(named).toMatchObject({
        kind: 'jwk',
        kid: 'k1',
        publicJwk: { alg: 'ES256' },
        x5tS256: null,
        notAfter: null,
      });
      const unnamed = await add(entity, { ...publicJwk(), notAfter: hours(1) }, { usage: 'encryption' });
      expect(unnamed.kid).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(await liveAt(unnamed.id, hours(2))).toBe('credential_expired');
      const sameKid = add(entity, { jwk: { ...publicJwk().jwk, kid: 'k1' } }, { usage: 'signing' });
      expect(await outcome(sameKid)).toBe('credential_exists');
    });

    it('never comes with its private half', async () => {
      const jwk = { ...publicJwk().jwk, d: 'c2VjcmV0' };
      const work = add(await entityOf(), { jwk }, { usage: 'signing' });
      await expect(work).rejects.toMatchObject({ reason: 'jwk_private' });
    });
  });

  describe('one transport key is one entity', () => {
    it('F56 refuses a certificate that another entity has, without telling whose it is', async () => {
      const key = ecKey();
      const holder = await entityOf();
      const { id } = await add(holder, clientCertificate(key, 1));
      for (const of of [authority, await registry.authority()]) {
        const other = await entityOf({}, 'active', of);
        for (const serial of [1, 2]) {
          const error = await refusedBy(add(other, clientCertificate(key, serial)));
          expect(error.code).toBe('credential_in_use');
          const told = JSON.stringify([error.message, error.details]);
          for (const secret of [id, holder.id, holder.entityIdentifier, holder.authorityId]) {
            expect(told).not.toContain(secret);
          }
        }
        expect(await outcome(add(other, publicJwk(key)))).toBe('credential_in_use');
      }
      expect(await outcome(add(holder, clientCertificate(key, 3)))).toBe('done');
    });

    it('lets one of two have it who ask at once', async () => {
      const key = ecKey();
      const [one, two, three] = [await entityOf(), await entityOf(), await entityOf()];
      const outcomes = await Promise.all(
        [one, two, three].map((entity, serial) => outcome(add(entity, clientCertificate(key, serial + 1)))),
      );
      expect(outcomes.sort()).toEqual(['credential_in_use', 'credential_in_use', 'done']);
    });

    it('lets another one have it when it is over: revoked, expired, superseded, or its entity gone for good', async () => {
      const material = (key: ReturnType<typeof ecKey>) => ({
        certificate: pem(certificate({ key, notAfter: '300101000000Z' })),
      });
      const endings: ((made: Credential) => Promise<unknown>)[] = [
        ({ id }) => revoke(id),
        ({ id }) => replaceCredential(registry.context(), id, { material: clientCertificate(), until: null }),
        ({ entityId }) => transitionEntity(registry.context(), entityId, 'withdraw', 'x'),
        ({ organisationId }) => transitionOrganisation(registry.context(), organisationId, 'revoke', 'x'),
      ];
      for (const end of endings) {
        const key = ecKey();
        await end(await add(await entityOf(), material(key)));
        expect(await outcome(add(await entityOf(), material(key)))).toBe('done');
      }
      const key = ecKey();
      await add(await entityOf(), material(key));
      const later = new Date('2030-06-01T00:00:00Z');
      const renewed = { certificate: pem(certificate({ key, notAfter: '350101000000Z' })) };
      expect(await outcome(add(await entityOf(), renewed))).toBe('credential_in_use');
      expect(await outcome(add(await entityOf(), renewed, {}, later))).toBe('done');
    });

    it('keeps it for an entity that is suspended, or whose credential is on hold', async () => {
      const key = ecKey();
      const holder = await entityOf();
      const { id } = await add(holder, clientCertificate(key));
      await holdCredential(registry.context(), id, 'hold', 'x');
      await transitionEntity(registry.context(), holder.id, 'suspend', 'x');
      expect(await outcome(add(await entityOf(), clientCertificate(key)))).toBe('credential_in_use');
    });
  });

  describe('F56 sandbox and production', () => {
    it('F56 one Entity Identifier holds no live credentials in both', async () => {
      const entityIdentifier = freshIdentifier('both');
      const live = await entityOf({ entityIdentifier });
      const elsewhere = await registry.authority();
      const sandbox = await entityOf({ entityIdentifier, ...SANDBOX }, 'active', elsewhere);
      const { id } = await add(live, clientCertificate());
      const error = await refusedBy(add(sandbox, clientCertificate()));
      expect(error.code).toBe('wrong_environment');
      expect(JSON.stringify([error.message, error.details])).not.toContain(authority.id);
      await revoke(id);
      expect(await outcome(add(sandbox, clientCertificate()))).toBe('done');
      expect(await outcome(add(live, clientCertificate()))).toBe('wrong_environment');
    });

    it('F56 not even when both are added at once', async () => {
      const entityIdentifier = freshIdentifier('race');
      const live = await entityOf({ entityIdentifier });
      const sandbox = await entityOf({ entityIdentifier, ...SANDBOX }, 'active', await registry.authority());
      const everybody = [live, sandbox, live, sandbox, sandbox, live];
      const outcomes = await Promise.all(everybody.map((entity) => outcome(add(entity, clientCertificate()))));
      expect(outcomes.sort()).toEqual([...Array(3).fill('done'), ...Array(3).fill('wrong_environment')]);
    });

    it('F56 takes nothing that is meant for elsewhere', async () => {
      const entity = await entityOf(SANDBOX);
      const meant = (environment: string) => outcome(add(entity, clientCertificate(), { environment }));
      expect(await meant('production')).toBe('wrong_environment');
      expect(await meant('sandbox')).toBe('done');
    });

    it('F56 a test-mode certificate is worth nothing at a live gateway', async () => {
      const made = await add(await entityOf(SANDBOX), clientCertificate());
      const shownAt = (place: Parameters<typeof credentialStanding>[2]) => credentialStanding(made, NOW_DATE, place);
      expect(shownAt(SANDBOX)).toMatchObject({ isLive: true, refusal: null });
      for (const place of [
        { ...SANDBOX, mode: 'live' },
        { ...SANDBOX, environment: 'production' },
      ] as const) {
        expect(shownAt(place)).toMatchObject({ isLive: false, refusal: 'wrong_environment' });
      }
    });

    it('F56 an entity does not change place while it has credentials that may count', async () => {
      const entity = await entityOf({}, 'pending');
      const { id } = await add(entity, clientCertificate());
      const move = () => updateEntity(registry.context(), entity.id, SANDBOX);
      const error = await refusedBy(move());
      expect([error.code, error.details['credentials']]).toEqual(['wrong_environment', [id]]);
      expect(error.message).toContain('revoke them first');
      await revoke(id);
      expect(await outcome(move())).toBe('done');
      expect(await outcome(updateEntity(registry.context(), entity.id, { name: 'Portal' }))).toBe('done');
    });
  });

  describe('replacing', () => {
    it('lets both count until the stated moment, then the new one alone', async () => {
      const old = await added();
      const key = ecKey();
      const next = await replaceCredential(registry.context(), old.id, {
        material: clientCertificate(key),
        until: hours(24),
      });
      expect([next.supersedes, next.usage, next.entityId]).toEqual([old.id, 'transport', old.entityId]);
      expect([await liveAt(old.id, hours(23)), await liveAt(next.id, hours(23))]).toEqual(['live', 'live']);
      expect([await liveAt(old.id, hours(24)), await liveAt(next.id, hours(24))]).toEqual([
        'credential_superseded',
        'live',
      ]);
    });

    it('renews a certificate with the same key', async () => {
      const key = ecKey();
      const old = await added({ material: clientCertificate(key, 1) });
      const renewal = { material: clientCertificate(key, 2), until: hours(1) };
      expect(await outcome(replaceCredential(registry.context(), old.id, renewal))).toBe('done');
      const same = { material: clientCertificate(), until: null };
      expect(await outcome(replaceCredential(registry.context(), old.id, same))).toBe('illegal_transition');
    });

    it('is no replacement by itself, of what is over, in the past, or after too long', async () => {
      const pemOfOld = clientCertificate();
      const old = await added({ material: pemOfOld });
      const replace = (settings: Partial<Parameters<typeof replaceCredential>[2]>) =>
        outcome(
          replaceCredential(registry.context(), old.id, { material: clientCertificate(), until: null, ...settings }),
        );
      expect(await replace({ material: pemOfOld })).toBe('credential_exists');
      expect(await replace({ until: hours(-1) })).toBe('validation_failed at /until');
      expect(await replace({ until: hours(91 * 24) })).toBe('validation_failed at /until');
      await revoke(old.id);
      expect(await replace({})).toBe('illegal_transition');
    });

    it('happens once, whoever asks at once', async () => {
      const old = await added();
      const replace = () =>
        outcome(replaceCredential(registry.context(), old.id, { material: clientCertificate(), until: hours(1) }));
      expect((await Promise.all([replace(), replace()])).sort()).toEqual(['done', 'illegal_transition']);
    });
  });

  describe('holding and revoking', () => {
    it('can be undone after a hold, and not after a revocation', async () => {
      const { id } = await added();
      const hold = (transition: 'hold' | 'release') => outcome(holdCredential(registry.context(), id, transition, 'x'));
      expect([await hold('release'), await hold('hold'), await liveAt(id)]).toEqual([
        'illegal_transition',
        'done',
        'credential_on_hold',
      ]);
      expect([await hold('hold'), await hold('release'), await liveAt(id)]).toEqual([
        'illegal_transition',
        'done',
        'live',
      ]);
      expect(await outcome(revoke(id))).toBe('done');
      expect([await hold('hold'), await hold('release'), await liveAt(id)]).toEqual([
        'illegal_transition',
        'illegal_transition',
        'credential_revoked',
      ]);
    });

    it('is the same when it is revoked again for the same reason, and refused for another', async () => {
      const { id } = await added();
      const first = await revoke(id, 'cessation_of_operation');
      const seq = await registry.seq();
      expect(await revoke(id, 'cessation_of_operation')).toEqual(first);
      expect(await registry.seq()).toBe(seq);
      expect(await outcome(revoke(id, 'superseded'))).toBe('illegal_transition');
    });

    it('takes all credentials of a key that is compromised, for good', async () => {
      const key = ecKey();
      const entity = await entityOf();
      const one = await add(entity, clientCertificate(key, 1));
      const two = await add(entity, clientCertificate(key, 2));
      const signing = await add(entity, publicJwk(key), { usage: 'signing' });
      const other = await add(entity, clientCertificate());
      await revoke(one.id, 'key_compromise');
      const states = await Promise.all([one, two, signing, other].map(({ id }) => liveAt(id)));
      expect(states).toEqual(['credential_revoked', 'credential_revoked', 'credential_revoked', 'live']);
      for (const of of [entity, await entityOf()]) {
        expect(await outcome(add(of, clientCertificate(key, 3)))).toBe('key_barred');
      }
    });

    it('keeps a key that a member gives up as compromised from its own organisation, not from whose it may be', async () => {
      const key = ecKey();
      const [theirs, ours] = [await entityOf(), await entityOf()];
      const member = actor({
        ...{ roles: ['technical-contact'], authorities: [authority.id] },
        organisations: [theirs.organisationId],
      });
      const input = { name: 'x', authorityIds: null, organisationIds: [theirs.organisationId], lifetimeSeconds: 60 };
      const { token } = await createToken(registry.context(), { ...input, roles: ['technical-contact'] });
      const context = registry.context({ ...member, id: token.id });
      // What a registrar recorded for the member without proof.
      const { id } = await add(theirs, publicJwk(key), { usage: 'signing' });
      await revokeCredential(context, id, { reasonCode: 'key_compromise', reason: 'x' });
      expect(await outcome(add(theirs, clientCertificate(key, 1)))).toBe('key_barred');
      expect(await outcome(add(ours, clientCertificate(key, 2)))).toBe('done');
    });

    it('keeps a key that a member proved and gives up as compromised from everybody', async () => {
      const key = ecKey();
      const [theirs, ours] = [await entityOf(), await entityOf()];
      const organisations = [theirs.organisationId];
      const member = actor({ roles: ['technical-contact'], authorities: [authority.id], organisations });
      const proof = await possessionProof(key, { sub: theirs.entityIdentifier, aud: authority.entityIdentifier });
      const material = publicJwk(key);
      const { id } = await addCredential(registry.context(member), theirs.id, { usage: 'signing', material, proof });
      await revokeCredential(registry.context(member), id, { reasonCode: 'key_compromise', reason: 'x' });
      expect(await outcome(add(ours, clientCertificate(key)))).toBe('key_barred');
    });

    it('leaves version and updatedAt of its entity as they are: it has its own, and nothing else is said about that', async () => {
      const entity = await entityOf();
      const select = () => registry.db.select().from(entities).where(eq(entities.id, entity.id));
      const [before] = await select();
      const later = registry.context(actor(), { now: hours(1) });
      const material = clientCertificate();
      const { id } = await addCredential(later, entity.id, { usage: 'transport', material });
      await holdCredential(later, id, 'hold', 'x');
      expect((await revokeCredential(later, id, { reasonCode: 'superseded', reason: 'x' })).version).toBe(3);
      expect(await select()).toEqual([before]);
    });

    it('refuses a stale version', async () => {
      const { id, version } = await added();
      await holdCredential(registry.context(), id, 'hold', 'x', version);
      expect(await outcome(holdCredential(registry.context(), id, 'release', 'x', version))).toBe('version_mismatch');
    });
  });

  describe('lists', () => {
    it('find the same as the rule says, in every state and for every owner', async () => {
      const of = await registry.authority();
      const make = async (settings: Partial<NewCredential> = {}) => await credential(registry, of, settings);
      const [live, held, revoked, replaced] = [await make(), await make(), await make(), await make()];
      await holdCredential(registry.context(), held.id, 'hold', 'x');
      await revoke(revoked.id);
      await replaceCredential(registry.context(), replaced.id, { material: clientCertificate(), until: hours(2) });
      await make({
        material: { certificate: pem(certificate({ notBefore: '270115090000Z', notAfter: '270115110000Z' })) },
      });
      await make({ material: { ...publicJwk(), notAfter: hours(1) } });
      await transitionEntity(registry.context(), (await make()).entityId, 'suspend', 'x');
      await transitionOrganisation(registry.context(), (await make()).organisationId, 'suspend', 'x');
      const list = async (filter: CredentialFilter, now: Date) =>
        (await listCredentials(registry.db, actor(), { authorityId: of.id, ...filter }, { limit: 100 }, now)).items;
      for (const now of [-1, 0, 1, 1.5, 2, 3, 4, 100_000].map(hours)) {
        const all = await list({}, now);
        expect(all).toHaveLength(9);
        for (const state of CREDENTIAL_STATES) {
          const expected = all.filter((one) => credentialState(one, now) === state);
          expect((await list({ state }, now)).map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        }
        for (const isLive of [true, false]) {
          const expected = all.filter((one) => credentialStanding(one, now).isLive === isLive);
          expect((await list({ isLive }, now)).map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
        }
      }
      expect((await list({ isLive: true }, NOW_DATE)).map(({ id }) => id)).toContain(live.id);
    });

    it('find what expires within some days, and whose a certificate is', async () => {
      const of = await registry.authority();
      const soon = await credential(registry, of, { material: { ...publicJwk(), notAfter: hours(47) } });
      const later = await credential(registry, of);
      const list = async (filter: CredentialFilter, now = NOW_DATE) =>
        (await listCredentials(registry.db, actor(), { authorityId: of.id, ...filter }, { limit: 9 }, now)).items.map(
          ({ id }) => id,
        );
      expect(await list({ expiresWithinDays: 1 })).toEqual([]);
      expect(await list({ expiresWithinDays: 2 })).toEqual([soon.id]);
      expect(await list({ expiresWithinDays: 2 }, hours(48))).toEqual([]);
      expect(await list({ expiresWithinDays: 3650 })).toEqual([soon.id, later.id]);
      expect(await list({ x5tS256: later.x5tS256 ?? '' })).toEqual([later.id]);
      expect(await list({ spkiSha256: soon.spkiSha256, usage: 'transport', kind: 'jwk' })).toEqual([soon.id]);
      expect(await list({ organisationId: later.organisationId })).toEqual([later.id]);
      expect(await list({ environment: 'sandbox' })).toEqual([]);
    });
  });

  it('tells in one query what a change above touches', async () => {
    const made = await added();
    const below = async () => (await credentialsBelow(registry.db, made, NOW_DATE)).map(({ state }) => state);
    expect(await credentialsBelow(registry.db, { entityId: made.entityId }, NOW_DATE)).toEqual([
      { id: made.id, entityId: made.entityId, name: `transport ${made.subject}`, state: 'active' },
    ]);
    await transitionOrganisation(registry.context(), made.organisationId, 'suspend', 'x');
    expect(await below()).toEqual(['suspended']);
    await revoke(made.id);
    expect(await below()).toEqual([]);
  });

  it('is kept by the service in no other way than it may', async () => {
    const { id } = await added();
    const broken = registry.db.update(credentials).set({ state: 'revoked' }).where(eq(credentials.id, id));
    await expect(broken).rejects.toThrow();
  });
});

describe('the state of a credential', () => {
  const life: CredentialLife = { state: 'active', notBefore: null, notAfter: null, supersededAt: null };
  it.each<[Partial<CredentialLife>, string]>([
    [{}, 'active'],
    [{ notBefore: hours(1) }, 'not_yet_valid'],
    [{ notBefore: hours(0), notAfter: hours(0) }, 'active'],
    [{ notAfter: hours(-1) }, 'expired'],
    [{ state: 'on_hold', notBefore: hours(1) }, 'on_hold'],
    [{ state: 'on_hold', notAfter: hours(-1) }, 'expired'],
    [{ supersededAt: hours(1) }, 'active'],
    [{ supersededAt: hours(0), notAfter: hours(-1) }, 'superseded'],
    [{ state: 'revoked', supersededAt: hours(-1), notAfter: hours(-1) }, 'revoked'],
  ])('%j is %s', (given, state) => {
    expect(credentialState({ ...life, ...given }, NOW_DATE)).toBe(state);
  });
});

function rsaJwk(bits: number): { n: string; e: string } {
  const { n = '', e = '' } = rsaKey(bits).publicKey.export({ format: 'jwk' });
  return { n, e };
}
