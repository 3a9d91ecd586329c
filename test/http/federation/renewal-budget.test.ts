import { describe, expect, it } from 'vitest';
import type { EntityIdentifier } from '../../../src/federation/identifiers.ts';
import { RenewalBudget } from '../../../src/http/federation/renewal-budget.ts';
import { ManualClock } from '../../support/federation.ts';
import { refusal } from '../../support/refusal.ts';

const subject = (index: number) => `https://subject-${index}.example` as EntityIdentifier;
const host = (index: number) => `https://host-${index}.example/path?sub=${index}`;

/** Wants to send many requests in each second of a minute, and counts those that it may. */
function sentInAMinute(
  budget: RenewalBudget,
  clock: ManualClock,
  request: (index: number) => Parameters<RenewalBudget['take']>[0],
): number {
  let sent = 0;
  for (let index = 0; index < 60 * 200; index++) {
    if (index % 200 === 0) clock.advance(1);
    if (refusal(() => budget.take(request(index))) === 'accepted') sent++;
  }
  return sent;
}

describe('the requests that renewals may send', () => {
  it.each([
    ['of one subject', 128, 192, (index: number) => ({ subject: subject(0), isVouchedFor: true, url: host(index) })],
    ['to one host', 64, 128, (index: number) => ({ subject: subject(index), isVouchedFor: true, url: host(0) })],
    [
      'of strangers',
      600,
      1_200,
      (index: number) => ({ subject: subject(index), isVouchedFor: false, url: host(index) }),
    ],
    [
      'of subjects vouched for here',
      3_000,
      6_000,
      (index: number) => ({ subject: subject(index), isVouchedFor: true, url: host(index) }),
    ],
  ])('are bounded %s', (_, atOnce, inAMinute, request) => {
    const clock = new ManualClock();
    const sent = sentInAMinute(new RenewalBudget(clock), clock, request);
    expect([sent > atOnce, sent <= inAMinute]).toEqual([true, true]);
  });

  it('are counted by the host alone, whatever the port', () => {
    const budget = new RenewalBudget(new ManualClock());
    const take = (index: number) =>
      refusal(() =>
        budget.take({
          subject: subject(index),
          isVouchedFor: true,
          url: `http://victim.example:${1000 + index}/${index}`,
        }),
      );
    const outcomes = Array.from({ length: 100 }, (_, index) => take(index));
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(64);
    expect(outcomes.at(-1)).toBe('budget_exhausted');
  });

  it('that are refused take nothing from anybody', () => {
    const budget = new RenewalBudget(new ManualClock());
    const take = (by: number, at: number) =>
      refusal(() => budget.take({ subject: subject(by), isVouchedFor: true, url: host(at) }));
    for (let count = 0; count < 64; count++) expect(take(0, 0)).toBe('accepted');
    for (let count = 0; count < 200; count++) expect(take(1, 0)).toBe('budget_exhausted');
    for (let count = 0; count < 64; count++) expect(take(1, 1)).toBe('accepted');
    for (let count = 0; count < 64; count++) expect(take(1, 2)).toBe('accepted');
    expect(take(1, 3)).toBe('budget_exhausted');
  });

  it('of strangers leave those of subjects vouched for here alone', () => {
    const budget = new RenewalBudget(new ManualClock());
    const take = (index: number, isVouchedFor: boolean) =>
      refusal(() => budget.take({ subject: subject(index), isVouchedFor, url: host(index) }));
    for (let index = 0; index < 600; index++) expect(take(index, false)).toBe('accepted');
    expect([take(1_000, false), take(1_001, true)]).toEqual(['budget_exhausted', 'accepted']);
  });

  it('are remembered in bounded memory', () => {
    const budget = new RenewalBudget(new ManualClock(), 100);
    for (let index = 0; index < 2_000; index++) {
      budget.take({ subject: subject(index), isVouchedFor: true, url: host(index) });
    }
    expect(budget.size).toBe(100);
  });
});
