import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutboundClient } from '../../src/outbound/outbound-client.ts';
import type { Resolution } from '../../src/resolver/resolution.ts';
import { createResolver } from '../../src/resolver/resolver.ts';
import { TrustMarkStatusClient } from '../../src/resolver/trust-mark-status.ts';
import { ManualClock, NOW } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testClient } from '../support/outbound.ts';
import { AUDITED, MEMBER, recognise, trustMark } from '../support/trust-marks.ts';

let clock: ManualClock;
let server: FederationServer;
let outbound: OutboundClient;

beforeEach(async () => {
  clock = new ManualClock();
  outbound = testClient();
  server = await serveFederation(
    { anchor: {}, issuer: { superiors: ['anchor'] }, stranger: {}, op: { superiors: ['anchor'] } },
    { clock },
  );
  recognise(server.federation, { issuers: { [MEMBER]: ['issuer'] } });
});

afterEach(async () => {
  await outbound[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

async function resolve(marks: { trust_mark_type: string; trust_mark: string }[]): Promise<Resolution> {
  const { federation } = server;
  federation.entity('op').claims = { trust_marks: marks };
  const trustMarkStatus = new TrustMarkStatusClient({ outbound, clock });
  const resolver = createResolver({ outbound, clock, trustMarkStatus });
  const outcome = await resolver.resolve({
    subject: federation.id('op'),
    trustAnchors: federation.trustAnchors('anchor'),
  });
  if ('resolved' in outcome) return outcome.resolved;
  throw new Error(`not resolved: ${JSON.stringify(outcome.attempts)}`);
}

const typed = async (type: string, issuer: string, claims: object = {}) => ({
  trust_mark_type: type,
  trust_mark: await trustMark(server.federation, issuer, 'op', type, { claims: { ...claims } }),
});

describe('the Trust Marks of a resolved entity', () => {
  it('[OIDFED-8.3-9] [OIDFED-7.3-1] are those of recognised types by trusted issuers; the others have their reasons', async () => {
    const good = await typed(MEMBER, 'issuer');
    const resolution = await resolve([good, await typed(MEMBER, 'stranger'), await typed(AUDITED, 'issuer')]);
    expect(resolution.trustMarks).toMatchObject([{ ...good, issuer: server.federation.id('issuer') }]);
    expect(resolution.refusedTrustMarks.map(({ reason, at }) => [reason, at.split(' ')[0]])).toEqual([
      ['trust_mark_issuer_not_trusted', '/trust_marks/1/trust_mark'],
      ['trust_mark_type_unrecognised', '/trust_marks/2/trust_mark'],
    ]);
  });

  it('[OIDFED-8.3-8] end the resolution when they expire first', async () => {
    const resolution = await resolve([await typed(MEMBER, 'issuer', { exp: NOW + 600 })]);
    expect(resolution.expiresAt).toBe(NOW + 600);
    expect((await resolve([])).expiresAt).toBe(NOW + 3600);
  });

  it('never break the chain, whatever is wrong with them and their issuer', async () => {
    server.override(server.configurationUrl('issuer'), { status: 500 });
    const resolution = await resolve([await typed(MEMBER, 'issuer')]);
    expect(resolution).toMatchObject({
      trustMarks: [],
      refusedTrustMarks: [{ reason: 'trust_mark_issuer_unresolved', retryable: true }],
    });
    expect(resolution.metadata).toHaveProperty('federation_entity');
  });

  it('count although another branch never ends', async () => {
    const { federation } = server;
    server.override(server.configurationUrl('stranger'), { neverAnswers: true });
    federation.entity('op').superiors = new Map([
      ['stranger', {}],
      ['anchor', {}],
    ]);
    federation.entity('op').claims = { trust_marks: [await typed(MEMBER, 'issuer')] };
    const request = { subject: federation.id('op'), trustAnchors: federation.trustAnchors('anchor') };
    const patient = createResolver({ outbound, clock, timeoutMs: 1200, requestTimeoutMs: 1200 });
    expect(await patient.resolve(request)).toMatchObject({ resolved: { trustMarks: [{ trust_mark_type: MEMBER }] } });
    // Where no answer came in the time of one, that is known: the next resolution does not wait for it again.
    const resolver = createResolver({ outbound, clock, timeoutMs: 1200 });
    expect(await resolver.resolve(request)).toMatchObject({ resolved: { trustMarks: [{ trust_mark_type: MEMBER }] } });
    const asked = server.requests.length;
    expect(await resolver.resolve(request)).toHaveProperty('resolved');
    expect(server.requests).toHaveLength(asked);
  });
});
