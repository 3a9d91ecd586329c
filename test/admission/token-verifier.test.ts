import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, exportSPKI, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_IN_FLIGHT, MAX_IN_FLIGHT_OF_ONE } from '../../src/admission/introspection.ts';
import { FRESH_SECONDS, MAX_STALE_SECONDS, RETRY_SECONDS } from '../../src/admission/issuer-keys.ts';
import type { IssuerRequests, IssuerResponse } from '../../src/admission/issuer-requests.ts';
import { TokenVerifier } from '../../src/admission/token-verifier.ts';
import { FederationError } from '../../src/federation/errors.ts';
import type { KnownTokenIssuer } from '../../src/registry/participants/known-participants.ts';
import { API, ask, CERTIFICATE, knownState, letOffFrom, NOW, PARTICIPANT, PLACE } from '../support/admission.ts';
import { startAuthorizationServer, type TestAuthorizationServer } from '../support/authorization-server.ts';
import { testClient } from '../support/outbound.ts';
import { TEST_TLS_CERTIFICATE } from '../support/tls.ts';

const ISSUER: KnownTokenIssuer = {
  ...{ id: 'issuer', authorityId: PLACE.authorityId, issuer: 'https://as.example', audiences: ['payments'] },
  ...{ jwks: null, jwksUri: null, introspection: null, sealedSecret: null, acceptsUntypedTokens: false },
};

interface Listed {
  issuers: readonly KnownTokenIssuer[];
  /** Issuer of the tokens for the API. */
  issuerOfApi?: string;
  /** What they are for. */
  audience?: string | null;
}

function stateOf({ issuers, issuerOfApi, audience = null }: Listed) {
  const server = issuerOfApi === undefined ? undefined : { id: 'server', issuer: issuerOfApi, retiresAt: null };
  return {
    ...knownState({ apis: [{ ...API, audience }] }),
    authorizationServer: () => server,
    tokenIssuer: (authorityId: string, issuer: string) =>
      issuers.find((listed) => listed.authorityId === authorityId && listed.issuer === issuer),
    introspectingIssuers: (authorityId: string) =>
      issuers.filter((listed) => listed.authorityId === authorityId && listed.introspection !== null),
  };
}

function verifying(verifier: TokenVerifier, listed: Listed) {
  const state = () => stateOf(listed);
  const apiId = listed.issuerOfApi === undefined ? null : API.id;
  return async (token: string, now = NOW, applicationId = PARTICIPANT.id) =>
    await verifier.verify(token, { place: PLACE, apiId, applicationId, state, now });
}

/** An authorization server of the test alone: what it answers, and what it was asked. */
class Answers implements IssuerRequests {
  readonly asked: Parameters<IssuerRequests['post']>[] = [];
  answer: () => Promise<IssuerResponse> = async () => reply({});

  async get(...asked: Parameters<IssuerRequests['get']>) {
    this.asked.push([asked[0], { ...asked[1], body: '', contentType: '', authorization: '' }]);
    return await this.answer();
  }

  async post(...asked: Parameters<IssuerRequests['post']>) {
    this.asked.push(asked);
    return await this.answer();
  }
}

function reply(content: unknown, contentType = 'application/json', status = 200): IssuerResponse {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return { status, contentType, body: new TextEncoder().encode(text) };
}

const secretOf = () => 'secret';
const monotonicMs = () => 0;

