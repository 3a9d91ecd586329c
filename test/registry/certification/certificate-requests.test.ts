/** F20: requests for certificates, whose subject the registry says, and which nobody gets who is not active. */
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Jwk } from '../../../src/federation/jwk-set.ts';
import { displayName } from '../../../src/pki/names/name-string.ts';
import { parsePathCertificate } from '../../../src/pki/path/path-certificate.ts';
import { encodePem } from '../../../src/pki/pem.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { createAuthority } from '../../../src/registry/authorities/create-authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { activateCertificationAuthority } from '../../../src/registry/certification/activate-certification-authority.ts';
import {
  type CertificateOutcome,
  MAX_WAITING_REQUESTS,
  type NewCertificateRequest,
} from '../../../src/registry/certification/certificate-request.ts';
import {
  approveCertificateRequest,
  rejectCertificateRequest,
} from '../../../src/registry/certification/decide-certificate-request.ts';
import type { IssueCertificate } from '../../../src/registry/certification/issue-certificate.ts';
import { lapseCertificateRequests } from '../../../src/registry/certification/lapse-certificate-requests.ts';
import { listCertificateRequests, readOutcome } from '../../../src/registry/certification/read-certificate-requests.ts';
import { requestCertificate } from '../../../src/registry/certification/request-certificate.ts';
import { retireCertificationAuthority } from '../../../src/registry/certification/retire-certification-authority.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import { MAX_OPEN_CREDENTIALS } from '../../../src/registry/credentials/credential.ts';
import { credentialStanding } from '../../../src/registry/credentials/credential-standing.ts';
import { holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import { readCredential } from '../../../src/registry/credentials/read-credential.ts';
import { revokeCredential } from '../../../src/registry/credentials/revoke-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { transitionOrganisation } from '../../../src/registry/organisations/transition-organisation.ts';
import { updateOrganisation } from '../../../src/registry/organisations/update-organisation.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { certificateRequests } from '../../../src/storage/schema/certificate-requests.ts';
import { credentials } from '../../../src/storage/schema/credentials.ts';
import { type RequestPlan, requestDer, requestPem, wantedUris } from '../../support/certificate-requests.ts';
import { distinguishedName, ecKey, type KeyPair, rsaKey } from '../../support/certificates.ts';
import {
  certificationAuthority,
  certificationContext,
  chainOfRequest,
  issueCertificate,
  testRoot,
} from '../../support/certification.ts';
import { clientCertificate, publicJwk } from '../../support/credentials.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import {
  actor,
  freshIdentifier,
  NOW_DATE,
  openRegistry,
  outcome,
  refusedBy,
  type TestRegistry,
} from '../../support/registry.ts';
import { listed } from '../../support/trust-lists.ts';

const DAY = 86_400_000;
const inDays = (days: number): Date => new Date(NOW_DATE.getTime() + days * DAY);
const APPROVER = actor({ roles: ['approver'], id: 'approver' });
const REASON = 'a reason of the test';

