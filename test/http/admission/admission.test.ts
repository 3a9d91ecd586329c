import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import type { JwkSet } from '../../../src/federation/jwk-set.ts';
import { MEDIA_TYPE } from '../../../src/federation/media-types.ts';
import { EvaluationSlots } from '../../../src/http/federation/evaluation-slots.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { updateAuthority } from '../../../src/registry/authorities/update-authority.ts';
import { changeRegistry } from '../../../src/registry/change.ts';
import { addCredential } from '../../../src/registry/credentials/add-credential.ts';
import { holdCredential } from '../../../src/registry/credentials/hold-credential.ts';
import type { Entity } from '../../../src/registry/entities/entity.ts';
import { registerKeys } from '../../../src/registry/entities/register-keys.ts';
import { transitionEntity } from '../../../src/registry/entities/transition-entity.ts';
import { giveRole } from '../../../src/registry/roles/give-role.ts';
import { tokenIssuers } from '../../../src/storage/schema/token-issuers.ts';
import { jwtOf } from '../../support/answers.ts';
import { type ApiAnswer, ApiClient, type Body } from '../../support/api-client.ts';
import { relyingParty } from '../../support/api-service.ts';
import { leafOf, root } from '../../support/certificate-paths.ts';
import { ecKey, pem } from '../../support/certificates.ts';
import { callHoldfast } from '../../support/cli.ts';
import { clientCertificate } from '../../support/credentials.ts';
import { suspendPoint, type TestPoint, testPoint } from '../../support/evidence.ts';
import { NOW } from '../../support/federation.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { freshIdentifier } from '../../support/registry.ts';
import { assignedRole } from '../../support/roles.ts';
import { startTestService, type TestService } from '../../support/service.ts';
import { listed } from '../../support/trust-lists.ts';
import { bear, entry } from '../../support/trust-marks.ts';

/** As certificates say it. */
const utcTime = (seconds: number) =>
  new Date(seconds * 1000)
    .toISOString()
    .slice(2)
    .replaceAll(/[-:T]|\.\d+/g, '');

const x5tS256 = (certificate: string) =>
  Buffer.from(new X509Certificate(certificate).fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');

let stack: AsyncDisposableStack;
let service: TestService;
let authority: Authority;
let origin: string;
let point: TestPoint;
let entity: Entity;
let certificate: string;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  service = stack.use(await startTestService('embedded'));
  authority = await service.authority();
  ({ origin } = stack.use(await service.listen()));
  point = await testPoint(service, authority);
});
afterAll(() => stack.disposeAsync());

beforeEach(async () => {
  ({ certificate } = clientCertificate());
  entity = await service.entity(await service.organisation(authority));
  await addCredential(service.context(), entity.id, { usage: 'transport', material: { certificate } });
});

/** Over a real connection, held against what the operation declares. */
async function ask(body: unknown, query = '', token: string | null = point.token): Promise<ApiAnswer> {
  const overSocket = {
    fetch: async (request: Request) => {
      const { pathname, search } = new URL(request.url);
      const init = { method: request.method, headers: request.headers, body: await request.text() };
      return await fetch(`${origin}${pathname}${search}`, init);
    },
  };
  const headers: Record<string, string> = token === null ? {} : { 'holdfast-enforcement-point': token };
  return await new ApiClient(overSocket, headers).post(`/api/v1/admission${query}`, body);
}

const reasonsFor = async (body: unknown) => (await ask(body)).body.reasons;