describe('[F43] tokens of a real authorization server', () => {
  let jwts: TestAuthorizationServer;
  let opaque: TestAuthorizationServer;
  const client = testClient({ extraCas: [TEST_TLS_CERTIFICATE] });
  const nowSeconds = () => Math.floor(Date.now() / 1000);
  beforeAll(async () => {
    jwts = await startAuthorizationServer('jwt');
    opaque = await startAuthorizationServer('opaque');
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await jwts[Symbol.asyncDispose]();
    await opaque[Symbol.asyncDispose]();
  });

  const verifierFor = (secret = '') => new TokenVerifier({ requests: client, secretOf: () => secret, monotonicMs });
  const listedAs = (server: TestAuthorizationServer, ways: Partial<KnownTokenIssuer>): Listed => ({
    issuers: [{ ...ISSUER, issuer: server.issuer, audiences: [server.audience], ...ways }],
  });
  const introspection = (server: TestAuthorizationServer, isSigned = false) => ({
    ...{ endpoint: server.introspectionEndpoint, clientId: server.audience, isSigned },
  });

  it('count with the certificate that they are bound to, and with no other: cnf_mismatch', async () => {
    const verify = verifying(verifierFor(), listedAs(jwts, { jwksUri: jwts.jwksUri }));
    const verdict = await verify(await jwts.token(), nowSeconds());
    const { x5tS256, entityId } = jwts.client;
    expect(verdict).toMatchObject({ boundTo: x5tS256, clientId: entityId });
    const theirs = { ...CERTIFICATE, x5tS256 };
    // The clock of the decision is that of the test; of the token it is the real one.
    const token = { ...verdict, expiresAt: NOW + 60 };
    const admitted = ask({ certificate: { x5tS256 } }, knownState({ certificates: [theirs] }), { token });
    expect(admitted).toMatchObject({ decision: 'allow', reasons: [] });
    expect(ask({}, knownState({}), { token })).toMatchObject({ decision: 'deny', reasons: ['cnf_mismatch'] });
  });

  it('that are not bound count only for whom they were issued to, let off for a while: token_not_bound', async () => {
    const now = nowSeconds();
    const claims = {
      iss: jwts.issuer,
      aud: jwts.audience,
      exp: now + 60,
      iat: now,
      client_id: PARTICIPANT.entityIdentifier,
    };
    const verify = verifying(verifierFor(), listedAs(jwts, { jwks: jwts.jwks }));
    const token = { ...(await verify(await jwts.sign(claims), now)), expiresAt: NOW + 60 };
    expect(token).toMatchObject({ boundTo: undefined });
    expect(ask({}, knownState({}), { token }).reasons).toEqual(['token_not_bound']);
    const exceptions = [letOffFrom('unbound_token', NOW + 60)];
    expect(ask({}, knownState({ exceptions }), { token }).decision).toBe('allow');
  });

  it.each([false, true])('that are opaque count by what it says, signed: %s', async (isSigned) => {
    const keys = isSigned ? { jwksUri: opaque.jwksUri } : {};
    const listed = listedAs(opaque, { introspection: introspection(opaque, isSigned), ...keys });
    const token = await opaque.token();
    const verify = verifying(verifierFor(opaque.secret), listed);
    const { x5tS256, entityId } = opaque.client;
    expect(await verify(token, nowSeconds())).toMatchObject({ boundTo: x5tS256, clientId: entityId });
    expect(await verify(`${token}x`, nowSeconds())).toMatchObject({ reason: 'token_inactive' });
    const unknown = verifying(verifierFor('wrong'), listed);
    expect(await unknown(token, nowSeconds())).toMatchObject({
      reason: 'token_unverifiable',
      detail: 'its authorization server answered 401',
    });
  });

  it('are refused with another audience, issuer, time, type or signature', async () => {
    const now = nowSeconds();
    const verify = verifying(verifierFor(), listedAs(jwts, { jwksUri: jwts.jwksUri }));
    const claims = { iss: jwts.issuer, aud: jwts.audience, exp: now + 60, iat: now, client_id: 'x' };
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const mine = await exportJWK(publicKey);
    const [key] = jwts.jwks.keys;
    const signed = (changes: object, header: Partial<JWTHeaderParameters> = {}) =>
      jwts.sign({ ...claims, ...changes }, header);
    const forged = (header: Partial<JWTHeaderParameters>) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'tokens', ...header })
        .sign(privateKey);
    const none = `${encode({ alg: 'none', typ: 'at+jwt', kid: 'tokens' })}.${encode(claims)}.AAAA`;
    const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'tokens' })}.${encode(claims)}`;
    const confused = (secret: string) => `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    const cases: [string, string][] = [
      [await signed({ aud: 'https://other.example' }), 'audience_mismatch'],
      [await signed({ iss: 'https://other.example' }), 'token_issuer_unknown'],
      [await signed({ exp: now }), 'token_expired'],
      [await signed({}, { typ: 'JWT' }), 'token_invalid'],
      [await signed({}, { typ: 'id_token+jwt' }), 'token_invalid'],
      [none, 'token_invalid'],
      [confused(JSON.stringify(key)), 'token_invalid'],
      [confused(await exportSPKI(publicKey)), 'token_invalid'],
      [await forged({}), 'token_invalid'],
      [await forged({ jwk: mine as never }), 'token_invalid'],
      [await forged({ jku: 'https://evil.example/jwks', kid: 'evil' }), 'token_invalid'],
      [await forged({ x5u: 'https://evil.example/x5c', kid: 'evil' }), 'token_invalid'],
    ];
    for (const [token, reason] of cases) expect(await verify(token, now), token).toMatchObject({ reason });
    expect(await verify(await signed({}), now)).toHaveProperty('expiresAt');
  });
});

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

