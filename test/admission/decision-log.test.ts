import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { type AskedDecision, DecisionLog } from '../../src/admission/decision-log.ts';
import type { LoggedDecision } from '../../src/registry/decisions/decision-chain.ts';
import { NOW, ORGANISATION, PARTICIPANT } from '../support/admission.ts';

const API_ID = '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f';

const freshX5t = () => randomBytes(32).toString('base64url');

function asked({
  point,
  request,
  decision,
}: { [Part in keyof AskedDecision]?: Partial<AskedDecision[Part]> } = {}): AskedDecision {
  return {
    point: { id: 'point', authorityId: 'authority', apiId: null, allowSample: 0, ...point },
    request: { certificate: { x5tS256: 'c'.repeat(43) }, ...request },
    decision: {
      ...{ decision: 'deny', reasons: ['unknown_participant'], participant: undefined, onBehalfOf: undefined },
      ...{ seq: 7, evaluatedAt: NOW, isTokenJudged: false, ...decision },
    },
  };
}

const SUSPENDED: Partial<AskedDecision['decision']> = {
  reasons: ['suspended'],
  participant: { application: PARTICIPANT, organisation: ORGANISATION },
};

/** A log, and what it saved; `fails` says whether it may not for the moment. */
function openLog(fails: () => boolean = () => false, random = () => 0.5) {
  const saved: LoggedDecision[] = [];
  const attempts: (readonly LoggedDecision[])[] = [];
  const errors: unknown[] = [];
  const save = async (logged: readonly LoggedDecision[]) => {
    attempts.push(logged);
    if (fails()) throw new Error('the database is away');
    saved.push(...logged);
  };
  const log = new DecisionLog({ save, onError: (error) => errors.push(error), random });
  return { log, saved, attempts, errors };
}

const totalOf = (rows: readonly LoggedDecision[]) => rows.reduce((sum, { count }) => sum + count, 0);

it('counts equal decisions of a second in one row, and keeps others apart', async () => {
  const { log, saved } = openLog();
  for (let times = 0; times < 3; times++) log.note(asked());
  const judged = { decision: { ...SUSPENDED, reasons: ['token_expired'], isTokenJudged: true } } as const;
  log.note(asked({ ...judged, request: { token: 'one token' } }));
  log.note(asked({ ...judged, request: { token: 'another token' } }));
  log.note(asked({ decision: { seq: 8 } }));
  log.note(asked({ decision: SUSPENDED }));
  await log.flush();
  log.note(asked());
  await log.flush();
  expect(saved.map(({ count }) => count)).toEqual([3, 1, 1, 1, 1, 1]);
  expect(saved[4]).toMatchObject({ entityId: PARTICIPANT.id, organisationId: ORGANISATION.id, reasons: ['suspended'] });
  expect(JSON.stringify(saved)).not.toContain('one token');
});

it('keeps nothing that callers made up', async () => {
  const { log, saved } = openLog();
  log.note(asked({ request: { certificate: { x5tS256: 'made up' }, api: 'made up' } }));
  log.note(asked({ request: { certificate: 'malformed', api: API_ID } }));
  await log.flush();
  expect(saved).toMatchObject([
    { certificateSha256: null, apiId: null },
    { certificateSha256: null, apiId: API_ID },
  ]);
});

it.each([
  { allowSample: 0, random: 0, count: 0 },
  { allowSample: 1, random: 0.99, count: 1 },
  { allowSample: 10, random: 0.05, count: 1 },
  { allowSample: 10, random: 0.15, count: 0 },
])('keeps $count of an allow where one in $allowSample counts', async ({ allowSample, random, count }) => {
  const { log, saved } = openLog(undefined, () => random);
  log.note(asked({ point: { allowSample }, decision: { decision: 'allow', reasons: [] } }));
  log.note(asked({ point: { allowSample } }));
  await log.flush();
  expect(saved.filter(({ decision }) => decision === 'allow')).toHaveLength(count);
  expect(saved.filter(({ decision }) => decision === 'deny')).toHaveLength(1);
});

