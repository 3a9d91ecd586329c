import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrustMarkEntry } from '../../../src/federation/statement/entity-statement.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import { pinTrustAnchor } from '../../../src/registry/trust-anchors/pin-trust-anchor.ts';
import { claimsOf, jwtOf } from '../../support/answers.ts';
import type { Claims, TestFederation } from '../../support/federation.ts';
import { type FederationServer, serveFederation } from '../../support/federation-server.ts';
import { startTestService, type TestService, urlOf } from '../../support/service.ts';
import {
  AUDITED,
  bear,
  delegation,
  entry,
  MEMBER,
  recognise,
  serveStatus,
  statusAnswer,
  statusMetadata,
  trustMark,
} from '../../support/trust-marks.ts';

const LIFETIME_SECONDS = 3600;

let service: TestService;
let socket: Awaited<ReturnType<TestService['listen']>>;
let authority: Authority;
/** A Trust Anchor of others that recognises marks, an issuer that answers for their status, and who bears them. */
let server: FederationServer;
let federation: TestFederation;
/** What the issuer says about all of its marks. */
let status: string;

beforeAll(async () => {
  service = await startTestService('embedded');
  socket = await service.listen();
});

beforeEach(async () => {
  const entityIdentifier = `${socket.origin}/${crypto.randomUUID()}`;
  authority = await service.authority({ entityIdentifier, resolveLifetimeSeconds: LIFETIME_SECONDS });
  server = await serveFederation(
    {
      anchor: {},
      issuer: { superiors: ['anchor'], metadata: statusMetadata },
      expelled: {},
      owner: {},
      rp: { superiors: [entityIdentifier, 'anchor'], metadata: { openid_relying_party: {} } },
    },
    { clock: service.clock },
  );
  federation = server.federation;
  recognise(federation, {
    issuers: { [MEMBER]: ['issuer', 'expelled'], [AUDITED]: ['issuer'] },
    owners: { [AUDITED]: 'owner' },
  });
  status = 'active';
  serveStatus(server, 'issuer', async (mark) => ({ body: await statusAnswer(federation, 'issuer', mark, status) }));
  await service.admit(await service.organisation(authority), federation, 'rp');
  const pin = { entityIdentifier: federation.id('anchor'), jwks: federation.jwks('anchor') };
  await pinTrustAnchor(service.context(), authority.id, pin);
});

afterEach(async () => {
  expect(service.failures).toEqual([]);
  await server[Symbol.asyncDispose]();
});

