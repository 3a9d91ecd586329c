/** Renewal: a new certificate beside the old one for a time, and then in its place. */
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { makeCertificateCode, requestWithCode } from '../../../src/registry/certification/certificate-codes.ts';
import type { CertificationContext } from '../../../src/registry/certification/certificate-request.ts';
import { approveCertificateRequest } from '../../../src/registry/certification/decide-certificate-request.ts';
import { reenrol } from '../../../src/registry/certification/renew-certificate.ts';
import { requestCertificate } from '../../../src/registry/certification/request-certificate.ts';
import { retireCertificationAuthority } from '../../../src/registry/certification/retire-certification-authority.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import type { Credential } from '../../../src/registry/credentials/credential.ts';
import { credentialStanding } from '../../../src/registry/credentials/credential-standing.ts';
import { holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import { readCredential } from '../../../src/registry/credentials/read-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { requestDer } from '../../support/certificate-requests.ts';
import { distinguishedName, ecKey } from '../../support/certificates.ts';
import { certificationAuthority, certificationContext } from '../../support/certification.ts';
import { clientCertificate } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { actor, NOW_DATE, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';

const DAY = 86_400_000;
const REASON = 'a reason of the test';
const APPROVER = actor({ roles: ['approver'], id: 'approver' });
const OVERLAP_DAYS = 7;
const inDays = (days: number): Date => new Date(NOW_DATE.getTime() + days * DAY);

describe.each(DATABASE_KINDS)('renewal of certificates on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
    await certificationAuthority(registry, authority, { overlapDays: OVERLAP_DAYS });
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const entityOf = async (of = authority) => await registry.entity(await registry.organisation(of));
  const first = async (
    entity: Entity,
    profile: 'client' | 'signing' = 'client',
    key = ecKey(),
  ): Promise<Credential> => {
    const { code } = await makeCertificateCode(registry.context(APPROVER), entity.id, { profile });
    const { credential } = await requestWithCode(certificationContext(registry), {
      code,
      request: requestDer({ key }),
    });
    if (credential === null) throw new Error('the code is an approval');
    return credential;
  };
  const renew = (
    { id }: Pick<Credential, 'id'>,
    request: Uint8Array = requestDer(),
    changes: Partial<CertificationContext> = {},
  ) => reenrol(certificationContext(registry, undefined, changes), { presented: id, request });
  const refusalAt = async ({ id }: Pick<Credential, 'id'>, now = NOW_DATE) =>
    credentialStanding(await readCredential(registry.db, actor(), id), now).refusal;
  const credentialsOf = async ({ id }: Entity) =>
    await registry.db.select().from(credentials).where(eq(credentials.entityId, id));

  it('[F29] is automatic with the certificate before, and lets both count for the overlap, then the new one alone', async () => {
    const entity = await entityOf();
    const old = await first(entity);
    const before = await registry.seq();
    const { request, credential } = await renew(old);
    expect(request).toMatchObject({ state: 'issued', replaces: old.id, channel: 'est', decidedBy: null });
    expect(credential).toMatchObject({ entityId: entity.id, supersedes: old.id, usage: 'transport' });
    expect(await readCredential(registry.db, actor(), old.id)).toMatchObject({ supersededAt: inDays(OVERLAP_DAYS) });
    const last = new Date(inDays(OVERLAP_DAYS).getTime() - 1);
    expect([await refusalAt(old, last), await refusalAt(old, inDays(OVERLAP_DAYS))]).toEqual([
      ...[null, 'credential_superseded'],
    ]);
    expect(credential && (await refusalAt(credential, inDays(OVERLAP_DAYS)))).toBeNull();
    const rows = await registry.auditAfter(before);
    expect(rows.map(({ action, actor }) => [action, actor['id']])).toEqual([
      ['credential.supersede', entity.entityIdentifier],
      ['credential.issue', entity.entityIdentifier],
      ['certificate_request.submit', entity.entityIdentifier],
    ]);
  });

  it('is automatic with a token as well', async () => {
    const entity = await entityOf();
    const { id } = await first(entity);
    const wanted = { request: requestDer(), profile: 'client', replaces: id } as const;
    const { credential } = await requestCertificate(certificationContext(registry), entity.id, wanted);
    expect(credential).toMatchObject({ supersedes: id });
  });

  it('waits for approval once the registry says something else of the application', async () => {
    const entity = await entityOf();
    const old = await first(entity);
    await updateOrganisation(registry.context(), entity.organisationId, { legalName: 'Partner and Sons Ltd' });
    const request = requestDer();
    const waiting = await renew(old, request);
    expect([waiting.request.state, waiting.credential]).toEqual(['pending', null]);
    expect((await renew(old, request)).request.id).toBe(waiting.request.id);
    expect(await readCredential(registry.db, actor(), old.id)).toMatchObject({ supersededAt: null });
    await approveCertificateRequest(certificationContext(registry, APPROVER), waiting.request.id, REASON);
    const { credential } = await renew(old, request);
    expect(credential?.subject).toContain('Partner and Sons Ltd');
    expect(credential?.supersedes).toBe(old.id);
  });

  it('has the same outcome for the same request, and is refused a second time', async () => {
    const entity = await entityOf();
    const old = await first(entity);
    const request = requestDer();
    const { credential } = await renew(old, request);
    expect((await renew(old, request)).credential?.id).toBe(credential?.id);
    expect(await outcome(renew(old))).toBe('illegal_transition');
    expect(await credentialsOf(entity)).toHaveLength(2);
    expect(await outcome(renew(credential ?? old))).toBe('done');
  });

  it.each<[string, (old: Credential) => Promise<unknown>]>([
    ['revoked', ({ id }) => revokeCredential(registry.context(), id, { reasonCode: 'key_compromise', reason: REASON })],
    ['held', ({ id }) => holdCredential(registry.context(), id, 'hold', REASON)],
    ['of a suspended application', ({ entityId }) => transitionEntity(registry.context(), entityId, 'suspend', REASON)],
    [
      'of a suspended organisation',
      ({ organisationId }) => transitionOrganisation(registry.context(), organisationId, 'suspend', REASON),
    ],
  ])('is refused with a certificate that is %s', async (_, end) => {
    const entity = await entityOf();
    const old = await first(entity);
    await end(old);
    expect(await outcome(renew(old))).toBe('not_active');
    const wanted = { request: requestDer(), profile: 'client', replaces: old.id } as const;
    const asked = await outcome(requestCertificate(certificationContext(registry), entity.id, wanted));
    expect(['not_active', 'illegal_transition']).toContain(asked);
    expect(await credentialsOf(entity)).toHaveLength(1);
  });

  it('is refused with a certificate that is superseded, expired, or of somebody else', async () => {
    const entity = await entityOf();
    const old = await first(entity);
    await renew(old);
    expect(await outcome(renew(old, requestDer(), { now: inDays(OVERLAP_DAYS) }))).toBe('not_active');
    expect(await outcome(renew(await first(entity), requestDer(), { now: inDays(400) }))).toBe('not_active');
    const external = await addCredential(registry.context(), entity.id, {
      ...{ usage: 'transport', material: clientCertificate() },
    });
    expect(await outcome(renew(external))).toBe('not_active');
    expect(await outcome(renew({ id: 'no id' }))).toBe('not_active');
  });

  it('is for the same application and the same use', async () => {
    const [entity, other] = [await entityOf(), await entityOf()];
    const old = await first(entity);
    const subject = distinguishedName({ '0.9.2342.19200300.100.1.1': other.id });
    expect(await outcome(renew(old, requestDer({ subject })))).toBe('role_missing');
    const ask = (of: Entity, profile: 'client' | 'signing') =>
      outcome(
        requestCertificate(certificationContext(registry), of.id, { request: requestDer(), profile, replaces: old.id }),
      );
    expect(await ask(other, 'client')).toBe('validation_failed at /replaces');
    expect(await ask(entity, 'signing')).toBe('validation_failed at /profile');
    expect(await credentialsOf(other)).toEqual([]);
  });

  it('needs a new key', async () => {
    const key = ecKey();
    const old = await first(await entityOf(), 'client', key);
    expect(await outcome(renew(old, requestDer({ key })))).toBe('key_reuse');
  });

  it('goes on with the certification authority that issued it, and with its successor once it is retired', async () => {
    const of = await registry.authority();
    const one = await certificationAuthority(registry, of);
    const old = await first(await entityOf(of));
    const other = await certificationAuthority(registry, of);
    const { credential } = await renew(old);
    expect(credential?.certificationAuthorityId).toBe(one.id);
    await retireCertificationAuthority(registry.context(), one.id, REASON);
    const { credential: next } = await renew(credential ?? old);
    expect(next?.certificationAuthorityId).toBe(other.id);
  });

  it('leaves nothing when the application is suspended while it is signed', async () => {
    const entity = await entityOf();
    const old = await first(entity);
    const context = certificationContext(registry);
    const issueCertificate: CertificationContext['issueCertificate'] = async (order) => {
      const made = await context.issueCertificate(order);
      await transitionEntity(registry.context(), entity.id, 'suspend', REASON);
      return made;
    };
    expect(await outcome(renew(old, requestDer(), { issueCertificate }))).toBe('not_active');
    expect((await credentialsOf(entity)).map(({ id, supersededAt }) => [id, supersededAt])).toEqual([[old.id, null]]);
  });

  it.runIf(kind === 'postgresql')('at two nodes at once happens once', async () => {
    await using node = await connectDatabase({ url: registry.database.url ?? '' });
    for (let round = 0; round < 5; round++) {
      const entity = await entityOf();
      const old = await first(entity);
      const outcomes = await Promise.all([
        outcome(renew(old, requestDer())),
        outcome(renew(old, requestDer(), { db: node.db })),
      ]);
      expect(outcomes.toSorted()).toEqual(['done', 'illegal_transition']);
      expect(await credentialsOf(entity)).toHaveLength(2);
    }
  });
});
