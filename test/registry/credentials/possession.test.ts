/** Nobody puts somebody else's certificate or key on record as his own. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { addCredential, type NewCredential } from '../../../src/registry/credentials/add-credential.ts';
import { credentialStanding } from '../../../src/registry/credentials/credential-standing.ts';
import { readCredential } from '../../../src/registry/credentials/read-credential.ts';
import { replaceCredential } from '../../../src/registry/credentials/replace-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { certificate, ecKey, KEY_ENCIPHERMENT, pem, rsaKey } from '../../support/certificates.ts';
import { clientCertificate, possessionProof, publicJwk } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { NOW } from '../../support/federation.ts';
import { actor, NOW_DATE, openRegistry, outcome, refusedBy, type TestRegistry } from '../../support/registry.ts';

describe.each(DATABASE_KINDS)('possession on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const entityOf = async (of = authority) => await registry.entity(await registry.organisation(of));
  const placeOf = ({ entityIdentifier: sub }: Entity, { entityIdentifier: aud } = authority) => ({ sub, aud });
  const asMember = ({ authorityId, organisationId }: Entity, changes: object = {}) => {
    const reach = { authorities: [authorityId], organisations: [organisationId] };
    return registry.context(actor({ roles: ['technical-contact'], id: 'member', ...reach }), changes);
  };
  const addAsMember = (entity: Entity, settings: Partial<NewCredential> & Pick<NewCredential, 'material'>) =>
    addCredential(asMember(entity), entity.id, { usage: 'transport', ...settings });
  const addAsStaff = (entity: Entity, settings: Partial<NewCredential> & Pick<NewCredential, 'material'>) =>
    addCredential(registry.context(), entity.id, { usage: 'transport', ...settings });
  /** A certificate and a proof of it. */
  const proven = async (entity: Entity, key = ecKey(), of = authority) => ({
    material: clientCertificate(key),
    proof: await possessionProof(key, placeOf(entity, of)),
  });
  const reasonOf = async (work: Promise<unknown>) => (await refusedBy(work)).details['reason'];
  const standingOf = async (id: string) =>
    credentialStanding(await readCredential(registry.db, actor(), id), NOW_DATE).refusal ?? 'live';

  it('is proved by members, and recorded as unproven where staff do without', async () => {
    const entity = await entityOf();
    const error = await refusedBy(addAsMember(entity, { material: clientCertificate() }));
    expect(error).toMatchObject({ code: 'validation_failed', details: { reason: 'proof_missing' } });
    expect(error.message).toContain(
      `credential prove ${entity.entityIdentifier} --authority ${authority.entityIdentifier}`,
    );
    const { id } = await addAsMember(entity, await proven(entity));
    const unproven = await addAsStaff(entity, { material: clientCertificate() });
    const proof = await addAsStaff(entity, await proven(entity));
    expect([
      (await readCredential(registry.db, actor(), id)).possession,
      unproven.possession,
      proof.possession,
    ]).toEqual([...['proven', 'unproven', 'proven']]);
    const rows = (await registry.auditAfter()).filter(({ subjectId }) => [id, unproven.id].includes(subjectId));
    expect(rows.map(({ after }) => after?.['possession'])).toEqual(['proven', 'unproven']);
  });

  it('is proved with keys of every kind that signs, for every use', async () => {
    const entity = await entityOf();
    const [rsa, edwards] = [rsaKey(), generateKeyPairSync('ed25519')];
    const forEncryption = { certificate: pem(certificate({ key: rsa, extensions: [KEY_ENCIPHERMENT] })) };
    const proof = await possessionProof(rsa, placeOf(entity));
    expect(await outcome(addAsMember(entity, { usage: 'encryption', material: forEncryption, proof }))).toBe('done');
    const jwk = { ...publicJwk(edwards).jwk, kid: 'k1', use: 'sig' };
    delete jwk['y' as keyof typeof jwk];
    const signed = await possessionProof(edwards, placeOf(entity));
    expect(await outcome(addAsMember(entity, { usage: 'signing', material: { jwk }, proof: signed }))).toBe('done');
    const agreement = publicJwk(generateKeyPairSync('x25519')).jwk;
    delete agreement['y'];
    const error = await refusedBy(addAsMember(entity, { usage: 'encryption', material: { jwk: agreement } }));
    expect(error.message).toContain('ask a registrar');
  });

  describe('is not proved', () => {
    type Forgery = (key: ReturnType<typeof ecKey>, place: { sub: string; aud: string }) => Promise<string> | string;
    const changed =
      (changes: Parameters<typeof possessionProof>[2]): Forgery =>
      (key, place) =>
        possessionProof(key, place, changes);
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    it.each<[string, string, Forgery]>([
      ['by another key under its own name', 'key_not_found', (_, place) => possessionProof(ecKey(), place)],
      [
        'by another key under the name of the right one',
        'signature_invalid',
        async (key, place) => {
          const [header = ''] = (await possessionProof(key, place)).split('.');
          const kid = JSON.parse(Buffer.from(header, 'base64url').toString()).kid;
          return await possessionProof(ecKey(), place, { header: { kid } });
        },
      ],
      [
        'by the key that it brings along',
        'key_not_found',
        async (_, place) => {
          const other = ecKey();
          return await possessionProof(other, place, { header: { jwk: other.publicKey.export({ format: 'jwk' }) } });
        },
      ],
      ['for another entity', 'claim_invalid', changed({ claims: { sub: 'https://other.example' } })],
      ['for another authority', 'claim_invalid', changed({ claims: { aud: 'https://other.example' } })],
      [
        'for several authorities',
        'claim_invalid',
        (key, place) => possessionProof(key, place, { claims: { aud: [place.aud, 'https://other.example'] } }),
      ],
      ['as a document of another type', 'typ_invalid', changed({ header: { typ: 'holdfast-key-proof+jwt' } })],
      ['as a document of no type', 'typ_invalid', changed({ header: { typ: undefined } })],
      ['under an extension', 'header_parameter_forbidden', changed({ header: { b64: true, crit: ['b64'] } })],
      ['too long ago', 'claim_invalid', changed({ claims: { iat: NOW - 301 } })],
      ['too far ahead', 'claim_invalid', changed({ claims: { iat: NOW + 301 } })],
      ['at no time', 'claim_invalid', changed({ claims: { iat: undefined } })],
      ['after its own end', 'claim_invalid', changed({ claims: { exp: NOW } })],
      ['without a name', 'claim_invalid', changed({ claims: { jti: undefined } })],
      ['with a name that is too long', 'claim_invalid', changed({ claims: { jti: 'x'.repeat(513) } })],
      [
        'by nobody (alg none)',
        'alg_not_allowed',
        (_, place) =>
          `${encoded({ typ: 'credential-possession+jwt', alg: 'none', kid: 'k' })}.${encoded({ ...place, iat: NOW, jti: 'a' })}.`,
      ],
      [
        'by a secret made of the public key',
        'alg_not_allowed',
        (_, place) =>
          `${encoded({ typ: 'credential-possession+jwt', alg: 'HS256', kid: 'k' })}.${encoded({ ...place, iat: NOW, jti: 'a' })}.AAAA`,
      ],
      [
        'under the name of another algorithm',
        'key_unsuitable',
        async (key, place) => {
          const [header = '', ...rest] = (await possessionProof(key, place)).split('.');
          const members = JSON.parse(Buffer.from(header, 'base64url').toString());
          return [encoded({ ...members, alg: 'ES384' }), ...rest].join('.');
        },
      ],
      ['by nonsense', 'jwt_malformed', () => 'x'],
    ])('%s', async (_, reason, forge) => {
      const [entity, key] = [await entityOf(), ecKey()];
      const proof = await forge(key, placeOf(entity));
      const work = addAsMember(entity, { material: clientCertificate(key), proof });
      expect(await reasonOf(work)).toBe(reason);
      // Neither does staff's word make a wrong proof right.
      expect(await reasonOf(addAsStaff(entity, { material: clientCertificate(key), proof }))).toBe(reason);
    });
  });

  it('is proved by each proof once, at whichever node, and not used up by what failed for another reason', async () => {
    const [entity, key] = [await entityOf(), ecKey()];
    const { material, proof } = await proven(entity, key);
    expect(await outcome(addAsMember(entity, { material, proof, environment: 'elsewhere' }))).toBe('wrong_environment');
    const one = await addAsMember(entity, { material, proof });
    const again = { material: clientCertificate(key, 2), proof };
    expect(await reasonOf(addAsMember(entity, again))).toBe('proof_used');
    const replacement = { ...again, until: null };
    expect(await reasonOf(replaceCredential(asMember(entity), one.id, replacement))).toBe('proof_used');
    const { url } = registry.database;
    if (url === undefined) return;
    await using node = await connectDatabase({ url });
    const elsewhere = asMember(entity, { db: node.db });
    expect(await reasonOf(addCredential(elsewhere, entity.id, { usage: 'transport', ...again }))).toBe('proof_used');
    const twice = await possessionProof(key, placeOf(entity));
    const contexts = [asMember(entity), elsewhere];
    const works = contexts.map((context, serial) =>
      addCredential(context, entity.id, {
        usage: 'signing',
        material: clientCertificate(key, serial + 1),
        proof: twice,
      }),
    );
    expect((await Promise.all(works.map(outcome))).sort()).toEqual(['done', 'validation_failed at /proof']);
  });

  it('makes one record of a repeated request, also after the proof is too old', async () => {
    const entity = await entityOf();
    const input = { usage: 'transport', ...(await proven(entity)) } as const;
    const idempotency = { key: 'once', requestHash: 'h' };
    const { id } = await addCredential(asMember(entity), entity.id, input, idempotency);
    const later = asMember(entity, { now: new Date(NOW_DATE.getTime() + 3_600_000) });
    expect((await addCredential(later, entity.id, input, idempotency)).id).toBe(id);
  });

  describe('a transport key', () => {
    it('is taken over with a proof from who has none, whose credentials with it end', async () => {
      const [squatter, owner, key] = [await entityOf(), await entityOf(), ecKey()];
      const squat = await addAsStaff(squatter, { material: clientCertificate(key, 1) });
      const other = await addAsStaff(squatter, { material: clientCertificate() });
      expect(await outcome(addAsStaff(owner, { material: clientCertificate(key, 2) }))).toBe('credential_in_use');
      const seq = await registry.seq();
      const mine = await addAsMember(owner, await proven(owner, key));
      expect([await standingOf(squat.id), await standingOf(other.id), await standingOf(mine.id)]).toEqual([
        ...['credential_revoked', 'live', 'live'],
      ]);
      const rows = await registry.auditAfter(seq);
      expect(rows.map(({ action, subjectId }) => [action, subjectId])).toEqual([
        ['credential.revoke', squat.id],
        ['credential.add', mine.id],
      ]);
      expect(JSON.stringify(rows[0]?.after)).not.toContain(owner.entityIdentifier);
      expect(await outcome(addAsMember(squatter, await proven(squatter, key)))).toBe('credential_in_use');
    });

    it('goes to one of two who prove it at once', async () => {
      const [squatter, key] = [await entityOf(), ecKey()];
      await addAsStaff(squatter, { material: clientCertificate(key) });
      const claims = await Promise.all(
        [await entityOf(), await entityOf()].map(async (entity) => [entity, await proven(entity, key)] as const),
      );
      const outcomes = await Promise.all(claims.map(([entity, claim]) => outcome(addAsMember(entity, claim))));
      expect(outcomes.sort()).toEqual(['credential_in_use', 'done']);
    });

    it('is not taken over from another authority, whose records are not touched', async () => {
      const elsewhere = await registry.authority();
      const [holder, owner, key] = [await entityOf(elsewhere), await entityOf(), ecKey()];
      const { id } = await addAsStaff(holder, { material: clientCertificate(key) });
      const error = await refusedBy(addAsMember(owner, await proven(owner, key)));
      expect([error.code, await standingOf(id)]).toEqual(['credential_in_use', 'live']);
      expect(error.message).toContain('ask the operator to revoke it');
      for (const secret of [id, holder.id, holder.entityIdentifier, elsewhere.id]) {
        expect(JSON.stringify([error.message, error.details])).not.toContain(secret);
      }
    });

    it('on record unproven is proved by its own entity, which replaces it by itself', async () => {
      const [entity, key] = [await entityOf(), ecKey()];
      const material = clientCertificate(key);
      const { id, version } = await addAsStaff(entity, { material });
      const itself = async () => ({ material, proof: await possessionProof(key, placeOf(entity)), until: null });
      const next = await replaceCredential(asMember(entity), id, await itself(), { expectedVersion: version });
      expect([next.possession, next.supersedes, await standingOf(id)]).toEqual(['proven', id, 'credential_superseded']);
      expect(await outcome(replaceCredential(asMember(entity), next.id, await itself()))).toBe('credential_exists');
    });
  });
});