describe('[F40] a certificate is admitted as that of an active participant', () => {
  it('by whichever way it is shown, and says who that is and as of which change', async () => {
    const organisation = await service.organisation(authority);
    entity = await service.entity(organisation);
    ({ certificate } = clientCertificate());
    await addCredential(service.context(), entity.id, { usage: 'transport', material: { certificate } });
    const assignment = await assignedRole(service, organisation);
    await giveRole(service.context(), entity.id, assignment.roleId);
    const der = new X509Certificate(certificate).raw.toString('base64');
    const answers = [];
    for (const body of [{ certificate }, { certificate: der }, { 'x5t#S256': x5tS256(certificate) }]) {
      answers.push((await ask(body)).body);
    }
    const [answer] = answers;
    expect(answer).toMatchObject({
      ...{ decision: 'allow', reasons: [], seq: await service.seq() },
      participant: { entityIdentifier: entity.entityIdentifier },
      application: { id: entity.id, entityIdentifier: entity.entityIdentifier },
      organisation: { id: organisation.id, legalName: organisation.legalName },
      roles: [{ id: assignment.roleId, validFrom: null, validTo: null }],
      permissions: { newAuthorization: true },
      evaluatedAt: new Date(NOW * 1000).toISOString(),
    });
    expect(answer).not.toHaveProperty('steps');
    for (const other of answers) expect({ ...other, validUntil: answer.validUntil }).toEqual(answer);
  });

  it('unknown_participant: nobody is anybody whose certificate is not registered here', async () => {
    const unmapped = clientCertificate().certificate;
    const { status, body } = await ask({ certificate: unmapped });
    expect(status).toBe(200);
    expect(body).toMatchObject({ decision: 'deny', reasons: ['unknown_participant'], participant: null });
    expect(body.validUntil).toBe(body.evaluatedAt);
    const elsewhere = await testPoint(service, await service.authority());
    expect((await ask({ certificate }, '', elsewhere.token)).body.reasons).toEqual(['unknown_participant']);
  });

  it('not from the very change on that takes it away, and again from the one that gives it back', async () => {
    await transitionEntity(service.context(), entity.id, 'suspend', 'breach');
    const suspended = (await ask({ certificate })).body;
    expect(suspended).toMatchObject({ decision: 'deny', reasons: ['suspended'], seq: await service.seq() });
    expect(suspended.permissions).toEqual({ newAuthorization: false, useExisting: false, withdrawConsent: true });
    await transitionEntity(service.context(), entity.id, 'reinstate', 'mended');
    expect((await ask({ certificate })).body.decision).toBe('allow');
    const held = clientCertificate().certificate;
    const added = { usage: 'transport', material: { certificate: held } } as const;
    const { id } = await addCredential(service.context(), entity.id, added);
    expect((await ask({ certificate: held })).body.decision).toBe('allow');
    await holdCredential(service.context(), id, 'hold', 'let us see');
    expect(await reasonsFor({ certificate: held })).toEqual(['certificate_on_hold']);
    expect((await ask({ certificate })).body.decision).toBe('allow');
  });

  it('certificate_missing, certificate_malformed', async () => {
    expect(await reasonsFor({})).toEqual(['certificate_missing']);
    for (const wrong of ['', 'x', '-----BEGIN CERTIFICATE-----', `${certificate}${certificate}`, 'MAA=']) {
      expect(await reasonsFor({ certificate: wrong })).toContain(
        wrong === 'MAA=' ? 'unknown_participant' : 'certificate_malformed',
      );
    }
  });

  it('only where the enforcement point is known and active', async () => {
    const own = await testPoint(service, authority);
    expect((await ask({ certificate }, '', own.token)).status).toBe(200);
    await suspendPoint(service, own);
    for (const token of [own.token, null, 'hfep_unknown', `${point.token}x`]) {
      const { status, body } = await ask({ certificate }, '', token);
      expect([status, body.code]).toEqual([401, 'unauthenticated']);
    }
    const { authorization } = await service.bearer(['admin']);
    const response = await fetch(`${origin}/api/v1/admission`, {
      ...{ method: 'POST', body: JSON.stringify({ certificate }) },
      headers: { authorization, 'content-type': 'application/json' },
    });
    expect(response.status).toBe(401);
  });

  it('with its key for the federation, where that has a certificate, for PKI and federation say the same', async () => {
    const key = ecKey();
    const jwk = { ...(await exportJWK(key.publicKey)), kid: 'certified' };
    const known = root();
    const leaf = leafOf(known, { key });
    const x5c = [leaf.toString('base64')];
    const register = async (registered: object) => {
      const context = service.context();
      await changeRegistry(context, async (tx, record) => {
        await registerKeys(tx, entity, { keys: [registered] } as JwkSet, context.now, 'registrar');
        record({ action: 'entity.update', authorityId: authority.id, subjectKind: 'entity', subjectId: entity.id });
      });
    };
    const asked = { certificate: pem(leaf) };
    expect(await reasonsFor(asked)).toEqual(['unknown_participant']);
    await register({ ...jwk, x5c });
    expect((await ask(asked)).body).toMatchObject({ decision: 'allow', application: { id: entity.id } });
    await updateAuthority(service.context(), authority.id, { listedPurposes: ['transport'] });
    expect(await reasonsFor(asked)).toEqual(['chain_untrusted']);
    const entry = await listed(service, authority, known.der);
    expect(entry.x5tS256).not.toBe('');
    expect((await ask(asked)).body.decision).toBe('allow');
    await updateAuthority(service.context(), authority.id, { listedPurposes: [] });
    await register({ ...jwk, kid: 'without' });
    expect(await reasonsFor(asked)).toEqual(['unknown_participant']);
  });
});