it('stays small under a flood of certificates, counts it all, and still tells whom it knows', async () => {
  const { log, saved } = openLog();
  for (let each = 0; each < 20_000; each++) log.note(asked({ request: { certificate: { x5tS256: freshX5t() } } }));
  log.note(asked({ decision: SUSPENDED }));
  await log.flush();
  expect(saved).toHaveLength(22);
  expect(totalOf(saved)).toBe(20_001);
  expect(saved.at(-2)).toMatchObject({ count: 19_980, certificateSha256: null, reasons: ['unknown_participant'] });
  expect(saved.at(-1)).toMatchObject({ count: 1, entityId: PARTICIPANT.id, reasons: ['suspended'] });
});

it('has one row of a flood of tokens that nobody looked at', async () => {
  const { log, saved } = openLog();
  const stranger = { certificate: 'none', token: '' } as const;
  for (let each = 0; each < 2_000; each++) log.note(asked({ request: { ...stranger, token: `made up ${each}` } }));
  for (let each = 0; each < 2_000; each++)
    log.note(asked({ decision: SUSPENDED, request: { token: `of his ${each}` } }));
  await log.flush();
  expect(saved).toMatchObject([
    { count: 2_000, tokenSha256: null, entityId: null },
    { count: 2_000, tokenSha256: null, entityId: PARTICIPANT.id },
  ]);
});

it('leaves the others their detail when one enforcement point is flooded', async () => {
  const { log, saved } = openLog();
  const judged = { ...SUSPENDED, isTokenJudged: true };
  const flooded = { id: 'flooded' };
  for (let each = 0; each < 5_000; each++) {
    log.note(asked({ point: flooded, request: { certificate: { x5tS256: freshX5t() } } }));
    log.note(asked({ point: flooded, decision: judged, request: { token: `token ${each}` } }));
  }
  for (let each = 0; each < 100; each++) log.note(asked({ decision: judged, request: { token: `token ${each}` } }));
  for (let each = 0; each < 10; each++) log.note(asked({ request: { certificate: { x5tS256: freshX5t() } } }));
  await log.flush();
  expect(saved.filter(({ enforcementPointId }) => enforcementPointId === 'point')).toHaveLength(110);
  const ofFlooded = saved.filter(({ enforcementPointId }) => enforcementPointId === 'flooded');
  expect(ofFlooded).toHaveLength(20 + 1 + 200 + 1);
  expect(totalOf(ofFlooded)).toBe(10_000);
});

it('has a bound for all enforcement points together', async () => {
  const { log, saved } = openLog();
  for (let each = 0; each < 100; each++) {
    for (let shown = 0; shown < 50; shown++) {
      log.note(asked({ point: { id: `point ${each}` }, request: { certificate: { x5tS256: freshX5t() } } }));
    }
  }
  await log.flush();
  expect(saved.length).toBeLessThanOrEqual(200 + 100);
  expect(totalOf(saved)).toBe(5_000);
});

it('sends the same rows again first, since nobody knows how far they came', async () => {
  let isAway = true;
  const { log, saved, attempts, errors } = openLog(() => isAway);
  log.note(asked());
  await log.flush();
  log.note(asked({ decision: SUSPENDED }));
  await log.flush();
  isAway = false;
  await log.flush();
  expect(errors).toHaveLength(1);
  expect(attempts.map((rows) => rows.length)).toEqual([1, 1, 1, 1]);
  expect(attempts[2]).toBe(attempts[0]);
  expect(saved.map(({ reasons }) => reasons)).toEqual([['unknown_participant'], ['suspended']]);
});

it('sums up what waits while the database is away for long, and loses none of it', async () => {
  let isAway = true;
  const { log, saved } = openLog(() => isAway);
  for (let second = 0; second < 60; second++) {
    for (let each = 0; each < 300; each++) {
      log.note(asked({ decision: SUSPENDED, request: { certificate: { x5tS256: freshX5t() } } }));
    }
    log.note(asked());
    await log.flush();
  }
  isAway = false;
  await log.flush();
  expect(saved.length).toBeLessThan(10_000);
  expect(totalOf(saved)).toBe(60 * 301);
  expect(totalOf(saved.filter(({ entityId }) => entityId === PARTICIPANT.id))).toBe(60 * 300);
});
