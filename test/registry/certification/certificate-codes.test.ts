/** Codes for first certificates: for one request of one application and one use, for a day, and kept by nobody. */
import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/registry/actor.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { makeCertificateCode, requestWithCode } from '../../../src/registry/certification/certificate-codes.ts';
import type { CertificationContext } from '../../../src/registry/certification/certificate-request.ts';
import {
  approveCertificateRequest,
  rejectCertificateRequest,
} from '../../../src/registry/certification/decide-certificate-request.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { pruneExpired } from '../../../src/registry/prune-expired.ts';
import { createToken } from '../../../src/registry/tokens/create-token.ts';
import { revokeToken } from '../../../src/registry/tokens/revoke-token.ts';
import { CustodyUnavailable } from '../../../src/signer/custody/key-custody.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { certificateCodes, certificateRequests } from '../../../src/storage/schema/certificate-requests.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { requestDer } from '../../support/certificate-requests.ts';
import { distinguishedName, ecKey, rsaKey } from '../../support/certificates.ts';
import { certificationAuthority, certificationContext } from '../../support/certification.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';

const HOUR = 3_600_000;
const REASON = 'a reason of the test';
const APPROVER = actor({ roles: ['approver'], id: 'approver' });
const REGISTRAR = actor({ roles: ['registrar'], id: 'registrar' });