describe('[B2] one call has all of it, signed', () => {
  let home: Authority;
  let trustMarkType: string;
  let server: FederationServer;
  let issuer: Awaited<ReturnType<typeof tokenIssuer>>;
  let gateway: TestPoint;

  beforeAll(async () => {
    const entityIdentifier = freshIdentifier('issuer');
    trustMarkType = `${entityIdentifier}/marks/member`;
    home = await service.authority({ entityIdentifier, trustMarkIssuers: { [trustMarkType]: [entityIdentifier] } });
    const rp = relyingParty(home);
    // What it publishes ends soon.
    const brief = { ...rp, claims: { exp: NOW + 60 } };
    server = stack.use(
      await serveFederation({ first: rp, second: rp, third: rp, certified: rp, brief }, { clock: service.clock }),
    );
    issuer = await tokenIssuer(home);
    gateway = await testPoint(service, home, { isTokenRequired: true, maxStalenessSeconds: 86_400 });
  });

  /** The Relying Party, with a certificate, a role that ends, and nothing else. */
  async function member(name: string, shown = clientCertificate().certificate, roleEndsIn = 200) {
    const organisation = await service.organisation(home);
    const known = await service.admit(organisation, server.federation, name);
    await addCredential(service.context(), known.id, { usage: 'transport', material: { certificate: shown } });
    const validTo = new Date((NOW + roleEndsIn) * 1000);
    const { roleId } = await assignedRole(service, organisation, { validTo });
    await giveRole(service.context(), known.id, roleId);
    return { known, shown };
  }

  async function signed(body: object) {
    const response = await fetch(`${origin}/api/v1/admission?signed=1`, {
      ...{ method: 'POST', body: JSON.stringify(body) },
      headers: { 'holdfast-enforcement-point': gateway.token, 'content-type': 'application/json' },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/jwt']);
    const jwks = createLocalJWKSet((await service.jwks(home)) as JSONWebKeySet);
    const { payload } = await jwtVerify(await response.text(), jwks, {
      ...{ issuer: home.entityIdentifier, audience: gateway.id, typ: 'admission-decision+jwt' },
      ...{ algorithms: ['ES256'], currentDate: new Date((NOW - 1) * 1000) },
    });
    return payload;
  }

  /** Bears a Trust Mark of the authority from now on. */
  async function marked(name: string, { entityIdentifier: sub }: Entity) {
    const type = await service.trustMarkType(home, { trustMarkType });
    await service.trustMark(type, sub);
    const given = await service.ask(home, 'trustMark', { trust_mark_type: trustMarkType, sub });
    bear(server.federation, name, entry(await jwtOf(given, MEDIA_TYPE.trustMark), trustMarkType));
  }

  /** What is signed about somebody with a token for this long. */
  async function allowed({ known, shown }: Awaited<ReturnType<typeof member>>, token: object, others: object = {}) {
    const bound = { client_id: known.entityIdentifier, cnf: { 'x5t#S256': x5tS256(shown) } };
    const payload = await signed({ certificate: shown, token: await issuer({ ...bound, ...token }), ...others });
    expect(payload).toMatchObject({ decision: 'allow', reasons: [], iat: NOW, application: { id: known.id } });
    expect(new Date((payload.exp ?? 0) * 1000).toISOString()).toBe(payload['validUntil']);
    return payload;
  }

  it('about certificate, token and Entity Identifier, and ends when the first of them ends', async () => {
    const first = await member('first');
    const { entityIdentifier: entityId } = first.known;
    await marked('first', first.known);
    expect((await allowed(first, { exp: NOW + 50 })).exp).toBe(NOW + 50);
    expect((await allowed(first, { exp: NOW + 300 })).exp).toBe(NOW + 200);
    using slots = vi.spyOn(EvaluationSlots.prototype, 'within');
    const chained = await allowed(first, { exp: NOW + 100 }, { entityId });
    // Nobody else waits for what this enforcement point asks.
    expect(slots.mock.calls.map(([slot]) => slot)).toEqual([
      { kind: 'admission', caller: `enforcement point ${gateway.id}` },
    ]);
    expect(chained).toMatchObject({
      chain: { trustAnchor: home.entityIdentifier, trustMarkTypes: [trustMarkType] },
      cnf: { 'x5t#S256': x5tS256(first.shown) },
      exp: NOW + 100,
    });
    expect(chained['ath']).toMatch(/^[\w-]{43}$/);
  });

  it('and ends with its Trust Chain, or the path of its certificate, where that is the first to end', async () => {
    const brief = await member('brief');
    const briefly = await allowed(brief, { exp: NOW + 100 }, { entityId: brief.known.entityIdentifier });
    expect(briefly).toMatchObject({ chain: { trustAnchor: home.entityIdentifier }, exp: NOW + 60 });
    // The authority above the certificate ends before it.
    const known = root({ notAfter: utcTime(NOW + 40) });
    await listed(service, home, known.der);
    await updateAuthority(service.context(), home.id, { listedPurposes: ['transport'] });
    const certified = await member('certified', pem(leafOf(known, { key: ecKey() })));
    const { entityIdentifier: entityId } = certified.known;
    expect((await allowed(certified, { exp: NOW + 100 }, { entityId })).exp).toBe(NOW + 41);
    expect((await allowed(certified, { exp: NOW + 30 }, { entityId })).exp).toBe(NOW + 30);
    await updateAuthority(service.context(), home.id, { listedPurposes: [] });
  });

  it('and denies if any of it does not hold', async () => {
    const { known, shown } = await member('second');
    const entityId = known.entityIdentifier;
    const bound = { client_id: entityId, cnf: { 'x5t#S256': x5tS256(shown) } };
    const token = await issuer(bound);
    const reasons = async (body: object) => {
      const payload = await signed({ certificate: shown, token, entityId, ...body });
      expect(payload.exp).toBe(payload.iat);
      return payload['reasons'];
    };
    expect(await reasons({ token: await issuer({ ...bound, cnf: { 'x5t#S256': 'A'.repeat(43) } }) })).toEqual([
      'cnf_mismatch',
    ]);
    expect(await reasons({ token: await issuer({ client_id: entityId }) })).toEqual(['token_not_bound']);
    expect(await reasons({ token: undefined })).toEqual(['token_missing']);
    expect(await reasons({ token: await issuer({ ...bound, exp: NOW }) })).toEqual(['token_expired']);
    expect(await reasons({ entityId: 'https://other.example' })).toEqual(['entity_mismatch']);
    expect(await reasons({ onBehalfOf: known.organisationId })).toEqual(['delegation_unknown']);
    const unchained = await service.entity(await service.organisation(home));
    const other = clientCertificate().certificate;
    await addCredential(service.context(), unchained.id, { usage: 'transport', material: { certificate: other } });
    const theirs = { client_id: unchained.entityIdentifier, cnf: { 'x5t#S256': x5tS256(other) } };
    const [reason] = (await reasons({
      ...{ certificate: other, entityId: unchained.entityIdentifier, token: await issuer(theirs) },
    })) as string[];
    expect(reason).toMatch(/^trust_chain_/);
    await transitionEntity(service.context(), known.id, 'suspend', 'breach');
    expect(await reasons({})).toEqual(['suspended']);
  });

  it('and no token but the right one lets anybody in who has the right certificate, at either door', async () => {
    const { known, shown } = await member('third');
    const bound = { client_id: known.entityIdentifier, cnf: { 'x5t#S256': x5tS256(shown) } };
    const good = await issuer(bound);
    const open = await testPoint(service, home);
    const post = async (at: TestPoint, body: unknown) =>
      await fetch(`${origin}/api/v1/admission`, {
        ...{ method: 'POST', body: JSON.stringify(body) },
        headers: { 'holdfast-enforcement-point': at.token, 'content-type': 'application/json' },
      });
    const der = new X509Certificate(shown).raw.toString('base64');
    const forward = async (at: TestPoint, authorization: string) => {
      const headers = { 'holdfast-enforcement-point': at.token, 'client-cert': `:${der}:`, authorization };
      return (await fetch(`${origin}/api/v1/admission/http`, { headers })).status;
    };
    for (const at of [gateway, open]) {
      expect(await (await post(at, { certificate: shown, token: good })).json()).toMatchObject({ decision: 'allow' });
      expect(await forward(at, `Bearer ${good}`)).toBe(200);
    }
    const [header = '', claims = '', signature = ''] = good.split('.');
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const read = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString());
    const names = fc.constantFrom('alg', 'typ', 'kid', 'crit', 'jwk', 'iss', 'aud', 'exp', 'nbf', 'cnf', 'client_id');
    const changes = fc.dictionary(names, fc.oneof(fc.jsonValue(), fc.constantFrom('none', 'HS256', NOW - 1)), {
      minKeys: 1,
    });
    const bad = fc
      .oneof(
        fc.nat(good.length - 2).map((length) => good.slice(0, length)),
        changes.map((odd) => [part({ ...read(header), ...odd, x: 1 }), claims, signature].join('.')),
        changes.map((odd) => [header, part({ ...read(claims), ...odd, x: 1 }), signature].join('.')),
        fc.constantFrom(`${header}.${claims}.`, `${header}.${claims}`, `${good}.${signature}`, `${good} ${good}`, '..'),
        fc.string({ unit: 'binary' }),
      )
      .filter((token) => token !== good);
    const id = fc.oneof(fc.jsonValue(), fc.uuid(), fc.constantFrom(known.id, known.organisationId, ''));
    const asked = fc.oneof(
      fc.record({ token: bad, api: id, onBehalfOf: id }, { requiredKeys: ['token'] }),
      fc.record({ token: fc.constant(good), api: id, onBehalfOf: id }, { requiredKeys: ['token', 'api'] }),
      fc.record({ token: fc.constant(good), onBehalfOf: id }),
      fc.record({ token: fc.jsonValue().filter((token) => token !== good) }),
    );
    const scheme = fc.constantFrom('Bearer', 'bearer', 'DPoP');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(gateway, open), asked, scheme, async (at, members, schemeOfToken) => {
        const response = await post(at, { certificate: shown, ...members });
        expect([200, 400]).toContain(response.status);
        expect(await response.json()).not.toMatchObject({ decision: 'allow' });
        const { token } = members;
        if (typeof token !== 'string' || token === good || !/^[!-~]+$/.test(token)) return;
        expect([401, 403]).toContain(await forward(at, `${schemeOfToken} ${token}`));
      }),
      { numRuns: 250 },
    );
    expect(service.failures).toEqual([]);
  });
});