afterAll(async () => {
  await socket[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

/** Asks the endpoint over its socket for what bears these marks, and gives the claims of the answer. */
async function resolve(...marks: TrustMarkEntry[]): Promise<Claims> {
  if (marks.length > 0) bear(federation, 'rp', ...marks);
  const query = { sub: federation.id('rp'), trust_anchor: federation.id('anchor') };
  const response = await fetch(urlOf(authority, 'resolve', query));
  return claimsOf(await jwtOf(response, 'application/resolve-response+jwt'));
}

function mark(claims: Claims = {}, issuer = 'issuer'): Promise<TrustMarkEntry> {
  return trustMark(federation, issuer, 'rp', MEMBER, { claims }).then((jwt) => entry(jwt));
}

describe('the answer of resolve about an entity with Trust Marks', () => {
  it('[OIDFED-8.3-8] ends with the first of them, where that is before its chain', async () => {
    const now = service.clock.now();
    const [long, short] = [await mark({ exp: now + 900 }), await mark({ exp: now + 600 })];
    expect(await resolve(long, short)).toMatchObject({ exp: now + 600, trust_marks: [long, short] });
  });

  it('[OIDFED-8.3-8] ends with the delegation, or the chain, of an issuer that ends before its mark', async () => {
    const now = service.clock.now();
    const short = await delegation(federation, 'owner', 'issuer', AUDITED, { claims: { exp: now + 500 } });
    const delegated = await trustMark(federation, 'issuer', 'rp', AUDITED, { claims: { delegation: short } });
    federation.entity('issuer').superiors = new Map([['anchor', { exp: now + 400 }]]);
    const marks = [entry(delegated, AUDITED)];
    expect(await resolve(...marks)).toMatchObject({ exp: now + 400, trust_marks: marks });
    federation.entity('issuer').superiors = new Map([['anchor', {}]]);
    service.clock.advance(401);
    expect(await resolve()).toMatchObject({ exp: now + 500, trust_marks: marks });
  });

  it('[OIDFED-8.3-8] ends with its chain, where a mark lives longer or for ever, and whatever became of marks left out', async () => {
    const now = service.clock.now();
    const marks = [await mark({ exp: now + 86_400 }), await mark({ exp: undefined })];
    const stolen = await mark({ exp: now + 60, sub: federation.id('owner') });
    const foreign = await mark({ exp: now + 60 }, 'owner');
    expect(await resolve(...marks, stolen, foreign)).toMatchObject({ exp: now + LIFETIME_SECONDS, trust_marks: marks });
  });

  it('[OIDFED-8.3-8] has a life although a mark, a delegation or the chain of an issuer has just ended: the mark is left out', async () => {
    const now = service.clock.now();
    const ended = { claims: { exp: now - 10 } };
    const jwt = await delegation(federation, 'owner', 'issuer', AUDITED, ended);
    const delegated = await trustMark(federation, 'issuer', 'rp', AUDITED, { claims: { delegation: jwt } });
    const lasting = await mark();
    expect(
      await resolve(await mark({ exp: now }), await mark(ended.claims), lasting, entry(delegated, AUDITED)),
    ).toMatchObject({ exp: now + LIFETIME_SECONDS, trust_marks: [lasting] });
    federation.entity('issuer').superiors = new Map([['anchor', { exp: now + 340 }]]);
    service.clock.advance(350);
    const claims = await resolve();
    expect(claims).toMatchObject({ exp: now + 350 + LIFETIME_SECONDS });
    expect(claims).not.toHaveProperty('trust_marks');
  });

  it('[OIDFED-8.3-9] has the marks that hold, as they were shown, and no others', async () => {
    const now = service.clock.now();
    const good = await mark();
    const unrecognised = `${MEMBER}/unheard-of`;
    const bad = await Promise.all([
      trustMark(federation, 'issuer', 'rp', unrecognised).then((jwt) => entry(jwt, unrecognised)),
      mark({}, 'owner'),
      mark({}, 'expelled'),
      mark({ exp: now - 31 }),
      mark({ iat: now + 31 }),
      mark({ sub: federation.id('issuer') }),
      trustMark(federation, 'issuer', 'rp', AUDITED).then((jwt) => entry(jwt, AUDITED)),
      trustMark(federation, 'issuer', 'rp', MEMBER, { key: federation.entity('owner').keys[0] }).then((jwt) =>
        entry(jwt),
      ),
    ]);
    const claims = await resolve(...bad, { ...good, note: 'shown with more members' } as TrustMarkEntry);
    expect(claims['trust_marks']).toEqual([good]);
    expect(claims['metadata']).toHaveProperty('openid_relying_party');
    expect(claims['trust_chain']).toHaveLength(3);
  });

  it('[OIDFED-8.3-9] has marks that their issuer says are active only', async () => {
    const marks = [await mark()];
    expect(await resolve(...marks)).toMatchObject({ trust_marks: marks });
    for (status of ['revoked', 'expired', 'invalid', 'ACTIVE']) {
      service.clock.advance(61);
      expect(await resolve()).not.toHaveProperty('trust_marks');
    }
    status = 'active';
    service.clock.advance(61);
    expect(await resolve()).toMatchObject({ trust_marks: marks });
  });

  it('[OIDFED-8.3-9] has no mark whose issuer cannot be asked, until it can', async () => {
    const url = `${federation.id('issuer')}/status`;
    const marks = [await mark()];
    server.override(url, { status: 503 });
    expect(await resolve(...marks)).not.toHaveProperty('trust_marks');
    serveStatus(server, 'issuer', async (jwt) => ({ body: await statusAnswer(federation, 'issuer', jwt) }));
    service.clock.advance(61);
    expect(await resolve()).toMatchObject({ trust_marks: marks });
  });

  it('[OIDFED-8.3-9] has no mark that the Trust Anchor no longer recognises', async () => {
    const marks = [await mark()];
    expect(await resolve(...marks)).toMatchObject({ trust_marks: marks });
    recognise(federation, { issuers: { [MEMBER]: ['expelled'] } });
    service.clock.advance(301);
    expect(await resolve()).not.toHaveProperty('trust_marks');
  });
});
