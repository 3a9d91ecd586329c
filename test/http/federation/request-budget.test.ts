import { describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { type Account, RequestBudget } from '../../../src/http/federation/request-budget.ts';
import { ManualClock } from '../../support/federation.ts';
import { refusal } from '../../support/refusal.ts';

interface Wanted {
  account: Account;
  url: string;
  isKnown?: boolean;
}

const subject = (index: number) => `https://subject-${index}.example` as EntityIdentifier;
const host = (index: number) => `https://host-${index}.example/path?sub=${index}`;
const member = (index: number): Account => ({ kind: 'anybody', subject: subject(index), isVouchedFor: true });
const stranger = (index: number): Account => ({ kind: 'anybody', subject: subject(index), isVouchedFor: false });

/** Sends requests of evaluations of one request each. */
function take(budget: RequestBudget, { account, url, isKnown = false }: Wanted): string {
  return refusal(() => budget.begin(account)(url, isKnown));
}

/** Wants to send many requests in each second of a minute, and counts those that it may. */
function sentInAMinute(budget: RequestBudget, clock: ManualClock, request: (index: number) => Wanted): number {
  let sent = 0;
  for (let index = 0; index < 60 * 200; index++) {
    if (index % 200 === 0) clock.advance(1);
    if (take(budget, request(index)) === 'accepted') sent++;
  }
  return sent;
}

describe('the requests for what was never obtained', () => {
  it.each([
    ['for one subject', 128, 192, (index: number) => ({ account: member(0), url: host(index) })],
    ['to one host', 64, 128, (index: number) => ({ account: member(index), url: host(0) })],
    ['for strangers', 600, 1_200, (index: number) => ({ account: stranger(index), url: host(index) })],
    ['for subjects vouched for here', 3_000, 6_000, (index: number) => ({ account: member(index), url: host(index) })],
    ['to one host in the background', 64, 128, () => ({ account: { kind: 'background' } as const, url: host(0) })],
  ])('are bounded %s', (_, atOnce, inAMinute, request) => {
    const clock = new ManualClock();
    const sent = sentInAMinute(new RequestBudget(clock), clock, request);
    expect([sent > atOnce, sent <= inAMinute]).toEqual([true, true]);
  });

  it('to one host are bounded for all that anybody causes together', () => {
    const budget = new RequestBudget(new ManualClock());
    const outcomes = Array.from({ length: 100 }, (_, index) =>
      take(budget, { account: index % 2 === 0 ? stranger(index) : { kind: 'background' }, url: host(0) }),
    );
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(64);
  });

  it('are counted by the host alone, whatever the port', () => {
    const budget = new RequestBudget(new ManualClock());
    const outcomes = Array.from({ length: 100 }, (_, index) =>
      take(budget, { account: member(index), url: `http://victim.example:${1000 + index}/${index}` }),
    );
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(64);
    expect(outcomes.at(-1)).toBe('budget_exhausted');
  });

  it('that are refused take nothing from anybody', () => {
    const budget = new RequestBudget(new ManualClock());
    const ask = (by: number, at: number) => take(budget, { account: member(by), url: host(at) });
    for (let count = 0; count < 64; count++) expect(ask(0, 0)).toBe('accepted');
    for (let count = 0; count < 200; count++) expect(ask(1, 0)).toBe('budget_exhausted');
    for (let count = 0; count < 64; count++) expect(ask(1, 1)).toBe('accepted');
    for (let count = 0; count < 64; count++) expect(ask(1, 2)).toBe('accepted');
    expect(ask(1, 3)).toBe('budget_exhausted');
  });

  it('of strangers leave those of subjects vouched for here alone', () => {
    const budget = new RequestBudget(new ManualClock());
    for (let index = 0; index < 600; index++) {
      expect(take(budget, { account: stranger(index), url: host(index) })).toBe('accepted');
    }
    const more = [stranger(1_000), member(1_001)].map((account, at) => take(budget, { account, url: host(at) }));
    expect(more).toEqual(['budget_exhausted', 'accepted']);
  });

  it('do not count the configuration of a subject vouched for here as one at a third host', () => {
    const budget = new RequestBudget(new ManualClock());
    const at = (index: number) => `https://platform.example/member-${index}` as EntityIdentifier;
    const ask = (index: number, isVouchedFor: boolean, path = '') =>
      take(budget, {
        account: { kind: 'anybody', subject: at(index), isVouchedFor },
        url: `${at(index)}${path}/.well-known/openid-federation`,
      });
    for (let index = 0; index < 1_000; index++) expect(ask(index, true)).toBe('accepted');
    for (let index = 0; index < 64; index++) expect(ask(index, true, '/another')).toBe('accepted');
    expect([ask(0, true, '/another'), ask(0, false), ask(0, true)]).toEqual([
      'budget_exhausted',
      'budget_exhausted',
      'accepted',
    ]);
  });

  it('of one caller to one host are bounded beyond the first of each evaluation, and so are those of all callers', () => {
    const budget = new RequestBudget(new ManualClock());
    const evaluate = (caller: string, requests: number) => {
      const onRequest = budget.begin({ kind: 'named', caller });
      return Array.from({ length: requests }, () => refusal(() => onRequest(host(0), false)));
    };
    const accepted = (outcomes: string[]) => outcomes.filter((outcome) => outcome === 'accepted').length;
    for (let count = 0; count < 1_000; count++) expect(evaluate('first', 1)).toEqual(['accepted']);
    expect(accepted(evaluate('first', 2_000))).toBe(1 + 600);
    expect(accepted(evaluate('second', 2_000))).toBe(1 + 600);
    expect(accepted(evaluate('third', 2_000))).toBe(1);
  });

  it('are as many as configured', () => {
    const budget = new RequestBudget(new ManualClock(), { hostPerMinute: 6, strangersPerMinute: 10 });
    const sent = (at: (index: number) => number) =>
      Array.from({ length: 20 }, (_, index) => take(budget, { account: stranger(index), url: host(at(index)) }));
    const accepted = (outcomes: string[]) => outcomes.filter((outcome) => outcome === 'accepted').length;
    expect([accepted(sent(() => 0)), accepted(sent((index) => index + 1))]).toEqual([3, 2]);
  });

  it('are remembered in bounded memory', () => {
    const budget = new RequestBudget(new ManualClock(), {}, 100);
    for (let index = 0; index < 2_000; index++) take(budget, { account: member(index), url: host(index) });
    expect(budget.size).toBe(100);
  });
});

it('what was obtained before is asked for again whatever else was sent', () => {
  const budget = new RequestBudget(new ManualClock());
  for (let index = 0; index < 100; index++) take(budget, { account: stranger(index), url: host(0) });
  for (let index = 0; index < 10_000; index++) {
    expect(take(budget, { account: stranger(0), url: host(0), isKnown: true })).toBe('accepted');
  }
});