describe('[F43] who vouches for a token', () => {
  const introspection = { endpoint: 'https://as.example/introspect', clientId: 'us & them', isSigned: false };
  const asking = { ...ISSUER, introspection };
  const active = {
    active: true,
    aud: 'payments',
    client_id: 'https://rp.example',
    exp: NOW + 60,
    token_type: 'Bearer',
  };

  function started(listed: Listed = { issuers: [asking] }) {
    const requests = new Answers();
    requests.answer = async () => reply(active);
    return { requests, verify: verifying(new TokenVerifier({ requests, secretOf, monotonicMs }), listed) };
  }

  it('is asked as RFC 7662 and RFC 6749 say, about JWTs as well if it has no keys here', async () => {
    const { requests, verify } = started();
    const jwt = `${encode({ alg: 'ES256' })}.${encode({ iss: ISSUER.issuer })}.AAAA`;
    for (const token of ['opaque~token', jwt]) expect(await verify(token)).toHaveProperty('expiresAt');
    const [[url, asked]] = requests.asked as [Parameters<IssuerRequests['post']>];
    expect(url).toBe(introspection.endpoint);
    expect(asked).toMatchObject({
      accept: ['application/json'],
      authorization: `Basic ${btoa('us+%26+them:secret')}`,
      contentType: 'application/x-www-form-urlencoded',
      body: 'token=opaque%7Etoken&token_type_hint=access_token',
    });
  });

  it('is nobody who could not have issued it', async () => {
    const other = { ...asking, id: 'other', issuer: 'https://other.example' };
    const elsewhere = { ...asking, authorityId: 'elsewhere' };
    for (const issuers of [[], [elsewhere], [asking, other]]) {
      const { requests, verify } = started({ issuers });
      expect(await verify('opaque')).toMatchObject({ reason: 'token_issuer_unknown' });
      expect(requests.asked).toEqual([]);
    }
    const { requests, verify } = started({ issuers: [asking, other], issuerOfApi: other.issuer });
    expect(await verify('opaque')).toHaveProperty('expiresAt');
    expect(requests.asked).toHaveLength(1);
    const jwt = `${encode({ alg: 'ES256' })}.${encode({ iss: ISSUER.issuer })}.AAAA`;
    expect(await verify(jwt)).toMatchObject({ reason: 'token_issuer_unknown' });
    expect(await verify('not a token')).toMatchObject({ reason: 'token_malformed' });
  });

  it.each<[string, () => Promise<IssuerResponse>]>([
    ['refuses us', async () => reply({ error: 'invalid_client' }, 'application/json', 401)],
    ['answers with a page', async () => reply('<html>', 'text/html')],
    ['answers with no JSON', async () => reply('active')],
    ['answers with a list', async () => reply([active])],
    ['answers with bytes', async () => ({ ...reply(''), body: Uint8Array.of(0xff) })],
    ['names a member twice', async () => reply('{"active":true,"active":true}')],
    ['does not answer', () => Promise.reject(new FederationError('timed_out', 'too slow'))],
  ])('leaves it unverifiable if it %s', async (_, answer) => {
    const { requests, verify } = started();
    requests.answer = answer;
    expect(await verify('opaque')).toMatchObject({ reason: 'token_unverifiable' });
  });

  it('may answer whatever it likes: nothing is thrown, and nothing but active counts', async () => {
    const { requests, verify } = started();
    const members = fc.constantFrom(
      'active',
      'aud',
      'exp',
      'nbf',
      'iss',
      'cnf',
      'client_id',
      'token_type',
      '__proto__',
    );
    const odd = fc.dictionary(members, fc.oneof(fc.jsonValue(), fc.constantFrom(true, 'payments', NOW + 1, {})));
    await fc.assert(
      fc.asyncProperty(odd, async (answer) => {
        requests.answer = async () => reply({ ...active, ...answer });
        const verdict = await verify('opaque');
        const isSaidToCount = (answer['active'] ?? true) === true;
        if (!('reason' in verdict)) expect([isSaidToCount, verdict.expiresAt > NOW]).toEqual([true, true]);
      }),
      { numRuns: 300 },
    );
  });

  it('is believed by its signature alone where that is asked for', async () => {
    const signed = { ...asking, jwks: { keys: [] }, introspection: { ...introspection, isSigned: true } };
    const { requests, verify } = started({ issuers: [signed] });
    expect(await verify('opaque')).toMatchObject({ reason: 'token_unverifiable' });
    expect(requests.asked[0]?.[1].accept).toEqual(['application/token-introspection+jwt']);
  });

  it('may sign whatever it likes: nothing is thrown, and nothing counts that it did not sign, for us and of now', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'as', alg: 'ES256' }] } as NonNullable<
      KnownTokenIssuer['jwks']
    >;
    const signed = { ...asking, jwks: keys, introspection: { ...introspection, isSigned: true } };
    const { requests, verify } = started({ issuers: [signed] });
    const good = { iss: ISSUER.issuer, aud: introspection.clientId, iat: NOW, token_introspection: active };
    const header = { alg: 'ES256', typ: 'token-introspection+jwt', kid: 'as' };
    const answerWith = (jwt: string) => {
      requests.answer = async () => reply(jwt, 'application/token-introspection+jwt');
    };
    const sign = (claims: object, others: object = {}) =>
      new SignJWT(claims as JWTPayload).setProtectedHeader({ ...header, ...others }).sign(privateKey);
    const right = await sign(good);
    let asked = 0;
    // Each about another token, so that no answer serves twice.
    const verdict = async (jwt: string) => {
      answerWith(jwt);
      return await verify(`opaque-${++asked}`);
    };
    expect(await verdict(right)).toHaveProperty('expiresAt');
    const wrong = [
      await sign({ ...good, iss: 'https://other.example' }),
      await sign({ ...good, aud: 'another' }),
      await sign({ ...good, iat: NOW - 3600 }),
      await sign({ ...good, iat: NOW + 3600 }),
      await sign(good, { typ: 'at+jwt' }),
      await sign({ ...good, token_introspection: undefined, ...active }),
      JSON.stringify(good),
      JSON.stringify(active),
    ];
    for (const jwt of wrong) expect(await verdict(jwt), jwt).toMatchObject({ reason: 'token_unverifiable' });

    const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(true, NOW, NOW + 60, introspection.clientId, ISSUER.issuer));
    const member = fc.constantFrom('iss', 'aud', 'iat', 'token_introspection', 'exp', 'nbf');
    const said = fc.constantFrom('active', 'aud', 'exp', 'nbf', 'iss', 'cnf', 'client_id', 'token_type', '__proto__');
    const change = fc.tuple(fc.dictionary(member, odd), fc.dictionary(said, odd));
    await fc.assert(
      fc.asyncProperty(change, async ([outer, inner]) => {
        const changed = { ...good, token_introspection: { ...active, ...inner }, ...outer };
        const seen = await verdict(await sign(changed));
        if ('reason' in seen) return;
        const { iss, aud, iat, token_introspection: answer } = changed as typeof good;
        expect([iss, [aud].flat().includes(introspection.clientId), answer.active]).toEqual([
          ISSUER.issuer,
          true,
          true,
        ]);
        expect(Math.abs(iat - NOW)).toBeLessThan(3600);
        expect(seen.expiresAt).toBeGreaterThan(NOW);
      }),
      { numRuns: 200 },
    );
    const parts = right.split('.');
    const torn = fc.oneof(
      fc.nat(right.length - 2).map((length) => right.slice(0, length)),
      fc.tuple(fc.nat(2), fc.base64String()).map(([at, text]) => parts.with(at, text).join('.')),
      fc.dictionary(fc.constantFrom('alg', 'typ', 'kid', 'crit', 'jwk'), odd).map((changes) => {
        return [encode({ ...header, ...changes, x: 1 }), ...parts.slice(1)].join('.');
      }),
      fc.string({ unit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(torn, async (jwt) => {
        expect(await verdict(jwt)).toMatchObject({ reason: expect.stringMatching(/^token_/) });
      }),
      { numRuns: 200 },
    );
  });

  it('has no say any more once it is taken off the list, whatever it was asked before', async () => {
    const listed: { issuers: KnownTokenIssuer[] } = { issuers: [asking] };
    const { requests, verify } = started(listed);
    const { promise, resolve } = Promise.withResolvers<IssuerResponse>();
    for (const issuers of [[], [{ ...asking, audiences: ['accounts'] }]]) {
      listed.issuers = [asking];
      requests.answer = () => promise;
      const verdict = verify(`token-${issuers.length}`);
      listed.issuers = issuers;
      resolve(reply(active));
      expect(await verdict).toMatchObject({ reason: 'token_unverifiable' });
    }
  });

  it('is asked few things by one application at a time, so that others have room', async () => {
    const { requests, verify } = started();
    const { promise, resolve } = Promise.withResolvers<IssuerResponse>();
    requests.answer = () => promise;
    const flood = Array.from({ length: MAX_IN_FLIGHT_OF_ONE }, (_, index) => verify(`token-${index}`));
    expect(await verify('one-more')).toMatchObject({ reason: 'token_unverifiable' });
    const others = [verify('one-more', NOW, 'another'), verify('token-0')];
    resolve(reply(active));
    for (const verdict of [...flood, ...others]) expect(await verdict).toHaveProperty('expiresAt');
    expect(await verify('one-more')).toHaveProperty('expiresAt');
  });

  it('has to say of a token for one API that it is for that one', async () => {
    const both = { ...asking, audiences: ['payments', 'accounts'] };
    const listed: Listed = { issuers: [both], issuerOfApi: both.issuer };
    const requests = new Answers();
    requests.answer = async () => reply(active);
    const verifier = new TokenVerifier({ requests, secretOf, monotonicMs });
    // Asked at once, about the same token.
    const verdicts = [null, 'accounts', 'payments', 'elsewhere'].map((audience) =>
      verifying(verifier, { ...listed, audience })('token'),
    );
    const reasons = (await Promise.all(verdicts)).map((verdict) => ('reason' in verdict ? verdict.reason : 'verified'));
    expect(reasons).toEqual(['verified', 'audience_mismatch', 'verified', 'audience_mismatch']);
    // As it was when the answer came.
    const { promise, resolve } = Promise.withResolvers<IssuerResponse>();
    requests.answer = () => promise;
    const changing: Listed = { ...listed, audience: 'payments' };
    const verdict = verifying(verifier, changing)('token', NOW + 1);
    changing.audience = 'accounts';
    resolve(reply(active));
    expect(await verdict).toMatchObject({ reason: 'token_unverifiable' });
  });

  it('is asked few things at a time, each once in a second, and keeps no answer for later', async () => {
    const { requests, verify } = started();
    const { promise, resolve } = Promise.withResolvers<IssuerResponse>();
    requests.answer = () => promise;
    const flood = Array.from({ length: MAX_IN_FLIGHT }, (_, index) => verify(`token-${index}`, NOW, `app-${index}`));
    expect(await verify('one-more')).toMatchObject({ reason: 'token_unverifiable' });
    const same = verify('token-0');
    resolve(reply(active));
    for (const verdict of [...flood, same]) expect(await verdict).toHaveProperty('expiresAt');
    expect(requests.asked).toHaveLength(MAX_IN_FLIGHT);
    requests.answer = async () => reply({ active: false });
    expect(await verify('token-0')).toMatchObject({ reason: 'token_inactive' });
  });
});