describe.each(DATABASE_KINDS)('codes for certificates on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
    await certificationAuthority(registry, authority);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const entityOf = async (of = authority) => await registry.entity(await registry.organisation(of));
  const codeOf = (entity: Entity, by: Actor = APPROVER, profile: 'client' | 'signing' = 'client') =>
    makeCertificateCode(registry.context(by), entity.id, { profile });
  const use = (code: string, request: Uint8Array = requestDer(), changes: Partial<CertificationContext> = {}) =>
    requestWithCode(certificationContext(registry, undefined, changes), { code, request });
  const credentialsOf = async ({ id }: Entity) =>
    await registry.db.select().from(credentials).where(eq(credentials.entityId, id));
  const asMember = ({ authorityId, organisationId }: Entity) =>
    actor({
      ...{ roles: ['technical-contact'], id: 'member' },
      ...{ authorities: [authorityId], organisations: [organisationId] },
    });

  it('have 160 random bits, of which the SHA-256 alone is kept, also by the audit', async () => {
    const entity = await entityOf();
    const before = await registry.seq();
    const [one, other] = [await codeOf(entity), await codeOf(entity)];
    expect(one.code).not.toBe(other.code);
    const [, random = ''] = /^holdfast_code_(.+)$/.exec(one.code) ?? [];
    expect(Buffer.from(random, 'base64url')).toHaveLength(20);
    const rows = await registry.db.select().from(certificateCodes).where(eq(certificateCodes.id, one.id));
    expect(rows[0]?.codeSha256).toBe(createHash('sha256').update(one.code).digest('base64url'));
    expect(JSON.stringify([rows, await registry.auditAfter(before)])).not.toContain(random);
  });

  it('get a certificate of their application for their use at once, where somebody made them who may approve', async () => {
    const entity = await entityOf();
    const { code, isApproval } = await codeOf(entity, APPROVER, 'signing');
    expect(isApproval).toBe(true);
    const { request, credential } = await use(code);
    expect(credential).toMatchObject({ entityId: entity.id, usage: 'signing', source: 'issued', state: 'active' });
    expect(request).toMatchObject({
      ...{ channel: 'est', profile: 'signing', state: 'issued' },
      requestedBy: { kind: 'entity', id: entity.entityIdentifier, codeMadeBy: { id: 'approver' } },
      decidedBy: { id: 'approver' },
    });
  });

  it.each<[string, (entity: Entity) => Actor]>([
    ['a registrar', () => REGISTRAR],
    ['a member', asMember],
  ])('made by %s have to be approved, by somebody else', async (_, maker) => {
    const entity = await entityOf();
    const { code, isApproval } = await codeOf(entity, maker(entity));
    expect(isApproval).toBe(false);
    const request = requestDer();
    const waiting = await use(code, request);
    expect([waiting.request.state, waiting.credential]).toEqual(['pending', null]);
    expect((await use(code, request)).request.id).toBe(waiting.request.id);
    await approveCertificateRequest(certificationContext(registry, APPROVER), waiting.request.id, REASON);
    expect((await use(code, request)).credential).toMatchObject({ entityId: entity.id });
  });

  it('are no approval where the authority asks for four eyes, and their maker does not approve what comes with them', async () => {
    const of = await registry.authority({ fourEyes: 'on' });
    await certificationAuthority(registry, of);
    const { code, isApproval } = await codeOf(await entityOf(of));
    expect(isApproval).toBe(false);
    const { request } = await use(code);
    const approve = (by: Actor) => approveCertificateRequest(certificationContext(registry, by), request.id, REASON);
    expect(await outcome(approve(APPROVER))).toBe('four_eyes');
    expect(await outcome(approve(actor({ id: 'another' })))).toBe('done');
  });

  it('are no approval any more where the authority asks for four eyes since they were made', async () => {
    const of = await registry.authority();
    await certificationAuthority(registry, of);
    const { code, isApproval } = await codeOf(await entityOf(of));
    expect(isApproval).toBe(true);
    await updateAuthority(registry.context(), of.id, { fourEyes: 'on' });
    expect((await use(code)).request.state).toBe('pending');
  });

  it('are good for the first request alone, which may be sent again and has the same outcome', async () => {
    const entity = await entityOf();
    const { code } = await codeOf(entity);
    const request = requestDer();
    const { credential } = await use(code, request);
    expect((await use(code, request)).credential?.id).toBe(credential?.id);
    expect(await outcome(use(code))).toBe('code_invalid');
    expect(await credentialsOf(entity)).toHaveLength(1);
  });

  it('are not used up by what is refused', async () => {
    const entity = await entityOf();
    const { code } = await codeOf(entity);
    const foreign = distinguishedName({ '0.9.2342.19200300.100.1.1': (await entityOf()).id });
    const attempts: [Uint8Array, string][] = [
      [requestDer({ signer: ecKey() }), 'csr_signature_invalid at /request'],
      [requestDer({ key: rsaKey(1024) }), 'weak_key at /request'],
      [requestDer({ subject: foreign }), 'subject_mismatch'],
      [Buffer.from('nonsense'), 'validation_failed at /request'],
    ];
    for (const [request, refusal] of attempts) expect(await outcome(use(code, request))).toBe(refusal);
    expect(await outcome(use(code))).toBe('done');
  });

  it('[F30] are not used up while the token with the key of the certification authority is away', async () => {
    const entity = await entityOf();
    const { code, id } = await codeOf(entity);
    const away = new CustodyUnavailable('the token is away');
    const before = await registry.seq();
    const request = requestDer();
    await expect(use(code, request, { issueCertificate: () => Promise.reject(away) })).rejects.toBe(away);
    expect(await registry.seq()).toBe(before);
    const [row] = await registry.db.select().from(certificateCodes).where(eq(certificateCodes.id, id));
    expect(row).toMatchObject({ usedAt: null, requestId: null });
    const waiting = eq(certificateRequests.entityId, entity.id);
    expect(await registry.db.select().from(certificateRequests).where(waiting)).toEqual([]);
    expect(await credentialsOf(entity)).toEqual([]);
    expect((await use(code, request)).request.state).toBe('issued');
  });

  it('are invalid when nobody made them, and say no more', async () => {
    for (const code of ['', 'guess', `holdfast_code_${'A'.repeat(27)}`, 'x'.repeat(10_000)]) {
      expect(await outcome(use(code))).toBe('code_invalid');
    }
  });

  it('end after a day, and are forgotten', async () => {
    const { code, id } = await codeOf(await entityOf());
    const request = requestDer();
    const later = (hours: number) => ({ now: new Date(NOW_DATE.getTime() + hours * HOUR) });
    await use(code, request, later(23));
    expect(await outcome(use(code, request, later(24)))).toBe('code_invalid');
    const there = () => registry.db.select().from(certificateCodes).where(eq(certificateCodes.id, id));
    await pruneExpired(registry.db, later(24).now);
    expect(await there()).toHaveLength(1);
    await pruneExpired(registry.db, later(26).now);
    expect(await there()).toEqual([]);
  });

  it('end with the token that made them', async () => {
    const { token } = await createToken(registry.context(), {
      ...{ name: 'maker', roles: ['approver'], authorityIds: [authority.id], lifetimeSeconds: 86_400 },
    });
    const { code } = await codeOf(await entityOf(), actor({ roles: ['approver'], id: token.id }));
    await revokeToken(registry.context(), token.id);
    expect(await outcome(use(code))).toBe('code_invalid');
  });

  it('get nothing for an application that is suspended, nor are they made for one', async () => {
    const entity = await entityOf();
    const { code } = await codeOf(entity);
    await transitionEntity(registry.context(), entity.id, 'suspend', REASON);
    expect(await outcome(use(code))).toBe('not_active');
    expect(await outcome(codeOf(entity))).toBe('not_active');
    expect(await credentialsOf(entity)).toEqual([]);
    await transitionEntity(registry.context(), entity.id, 'reinstate', REASON);
    expect(await outcome(use(code))).toBe('done');
  });

  it('say so when their request was rejected or their certificate was revoked', async () => {
    const entity = await entityOf();
    const [rejected, revoked] = [requestDer(), requestDer()];
    const [one, other] = [await codeOf(entity, REGISTRAR), await codeOf(entity)];
    const { request } = await use(one.code, rejected);
    await rejectCertificateRequest(registry.context(APPROVER), request.id, REASON);
    expect(await outcome(use(one.code, rejected))).toBe('illegal_transition');
    const { credential } = await use(other.code, revoked);
    const reasonCode = 'cessation_of_operation' as const;
    await revokeCredential(registry.context(), credential?.id ?? '', { reasonCode, reason: REASON });
    expect(await outcome(use(other.code, revoked))).toBe('illegal_transition');
  });

  it('are for the certification authority that they were made for', async () => {
    const of = await registry.authority();
    const [one, other] = [await certificationAuthority(registry, of), await certificationAuthority(registry, of)];
    const entity = await entityOf(of);
    expect(await outcome(codeOf(entity))).toBe('certification_authority_not_active');
    const order = { profile: 'client', certificationAuthorityId: one.id } as const;
    const { code } = await makeCertificateCode(registry.context(APPROVER), entity.id, order);
    const ask = (certificationAuthorityId: string) =>
      requestWithCode(certificationContext(registry), { code, request: requestDer(), certificationAuthorityId });
    expect(await outcome(ask(other.id))).toBe('code_invalid');
    expect((await ask(one.id)).credential?.certificationAuthorityId).toBe(one.id);
  });

  it('wait unused beside nine others of their application, and no more', async () => {
    const entity = await entityOf();
    for (let count = 0; count < 10; count++) await codeOf(entity);
    expect(await outcome(codeOf(entity))).toBe('limit_reached');
  });

  it.runIf(kind === 'postgresql')('used at two nodes at once get one certificate', async () => {
    await using node = await connectDatabase({ url: registry.database.url ?? '' });
    for (let round = 0; round < 8; round++) {
      const entity = await entityOf();
      const { code } = await codeOf(entity);
      const outcomes = await Promise.all([
        outcome(use(code, requestDer())),
        outcome(use(code, requestDer(), { db: node.db })),
      ]);
      expect(outcomes.toSorted()).toEqual(['code_invalid', 'done']);
      expect(await credentialsOf(entity)).toHaveLength(1);
      const asked = await registry.db
        .select()
        .from(certificateRequests)
        .where(eq(certificateRequests.entityId, entity.id));
      expect(asked).toHaveLength(1);
    }
  });

  it.runIf(kind === 'postgresql')('used at two nodes at once for one request have one outcome', async () => {
    await using node = await connectDatabase({ url: registry.database.url ?? '' });
    for (let round = 0; round < 8; round++) {
      const entity = await entityOf();
      const { code } = await codeOf(entity);
      const request = requestDer();
      const [one, other] = await Promise.all([use(code, request), use(code, request, { db: node.db })]);
      expect(one.credential?.id).toBe(other.credential?.id);
      expect(await credentialsOf(entity)).toHaveLength(1);
    }
  });
});