/** An authorization server that the authority lists. @returns what signs its tokens */
async function tokenIssuer({ id: authorityId }: Authority) {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'as', alg: 'ES256', use: 'sig' };
  const context = service.context();
  const issuer = 'https://as.example';
  await changeRegistry(context, async (tx, record) => {
    const row = { id: context.newId(), authorityId, issuer, audiences: ['https://api.example'] };
    await tx.insert(tokenIssuers).values({
      ...{ ...row, jwks: { keys: [jwk as JsonObject] }, acceptsUntypedTokens: false },
      ...{ state: 'active', version: 1, createdAt: context.now },
    });
    record({ action: 'token_issuer.add', authorityId, subjectKind: 'token_issuer', subjectId: row.id, after: {} });
  });
  return (claims: object) =>
    new SignJWT({ iss: issuer, aud: 'https://api.example', iat: NOW, exp: NOW + 100, ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'as' })
      .sign(privateKey);
}

it('[F45] every deny is on record, whichever door it was given at', async () => {
  const door = await testPoint(service, authority);
  const stranger = clientCertificate().certificate;
  const der = (shown: string) => new X509Certificate(shown).raw.toString('base64');
  await transitionEntity(service.context(), entity.id, 'suspend', 'breach');
  const { body } = await ask({ certificate }, '', door.token);
  expect(body.reasons).toEqual(['suspended']);
  const forward = async (lines: Record<string, string>) => {
    const headers = { 'holdfast-enforcement-point': door.token, ...lines };
    return (await fetch(`${origin}/api/v1/admission/http`, { headers })).status;
  };
  expect(await forward({ 'client-cert': `:${der(stranger)}:` })).toBe(403);
  expect(await forward({})).toBe(401);
  expect(await forward({ 'client-cert': ':broken:' })).toBe(403);
  await service.evidence.save();
  const auditor = new ApiClient(service.app, await service.bearer(['auditor'], [authority]));
  const { items } = (await auditor.get(`/api/v1/decisions?enforcementPointId=${door.id}`)).body;
  const noted = items.map(({ decision, reasons, count, entityId, certificateSha256 }: Body) => {
    return [decision, ...reasons, count, entityId, certificateSha256];
  });
  expect(noted).toHaveLength(4);
  expect(noted).toEqual(
    expect.arrayContaining([
      ['deny', 'suspended', 1, entity.id, x5tS256(certificate)],
      ['deny', 'unknown_participant', 1, null, x5tS256(stranger)],
      ['deny', 'certificate_missing', 1, null, null],
      ['deny', 'certificate_malformed', 1, null, null],
    ]),
  );
});