describe.each(DATABASE_KINDS)('[F20] requests for certificates on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeAll(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
    await certificationAuthority(registry, authority);
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const entityOf = async (of = authority) => await registry.entity(await registry.organisation(of));
  const ask = (
    entity: Pick<Entity, 'id'>,
    plan: RequestPlan = {},
    settings: Partial<NewCertificateRequest> = {},
    context = certificationContext(registry),
  ) => requestCertificate(context, entity.id, { request: requestPem(plan), profile: 'client', ...settings });
  const approve = (
    { request: { id } }: Pick<CertificateOutcome, 'request'>,
    context = certificationContext(registry, APPROVER),
  ) => approveCertificateRequest(context, id, REASON);
  const issued = async (
    entity: Pick<Entity, 'id'>,
    plan: RequestPlan = {},
    settings: Partial<NewCertificateRequest> = {},
  ) => {
    const { request, credential } = await approve(await ask(entity, plan, settings));
    if (credential === null) throw new Error('it was approved');
    return { request, credential, leaf: parsePathCertificate(Buffer.from(credential.x5c?.[0] ?? '', 'base64')) };
  };
  const requestsOf = async ({ id }: Pick<Entity, 'id'>) =>
    await registry.db.select().from(certificateRequests).where(eq(certificateRequests.entityId, id));
  const credentialsOf = async ({ id }: Pick<Entity, 'id'>) =>
    await registry.db.select().from(credentials).where(eq(credentials.entityId, id));
  const asMember = ({ authorityId, organisationId }: Entity) =>
    actor({
      ...{ roles: ['technical-contact'], id: 'member' },
      ...{ authorities: [authorityId], organisations: [organisationId] },
    });
  /** An issuer to which something happens between signing and recording. */
  const whileSigning =
    (event: () => Promise<unknown>): IssueCertificate =>
    async (order) => {
      const made = await issueCertificate(order);
      await event();
      return made;
    };

  describe('what is issued', () => {
    it('names whom the registry says, whatever the request says, and counts at once', async () => {
      const entity = await entityOf();
      await updateOrganisation(registry.context(), entity.organisationId, {
        registration: { number: 'HRB 1234', register: 'Handelsregister B', country: 'DE' },
      });
      const subject = distinguishedName({ CN: 'root', O: 'Somebody Else Ltd' });
      const { credential, leaf, request } = await issued(entity, { subject });
      const host = new URL(entity.entityIdentifier).hostname;
      expect(displayName(leaf.subject)).toBe(
        `O=Partner Ltd, organizationIdentifier=NTRDE-HRB 1234, UID=${entity.id}, CN=${host}`,
      );
      expect(leaf.alternativeNames).toEqual([{ form: 'uri', text: entity.entityIdentifier }]);
      expect(credential).toMatchObject({
        ...{ entityId: entity.id, kind: 'x509', usage: 'transport', source: 'issued', possession: 'proven' },
        ...{ state: 'active', certificationAuthorityId: request.certificationAuthorityId, supersedes: null },
      });
      expect(credential.x5c).toHaveLength(3);
      expect(credentialStanding(credential, NOW_DATE).refusal).toBeNull();
      expect(request).toMatchObject({ state: 'issued', credentialId: credential.id, decidedBy: { id: 'approver' } });
    });

    it('has no organisation identifier where there is no registration, and the host of a server', async () => {
      const entity = await entityOf();
      const host = new URL(entity.entityIdentifier).hostname;
      const { leaf, credential } = await issued(entity, {}, { profile: 'server' });
      expect(displayName(leaf.subject)).toBe(`O=Partner Ltd, UID=${entity.id}, CN=${host}`);
      expect(leaf.alternativeNames).toContainEqual({ form: 'dns', text: host });
      expect(credential.usage).toBe('transport');
      expect((await issued(entity, {}, { profile: 'signing' })).credential.usage).toBe('signing');
    });

    it('is valid for as long as its profile, the certification authority and its own certificate let it', async () => {
      const of = await registry.authority();
      const entity = await entityOf(of);
      const short = await certificationAuthority(registry, of, { validityDays: { client: 10 } });
      const ending = await certificationAuthority(registry, of, { notAfter: '270301000000Z' });
      const endOf = async (certificationAuthorityId: string, profile: 'client' | 'signing') =>
        (await issued(entity, {}, { certificationAuthorityId, profile })).leaf;
      const { notBefore, notAfter } = await endOf(short.id, 'client');
      expect(notAfter - notBefore + 1).toBe(10 * 86_400);
      expect(notBefore).toBeLessThanOrEqual(NOW_DATE.getTime() / 1000);
      const signing = await endOf(short.id, 'signing');
      expect(signing.notAfter - signing.notBefore + 1).toBe(397 * 86_400);
      expect(new Date((await endOf(ending.id, 'client')).notAfter * 1000)).toEqual(new Date('2027-03-01T00:00:00Z'));
    });

    it('is told of: who asked, who approved and why', async () => {
      const entity = await entityOf();
      const before = await registry.seq();
      const { request, credential } = await issued(entity);
      const rows = await registry.auditAfter(before);
      expect(rows.map(({ action, subjectId, reason }) => [action, subjectId, reason])).toEqual([
        ['certificate_request.submit', request.id, null],
        ['credential.issue', credential.id, REASON],
        ['certificate_request.approve', request.id, REASON],
      ]);
      expect(rows.map(({ actor }) => actor['id'])).toEqual(['test-actor', 'approver', 'approver']);
      expect(rows.at(-1)?.after).toMatchObject({ credentialId: credential.id });
      expect(JSON.stringify(rows)).not.toContain(credential.x5c?.[0]);
    });
  });

  describe('a request', () => {
    it.each<[string, () => string, string]>([
      ['signed with another key', () => requestPem({ signer: ecKey() }), 'csr_signature_invalid'],
      ['of RSA with 1024 bits', () => requestPem({ key: rsaKey(1024) }), 'weak_key'],
      ['of an EC key on P-192', () => requestPem({ key: ecKey('prime192v1') }), 'weak_key'],
      ['that is none', () => 'nonsense', 'validation_failed'],
    ])('is refused: %s', async (_, request, code) => {
      const entity = await entityOf();
      const error = await refusedBy(ask(entity, {}, { request: request() }));
      expect([error.code, error.details.errors?.[0]?.pointer]).toEqual([code, '/request']);
      expect(await requestsOf(entity)).toEqual([]);
    });

    it('may be DER as well', async () => {
      const entity = await entityOf();
      expect((await ask(entity, {}, { request: requestDer() })).request.state).toBe('pending');
    });

    it('is refused when it names another entity: by UID, URI, or common name', async () => {
      const [entity, other] = [await entityOf(), await entityOf()];
      const uid = '0.9.2342.19200300.100.1.1';
      const plans: RequestPlan[] = [
        { subject: distinguishedName({ [uid]: other.id }) },
        { attributes: [wantedUris(other.entityIdentifier)] },
        { subject: distinguishedName({ CN: other.entityIdentifier }) },
      ];
      for (const plan of plans) expect(await outcome(ask(entity, plan))).toBe('subject_mismatch');
      expect(await outcome(ask(other, plans[0]))).toBe('done');
    });

    it('is refused with a key that was seen before, whoever has it', async () => {
      const [entity, other] = [await entityOf(), await entityOf()];
      const [waiting, certified, revoked, external] = [ecKey(), ecKey(), ecKey(), ecKey()];
      await ask(other, { key: waiting });
      await issued(other, { key: certified });
      const { credential } = await issued(other, { key: revoked });
      await revokeCredential(registry.context(), credential.id, { reasonCode: 'superseded', reason: REASON });
      await addCredential(registry.context(), entity.id, { usage: 'signing', material: clientCertificate(external) });
      for (const key of [waiting, certified, revoked, external]) {
        expect(await outcome(ask(entity, { key }))).toBe('key_reuse');
        expect(await outcome(ask(other, { key }))).toBe('key_reuse');
      }
    });

    it('is refused with a key of ours, or a Federation Entity Key', async () => {
      const of = await registry.authority();
      // What asks for the certificate of the certification authority is signed with its key.
      const { request } = await certificationAuthority(registry, of);
      const [ofAuthority, ofEntity] = [ecKey(), ecKey()];
      const jwkOf = (key: KeyPair, kid: string) => ({ ...publicJwk(key).jwk, kid }) as Jwk;
      await createAuthority(
        registry.context(),
        { entityIdentifier: freshIdentifier('authority'), name: 'Another Federation' },
        async (id) => {
          const kid = `key of ${id}`;
          return { ...(await registry.generateKey(id)), kid, publicJwk: jwkOf(ofAuthority, kid) };
        },
      );
      const jwks = { keys: [jwkOf(ofEntity, 'own')] };
      const entity = await registry.entity(await registry.organisation(of), { jwks });
      for (const known of [request, requestDer({ key: ofAuthority }), requestDer({ key: ofEntity })]) {
        expect(await outcome(ask(entity, {}, { request: known }))).toBe('key_reuse');
      }
      expect(await outcome(ask(entity))).toBe('done');
    });

    it('may come again with the key of one that was rejected', async () => {
      const [entity, key] = [await entityOf(), ecKey()];
      const { request } = await ask(entity, { key });
      await rejectCertificateRequest(registry.context(APPROVER), request.id, REASON);
      expect(await outcome(ask(entity, { key }))).toBe('done');
    });

    it('is taken once for its idempotency key, and the key says so of another request', async () => {
      const entity = await entityOf();
      const [one, other] = [requestPem(), requestPem()];
      const send = (request: string, requestHash: string) =>
        requestCertificate(
          certificationContext(registry),
          entity.id,
          { request, profile: 'client' },
          { key: `key of ${entity.id}`, requestHash },
        );
      const { request } = await send(one, 'one');
      expect((await send(one, 'one')).request.id).toBe(request.id);
      expect(await outcome(send(other, 'other'))).toBe('idempotency_key_reused');
      expect(await requestsOf(entity)).toHaveLength(1);
    });

    it(`waits beside ${MAX_WAITING_REQUESTS - 1} others of its entity, and no more`, async () => {
      const entity = await entityOf();
      for (let count = 0; count < MAX_WAITING_REQUESTS; count++) await ask(entity);
      expect(await outcome(ask(entity))).toBe('limit_reached');
      expect(await outcome(ask(await entityOf()))).toBe('done');
    });

    it('is seen by members of its organisation, and by no others', async () => {
      const [entity, other] = [await entityOf(), await entityOf()];
      const { request } = await ask(entity, {}, {}, certificationContext(registry, asMember(entity)));
      const listedBy = async (by: Entity) =>
        (await listCertificateRequests(registry.db, asMember(by), { entityId: entity.id }, { limit: 10 })).items;
      expect((await listedBy(entity)).map(({ id }) => id)).toEqual([request.id]);
      expect(await listedBy(other)).toEqual([]);
      expect(await outcome(readOutcome(registry.db, asMember(other), request.id))).toBe('not_found');
      expect(await outcome(ask(entity, {}, {}, certificationContext(registry, asMember(other))))).toBe('not_found');
    });
  });

  describe('nobody gets a certificate who is not active', () => {
    it.each(['pending', 'suspended', 'withdrawn', 'revoked'] as const)('an entity that is %s', async (state) => {
      const entity = await registry.entity(await registry.organisation(authority), {}, state);
      const error = await refusedBy(ask(entity));
      expect([error.code, error.message]).toEqual(['not_active', expect.stringContaining(state)]);
    });

    it('an entity of a suspended organisation', async () => {
      const entity = await entityOf();
      await transitionOrganisation(registry.context(), entity.organisationId, 'suspend', REASON);
      expect(await outcome(ask(entity))).toBe('not_active');
    });

    it('whose request waits when it is suspended, until it is reinstated', async () => {
      const entity = await entityOf();
      const waiting = await ask(entity);
      await transitionEntity(registry.context(), entity.id, 'suspend', REASON);
      expect(await outcome(approve(waiting))).toBe('not_active');
      expect((await requestsOf(entity)).map(({ state }) => state)).toEqual(['pending']);
      await transitionEntity(registry.context(), entity.id, 'reinstate', REASON);
      expect((await approve(waiting)).request.state).toBe('issued');
    });

    it('who is suspended, renamed or left without a certification authority while it is signed; nothing is kept', async () => {
      const of = await registry.authority();
      const entity = await entityOf(of);
      const { id } = await certificationAuthority(registry, of);
      const waiting = await ask(entity);
      const before = await registry.seq();
      const events: [string, () => Promise<unknown>, (() => Promise<unknown>)?][] = [
        [
          'not_active',
          () => transitionEntity(registry.context(), entity.id, 'suspend', REASON),
          () => transitionEntity(registry.context(), entity.id, 'reinstate', REASON),
        ],
        [
          'not_active',
          () => transitionOrganisation(registry.context(), entity.organisationId, 'suspend', REASON),
          () => transitionOrganisation(registry.context(), entity.organisationId, 'reinstate', REASON),
        ],
        [
          'evidence_changed',
          () => updateOrganisation(registry.context(), entity.organisationId, { legalName: 'Renamed Ltd' }),
        ],
        ['certification_authority_not_active', () => retireCertificationAuthority(registry.context(), id, REASON)],
      ];
      for (const [code, event, back] of events) {
        const context = certificationContext(registry, APPROVER, { issueCertificate: whileSigning(event) });
        expect(await outcome(approve(waiting, context))).toBe(code);
        await back?.();
      }
      expect(await credentialsOf(entity)).toEqual([]);
      expect((await requestsOf(entity)).map(({ state }) => state)).toEqual(['pending']);
      expect((await registry.auditAfter(before)).filter(({ action }) => action === 'credential.issue')).toEqual([]);
    });

    it('when signing fails: nothing is kept, and the request goes on waiting', async () => {
      const entity = await entityOf();
      const waiting = await ask(entity);
      const before = await registry.seq();
      const away = new Error('the token is away');
      const failing: IssueCertificate = () => Promise.reject(away);
      const context = certificationContext(registry, APPROVER, { issueCertificate: failing });
      await expect(approve(waiting, context)).rejects.toBe(away);
      expect([await registry.seq(), await credentialsOf(entity)]).toEqual([before, []]);
      expect((await approve(waiting)).request.state).toBe('issued');
    });
  });

  describe('approval', () => {
    it('is for somebody else than who asked, and never for members', async () => {
      const entity = await entityOf();
      const asker = actor({ id: 'asker' });
      const waiting = await ask(entity, {}, {}, certificationContext(registry, asker));
      expect(await outcome(approve(waiting, certificationContext(registry, asker)))).toBe('four_eyes');
      const member = certificationContext(registry, asMember(entity));
      expect(await outcome(approve(waiting, member))).toBe('role_missing');
      const registrar = certificationContext(registry, actor({ roles: ['registrar'], id: 'registrar' }));
      expect(await outcome(approve(waiting, registrar))).toBe('role_missing');
      expect((await approve(waiting)).request.state).toBe('issued');
    });

    it('is final, as a rejection is, and is of the version that was seen', async () => {
      const entity = await entityOf();
      const [one, other] = [await ask(entity), await ask(entity)];
      const context = certificationContext(registry, APPROVER);
      expect(await outcome(approveCertificateRequest(context, one.request.id, REASON, 7))).toBe('version_mismatch');
      await approve(one);
      const rejected = await rejectCertificateRequest(context, other.request.id, 'not known here');
      expect(rejected).toMatchObject({ credential: null, request: { state: 'rejected', reason: 'not known here' } });
      for (const { request } of [one, other]) {
        expect(await outcome(approve({ request }))).toBe('illegal_transition');
        expect(await outcome(rejectCertificateRequest(context, request.id, REASON))).toBe('illegal_transition');
      }
      expect(await credentialsOf(entity)).toHaveLength(1);
    });

    it(`ends where ${MAX_OPEN_CREDENTIALS} credentials may count`, async () => {
      const entity = await entityOf();
      const waiting = await ask(entity);
      for (let count = 0; count < MAX_OPEN_CREDENTIALS; count++) {
        await addCredential(registry.context(), entity.id, { usage: 'signing', material: clientCertificate() });
      }
      expect(await outcome(approve(waiting))).toBe('limit_reached');
      expect((await requestsOf(entity)).map(({ state }) => state)).toEqual(['pending']);
    });
  });

  it('lapse after 14 days, or once their entity is enrolled no more', async () => {
    const of = await registry.authority();
    await certificationAuthority(registry, of);
    const [old, leaving, staying] = [await entityOf(of), await entityOf(of), await entityOf(of)];
    const late = certificationContext(registry, undefined, { now: inDays(10) });
    await ask(old);
    await ask(leaving, {}, {}, late);
    await ask(staying, {}, {}, late);
    await transitionEntity(registry.context(), leaving.id, 'withdraw', REASON);
    while ((await lapseCertificateRequests(registry.context(actor(), { now: inDays(14) }))) > 0);
    const stateOf = async (entity: Entity) => (await requestsOf(entity)).map(({ state, reason }) => [state, reason]);
    expect(await stateOf(old)).toEqual([['lapsed', 'nobody decided within 14 days']]);
    expect(await stateOf(leaving)).toEqual([['lapsed', 'its entity is enrolled no more']]);
    expect(await stateOf(staying)).toEqual([['pending', null]]);
  });

  it('are not issued where the authority believes its trust list alone and the certification authority is not on it', async () => {
    const of = await registry.authority();
    const root = testRoot();
    await certificationAuthority(registry, of, { root });
    await updateAuthority(registry.context(), of.id, { listedPurposes: ['transport'] });
    const entity = await entityOf(of);
    const waiting = await ask(entity);
    const error = await refusedBy(approve(waiting));
    expect(error.code).toBe('chain_untrusted');
    expect(error.message).toContain('holdfast trust-list add');
    expect(await credentialsOf(entity)).toEqual([]);
    await listed(registry, of, root.der);
    const { credential } = await approve(waiting);
    expect(credential?.path).not.toBeNull();
    expect(credential && credentialStanding(credential, NOW_DATE).refusal).toBeNull();
    // The list says whose certificates count of those who connect.
    const server = await refusedBy(ask(entity, {}, { profile: 'server' }));
    expect([server.code, server.message]).toEqual(['chain_untrusted', expect.stringContaining('profile client')]);
  });

  it('keep the certification authority from a certificate of its own that ends before them', async () => {
    const of = await registry.authority();
    const root = testRoot();
    const { id, name, request } = await certificationAuthority(registry, of, { root });
    const { credential } = await issued(await entityOf(of));
    const activate = (chain: string) => activateCertificationAuthority(registry.context(), id, chain);
    const shorter = chainOfRequest(request, { name, root, notAfter: '270401000000Z' });
    await expect(activate(shorter)).rejects.toMatchObject({ details: { reason: 'validity_invalid' } });
    await revokeCredential(registry.context(), credential.id, { reasonCode: 'superseded', reason: REASON });
    expect((await activate(shorter)).notAfter).toEqual(new Date('2027-04-01T00:00:00Z'));
  });

  it('are not recorded where the certification authority got another certificate meanwhile', async () => {
    const of = await registry.authority();
    const root = testRoot();
    const { id, name, request } = await certificationAuthority(registry, of, { root });
    const entity = await entityOf(of);
    const chain = chainOfRequest(request, { name, root, notAfter: '350101000000Z' });
    const meanwhile = whileSigning(() => activateCertificationAuthority(registry.context(), id, chain));
    const approving = approve(
      await ask(entity),
      certificationContext(registry, APPROVER, { issueCertificate: meanwhile }),
    );
    expect(await outcome(approving)).toBe('evidence_changed');
    expect(await credentialsOf(entity)).toEqual([]);
  });

  describe('[F22] what was issued', () => {
    const standingOf = async (id: string) =>
      credentialStanding(await readCredential(registry.db, actor(), id), NOW_DATE).refusal;

    it.each(['privilege_withdrawn', 'superseded', 'unspecified'] as const)(
      'does not come back as a certificate of somebody else once it was revoked (%s), nor beside its record',
      async (reasonCode) => {
        const entity = await entityOf();
        const { credential } = await issued(entity);
        const certificate = (credential.x5c ?? []).map((one) => encodePem(Buffer.from(one, 'base64'))).join('');
        const bring = () =>
          refusedBy(addCredential(registry.context(), entity.id, { usage: 'transport', material: { certificate } }));
        expect(await bring()).toMatchObject({ code: 'key_barred', message: expect.stringContaining('issued here') });
        await revokeCredential(registry.context(), credential.id, { reasonCode, reason: REASON });
        expect(await bring()).toMatchObject({ code: 'key_barred', message: expect.stringContaining('issued here') });
        expect(await credentialsOf(entity)).toHaveLength(1);
      },
    );

    it('is revoked once, for one reason; to say so again changes nothing', async () => {
      const { credential } = await issued(await entityOf());
      const revoke = (reasonCode: 'key_compromise' | 'superseded') =>
        revokeCredential(registry.context(), credential.id, { reasonCode, reason: REASON });
      const { version } = await revoke('key_compromise');
      const seq = await registry.seq();
      expect((await revoke('key_compromise')).version).toBe(version);
      expect(await registry.seq()).toBe(seq);
      expect(await outcome(revoke('superseded'))).toBe('illegal_transition');
    });

    it('is held and released, and nothing else takes a revocation back', async () => {
      const { credential } = await issued(await entityOf());
      const hold = (transition: 'hold' | 'release') =>
        holdCredential(registry.context(), credential.id, transition, REASON);
      await hold('hold');
      expect(await standingOf(credential.id)).toBe('credential_on_hold');
      await hold('release');
      expect(await standingOf(credential.id)).toBeNull();
      await revokeCredential(registry.context(), credential.id, { reasonCode: 'unspecified', reason: REASON });
      expect(await outcome(hold('release'))).toBe('illegal_transition');
      expect(await outcome(hold('hold'))).toBe('illegal_transition');
    });

    it('counts no more as soon as its entity or its organisation does not', async () => {
      const entity = await entityOf();
      const { credential } = await issued(entity);
      await transitionEntity(registry.context(), entity.id, 'suspend', REASON);
      expect(await standingOf(credential.id)).toBe('entity_suspended');
      await transitionEntity(registry.context(), entity.id, 'reinstate', REASON);
      await transitionOrganisation(registry.context(), entity.organisationId, 'suspend', REASON);
      expect(await standingOf(credential.id)).toBe('organisation_suspended');
    });
  });

  it.runIf(kind === 'postgresql')('of one key that two entities send to two nodes at once are taken once', async () => {
    const [one, other] = [await entityOf(), await entityOf()];
    await using node = await connectDatabase({ url: registry.database.url ?? '' });
    for (let round = 0; round < 5; round++) {
      const plan = { key: ecKey() };
      const elsewhere = certificationContext(registry, undefined, { db: node.db });
      const outcomes = await Promise.all([
        outcome(ask(one, plan, { profile: 'signing' })),
        outcome(ask(other, plan, { profile: 'signing' }, elsewhere)),
      ]);
      expect(outcomes.toSorted()).toEqual(['done', 'key_reuse']);
    }
  });

  it.runIf(kind === 'postgresql')(
    'approved while their entity is suspended are issued before, or not at all',
    async () => {
      await using node = await connectDatabase({ url: registry.database.url ?? '' });
      for (let round = 0; round < 8; round++) {
        const entity = await entityOf();
        const waiting = await ask(entity);
        const before = await registry.seq();
        const elsewhere = registry.context(actor(), { db: node.db });
        const [approved] = await Promise.all([
          outcome(approve(waiting)),
          transitionEntity(elsewhere, entity.id, 'suspend', REASON),
        ]);
        const actions = (await registry.auditAfter(before)).map(({ action }) => action);
        const approval = approved === 'done' ? ['credential.issue', 'certificate_request.approve'] : [];
        expect(actions).toEqual([...approval, 'entity.suspend']);
        expect(['done', 'not_active']).toContain(approved);
      }
    },
  );

  it.runIf(kind === 'postgresql')('approved at two nodes at once are issued once', async () => {
    const entity = await entityOf();
    const waiting = await ask(entity);
    await using node = await connectDatabase({ url: registry.database.url ?? '' });
    const elsewhere = certificationContext(registry, actor({ id: 'other-approver' }), { db: node.db });
    const outcomes = await Promise.all([outcome(approve(waiting)), outcome(approve(waiting, elsewhere))]);
    expect(outcomes.toSorted()).toEqual(['done', 'illegal_transition']);
    expect(await credentialsOf(entity)).toHaveLength(1);
  });
});