describe('[F43] keys that an authorization server publishes', () => {
  const jwksUri = 'https://as.example/jwks';
  let token: string;
  let later: string;
  let published: { keys: object[] };
  let rolled: { keys: object[] };
  beforeAll(async () => {
    const [first, second] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
    const claims = { iss: ISSUER.issuer, aud: 'payments', exp: NOW + 10 * MAX_STALE_SECONDS };
    const header = { alg: 'ES256', typ: 'at+jwt' };
    token = await new SignJWT(claims).setProtectedHeader({ ...header, kid: '1' }).sign(first.privateKey);
    later = await new SignJWT(claims).setProtectedHeader({ ...header, kid: '2' }).sign(second.privateKey);
    const jwk = { ...(await exportJWK(first.publicKey)), kid: '1' };
    published = { keys: [{ kty: 'oct', kid: 's', k: 'AA' }, { kty: 'EC' }, 7 as never, jwk] };
    rolled = { keys: [{ ...(await exportJWK(second.publicKey)), kid: '2' }] };
  });

  function started() {
    const requests = new Answers();
    requests.answer = async () => reply(published);
    /** Seconds that went by; the clock of the tokens stands still, or goes back. */
    const passed = { seconds: 0 };
    const verifier = new TokenVerifier({ requests, secretOf, monotonicMs: () => passed.seconds * 1000 });
    const listed = { issuers: [{ ...ISSUER, jwksUri }] };
    const verify = verifying(verifier, listed);
    const verifyAfter = async (seconds: number, jwt: string, now = NOW) => {
      passed.seconds = seconds;
      return await verify(jwt, now);
    };
    return { requests, listed, verifyAfter };
  }

  it('are fetched once for all who wait, and kept while they are fresh', async () => {
    const { requests, verifyAfter } = started();
    const verdicts = await Promise.all([verifyAfter(0, token), verifyAfter(0, token), verifyAfter(0, token)]);
    for (const verdict of verdicts) expect(verdict).toHaveProperty('expiresAt');
    await verifyAfter(FRESH_SECONDS - 1, token);
    expect(requests.asked).toHaveLength(1);
    await verifyAfter(FRESH_SECONDS, token);
    expect(requests.asked).toHaveLength(2);
  });

  it('are fetched anew while those that there are verify: nobody waits for them', async () => {
    const { requests, verifyAfter } = started();
    await verifyAfter(0, token);
    const { promise, resolve } = Promise.withResolvers<IssuerResponse>();
    requests.answer = () => promise;
    expect(await verifyAfter(FRESH_SECONDS, token)).toHaveProperty('expiresAt');
    const waiting = verifyAfter(FRESH_SECONDS, later);
    expect(await verifyAfter(FRESH_SECONDS + 1, token)).toHaveProperty('expiresAt');
    resolve(reply(rolled));
    expect(await waiting).toHaveProperty('expiresAt');
    expect(await verifyAfter(FRESH_SECONDS + 2, token)).toMatchObject({ reason: 'token_invalid' });
    expect(requests.asked).toHaveLength(2);
  });

  it('are fetched anew for a kid that is not there, but not for every forged one', async () => {
    const { requests, verifyAfter } = started();
    await verifyAfter(0, token);
    requests.answer = async () => reply(rolled);
    for (let at = 1; at < RETRY_SECONDS; at++)
      expect(await verifyAfter(at, later)).toMatchObject({ reason: 'token_invalid' });
    expect(requests.asked).toHaveLength(1);
    expect(await verifyAfter(RETRY_SECONDS, later)).toHaveProperty('expiresAt');
    expect(await verifyAfter(RETRY_SECONDS, token)).toMatchObject({ reason: 'token_invalid' });
    expect(requests.asked).toHaveLength(2);
  });

  it('that cannot be fetched anew verify for a quarter of an hour and no longer, whatever the clock is set to', async () => {
    const { requests, verifyAfter } = started();
    await verifyAfter(0, token);
    requests.answer = () => Promise.reject(new FederationError('connection_failed', 'nobody there'));
    expect(await verifyAfter(MAX_STALE_SECONDS - 1, token)).toHaveProperty('expiresAt');
    for (const now of [NOW, NOW - 86_400, NOW + 60]) {
      expect(await verifyAfter(MAX_STALE_SECONDS, token, now)).toMatchObject({ reason: 'token_unverifiable' });
    }
    expect(requests.asked).toHaveLength(2);
  });

  it('are forgotten with the record of their issuer', async () => {
    const { requests, listed, verifyAfter } = started();
    await verifyAfter(0, token);
    requests.answer = async () => reply(rolled);
    listed.issuers = [{ ...ISSUER, jwksUri }];
    expect(await verifyAfter(1, token)).toMatchObject({ reason: 'token_invalid' });
    expect(requests.asked).toHaveLength(2);
  });

  it.each<[string, IssuerResponse]>([
    ['an error', reply({ keys: [] }, 'application/json', 500)],
    ['no JSON', reply('keys')],
    ['no keys', reply({ keys: [] })],
    ['too many keys', reply({ keys: Array.from({ length: 101 }, () => ({ kty: 'EC' })) })],
  ])('are none where there is %s', async (_, answer) => {
    const { requests, verifyAfter } = started();
    requests.answer = async () => answer;
    expect(await verifyAfter(0, token)).toMatchObject({ reason: 'token_unverifiable' });
    expect(await verifyAfter(1, token)).toMatchObject({ reason: 'token_unverifiable' });
    expect(requests.asked).toHaveLength(1);
  });
});