describe('[B3] explain', () => {
  it('gives the steps that led to the very same decision', async () => {
    const { body: plain } = await ask({ certificate });
    const { body: explained } = await ask({ certificate }, '?explain=1');
    expect({ ...explained, steps: undefined, validUntil: 0 }).toEqual({ ...plain, validUntil: 0 });
    expect(explained.steps.map(({ outcome }: { outcome: string }) => outcome)).not.toContain('failed');
    for (const { rule, inputSha256 } of explained.steps) expect([rule, inputSha256]).not.toContain('');
    await transitionEntity(service.context(), entity.id, 'suspend', 'breach');
    const { body: denied } = await ask({ certificate }, '?explain=1');
    const digests = (body: { steps: { inputSha256: string }[] }) => body.steps.map(({ inputSha256 }) => inputSha256);
    expect(digests(denied)).toEqual(digests(explained));
    const other = await ask({ certificate: clientCertificate().certificate }, '?explain=1');
    expect(digests(other.body)[1]).not.toBe(digests(explained)[1]);
    const failed = denied.steps.filter(({ outcome }: { outcome: string }) => outcome === 'failed');
    expect(failed).toMatchObject([{ check: 'standing', reason: 'suspended', canMend: 'registry' }]);
  });

  it('is given to staff about an enforcement point in their reach, and stands in no log', async () => {
    const path = `/api/v1/enforcement-points/${point.id}/admission?explain=1`;
    const auditor = new ApiClient(service.app, await service.bearer(['auditor'], [authority]));
    await service.evidence.save();
    const before = (await auditor.get(`/api/v1/decisions?authorityId=${authority.id}`)).body;
    const { status, body } = await auditor.post(path, { certificate: clientCertificate().certificate });
    expect([status, body.decision, body.isTrial]).toEqual([200, 'deny', true]);
    expect(body.steps).toHaveLength(13);
    await service.evidence.save();
    expect((await auditor.get(`/api/v1/decisions?authorityId=${authority.id}`)).body).toEqual(before);
    const stranger = new ApiClient(service.app, await service.bearer(['auditor'], [await service.authority()]));
    expect((await stranger.post(path, {})).status).toBe(404);
  });

  it('is shown by the command line, which exits with 1 for a deny', async () => {
    const { authorization } = await service.bearer(['auditor'], [authority]);
    const env = { HOLDFAST_URL: origin, HOLDFAST_TOKEN: authorization.replace('Bearer ', '') };
    const asking = ['admission', 'ask', '--at', point.id, '--certificate', '-', '--explain'];
    const allowed = await callHoldfast(asking, { env, stdin: certificate });
    expect([allowed.exitCode, allowed.stdout]).toEqual([0, expect.stringContaining(entity.entityIdentifier)]);
    expect(allowed.stdout).toMatch(/✓ standing: the application is active/);
    const denied = await callHoldfast(asking, { env, stdin: clientCertificate().certificate });
    expect(denied.exitCode).toBe(1);
    expect(denied.stdout).toMatch(/deny: unknown_participant/);
  });
});

