import { expect, it } from 'vitest';
import { Admission, type AdmissionOptions, type AskedAdmission } from '../../src/admission/admission.ts';
import type { ChainVerdict, TokenVerdict } from '../../src/admission/admission-question.ts';
import { CERTIFICATE, type Known, NOW, PARTICIPANT, TOKEN } from '../support/admission.ts';
import { POINT, stateWith } from '../support/admission-doors.ts';

const CHAIN = { trustAnchor: 'https://anchor.example', trustMarkTypes: ['https://mark.example'], expiresAt: NOW + 60 };
const REQUEST = { certificate: { x5tS256: CERTIFICATE.x5tS256 }, token: 'token' };

/** Admission over a registry and a clock that tests change while others are asked. */
function opened(others: { verify?: () => TokenVerdict; resolve?: () => ChainVerdict } = {}) {
  const world = {
    known: {} as Known,
    points: [POINT],
    now: NOW,
    observed: [] as AskedAdmission[],
    errors: [] as unknown[],
  };
  const asked: unknown[] = [];
  const options: AdmissionOptions = {
    index: { at: (ageSeconds) => stateWith(world.points, { ageSeconds, ...world.known }) },
    ageMs: () => 1000,
    clock: { now: () => world.now },
    tokens: {
      verify: async (token, { apiId }) => {
        asked.push({ token, apiId });
        return (others.verify ?? (() => TOKEN))();
      },
    },
    chains: {
      resolve: async ({ id, authorityId }, entityIdentifier) => {
        asked.push({ id, authorityId, entityIdentifier });
        return (others.resolve ?? (() => CHAIN))();
      },
    },
    observe: (one) => void world.observed.push(one),
    onError: (error) => void world.errors.push(error),
  };
  return { world, asked, admission: new Admission(options) };
}

it('[F40] answers at once where nobody has to be asked, and is heard of once', () => {
  const { world, asked, admission } = opened();
  const { certificate } = REQUEST;
  expect(admission.ask(POINT, { certificate })).toMatchObject({ decision: 'allow', validUntil: NOW + 9 });
  expect(admission.ask(POINT, { certificate: 'none', token: 'x' })).toMatchObject({ reasons: ['certificate_missing'] });
  expect(admission.consider(POINT, { certificate })).toMatchObject({ decision: 'allow' });
  expect(asked).toEqual([]);
  expect(world.observed.map(({ decision: { decision } }) => decision)).toEqual(['allow', 'deny']);
});

it('asks about evidence in its order, each once, and only about who would be admitted otherwise', async () => {
  const { asked, admission } = opened();
  const entityId = PARTICIPANT.entityIdentifier;
  const answer = await admission.ask(POINT, { ...REQUEST, entityId, api: 'payments' });
  expect(answer).toMatchObject({ decision: 'allow', chain: CHAIN });
  expect(asked).toEqual([
    { token: 'token', apiId: 'payments' },
    { id: POINT.id, authorityId: POINT.authorityId, entityIdentifier: entityId },
  ]);
  const { asked: none, admission: other } = opened();
  expect(await other.ask(POINT, { ...REQUEST, entityId: 'https://victim.example' })).toMatchObject({
    reasons: ['entity_mismatch'],
  });
  expect(none).toEqual([]);
});

it.each<[string, string, Partial<Pick<ReturnType<typeof opened>['world'], 'known' | 'points' | 'now'>>]>([
  ['who was suspended meanwhile', 'suspended', { known: { application: { state: 'suspended' } } }],
  ['at a point that was removed meanwhile', 'enforcement_point_ended', { points: [] }],
  [
    'at a point that is for another environment meanwhile',
    'wrong_environment',
    { points: [{ ...POINT, environment: 'sandbox' }] },
  ],
  ['whose token ended meanwhile', 'token_expired', { now: TOKEN.expiresAt }],
])('denies %s, while others were asked', async (_, reason, changes) => {
  const { world, admission } = opened({
    verify: () => {
      Object.assign(world, changes);
      return TOKEN;
    },
  });
  expect(await admission.ask(POINT, REQUEST)).toMatchObject({ decision: 'deny', reasons: [reason] });
});

it('denies where those who are asked fail, and says so to who runs the service', async () => {
  const fails = () => {
    throw new Error('a bug');
  };
  const { world, admission } = opened({ verify: fails });
  expect(await admission.ask(POINT, REQUEST)).toMatchObject({ reasons: ['token_unverifiable'] });
  const chained = opened({ resolve: fails });
  const request = { ...REQUEST, entityId: PARTICIPANT.entityIdentifier };
  expect(await chained.admission.ask(POINT, request)).toMatchObject({ reasons: ['trust_chain_unavailable'] });
  expect([world.errors, chained.world.errors]).toEqual([[new Error('a bug')], [new Error('a bug')]]);
});

it('asks about a token again if whoever vouched for it was taken off the list while the chain was resolved', async () => {
  let isListed = true;
  const believed = { ...TOKEN, isStillBelieved: () => isListed };
  const { asked, admission } = opened({
    verify: () => (isListed ? believed : { reason: 'token_issuer_unknown', detail: 'not listed' }),
    resolve: () => {
      isListed = false;
      return CHAIN;
    },
  });
  const request = { ...REQUEST, entityId: PARTICIPANT.entityIdentifier };
  expect(await admission.ask(POINT, request)).toMatchObject({ decision: 'deny', reasons: ['token_issuer_unknown'] });
  expect(asked).toHaveLength(3);
});