describe('what is no question', () => {
  it.each([
    ['certificates in two ways', { certificate: 'x', 'x5t#S256': 'A'.repeat(43) }, '/x5t#S256'],
    ['a member that is not known', { certificate: 'x', cert: 'y' }, '/cert'],
    ['a digest of another length', { 'x5t#S256': 'A'.repeat(42) }, '/x5t#S256'],
    ['a digest that is written in another way', { 'x5t#S256': `${'A'.repeat(42)}B` }, '/x5t#S256'],
    ['an API that is no id', { api: 'payments' }, '/api'],
    ['no object', [], ''],
    ['a number for a certificate', { certificate: 1 }, '/certificate'],
  ])('400: %s', async (_, body, pointer) => {
    const answer = await ask(body);
    expect([answer.status, answer.body.code]).toEqual([400, 'validation_failed']);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  it('400, 413, 415: bodies that are no JSON, too long, or something else', async () => {
    const send = async (body: string, type = 'application/json') => {
      const headers = { 'holdfast-enforcement-point': point.token, 'content-type': type };
      return (await fetch(`${origin}/api/v1/admission`, { method: 'POST', headers, body })).status;
    };
    expect(await send('{')).toBe(400);
    expect(await send('{"token":"a","token":"b"}')).toBe(400);
    expect(await send('{}', 'text/plain')).toBe(415);
    expect(await send(JSON.stringify({ token: 'x'.repeat(80 * 1024) }))).toBe(413);
    expect((await ask({ certificate }, '?explain=2')).status).toBe(400);
    expect((await ask({ certificate }, '?explain=1&explain=1')).status).toBe(400);
    expect((await ask({ certificate }, '?explian=1')).status).toBe(400);
    const chunked = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    const headers = { 'holdfast-enforcement-point': point.token, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: chunked, duplex: 'half' } as RequestInit;
    const endless = await fetch(`${origin}/api/v1/admission`, init).catch(() => undefined);
    expect(endless?.status ?? 413).toBe(413);
  });

  it('gets its own answer, and so does everybody who asks at the same time', async () => {
    const unmapped = clientCertificate().certificate;
    const bodies = [{ certificate }, { certificate: 1 }, { certificate: unmapped }, { certificate: 'x' }, {}, []];
    const asked = Array.from({ length: 60 }, (_, index) => bodies[index % bodies.length]);
    const answers = await Promise.all(asked.map((body) => ask(body)));
    const told = answers.map(({ status, body }) => [status, body.decision ?? body.code, ...(body.reasons ?? [])]);
    const each = [
      [200, 'allow'],
      [400, 'validation_failed'],
      [200, 'deny', 'unknown_participant'],
      [200, 'deny', 'certificate_malformed'],
      [200, 'deny', 'certificate_missing'],
      [400, 'validation_failed'],
    ];
    expect(told).toEqual(asked.map((_, index) => each[index % each.length]));
  });

  it('never is a fault of ours, and never lets anybody in', async () => {
    const near = x5tS256(certificate);
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(certificate.slice(1), `${certificate}x`, ''));
    const value = fc.oneof(text, fc.constant(near.slice(1)), fc.jsonValue());
    const body = fc.record(
      {
        ...{ certificate: value, 'x5t#S256': value, token: value, api: value },
        ...{ entityId: value, onBehalfOf: value, [near]: value },
      },
      { requiredKeys: [] },
    );
    const sent = fc.oneof(
      body.map((members) => JSON.stringify(members)),
      fc.json(),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(sent, async (content) => {
        const headers = { 'holdfast-enforcement-point': point.token, 'content-type': 'application/json' };
        const response = await fetch(`${origin}/api/v1/admission`, { method: 'POST', headers, body: content });
        expect([200, 400]).toContain(response.status);
        expect(await response.json()).not.toMatchObject({ decision: 'allow' });
      }),
      { numRuns: 150 },
    );
    expect(service.failures).toEqual([]);
  });
});
