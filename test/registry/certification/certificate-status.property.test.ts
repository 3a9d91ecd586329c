/** One rule says what becomes of a certificate: lists and responders never disagree with admission. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CertificateStatusRow,
  certificateStatus,
} from '../../../src/registry/certification/certificate-status.ts';
import { credentialStanding } from '../../../src/registry/credentials/credential-standing.ts';
import { NOW_DATE } from '../../support/registry.ts';

const RUNS = 2_000;
const now = NOW_DATE;
const around = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((ms) => new Date(now.getTime() + ms));
const past = fc.integer({ min: -1_000_000, max: 0 }).map((ms) => new Date(now.getTime() + ms));
const participant = fc.constantFrom('pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked');
const reason = fc.constantFrom(
  ...(['unspecified', 'key_compromise', 'ca_compromise', 'affiliation_changed', 'superseded'] as const),
  ...(['cessation_of_operation', 'privilege_withdrawn'] as const),
);

const rows: fc.Arbitrary<CertificateStatusRow> = fc
  .record({
    // As often good as not.
    state: fc.constantFrom('active', 'active', 'active', 'on_hold', 'revoked'),
    revocationReason: reason,
    revokedAt: past,
    stateChangedAt: past,
    supersededAt: fc.option(around),
    ownerState: fc.oneof(fc.constant('active' as const), participant),
    ownerStateChangedAt: past,
    organisationState: fc.oneof(fc.constant('active' as const), participant),
    organisationStateChangedAt: past,
  })
  .map((row) => (row.state === 'revoked' ? row : { ...row, revocationReason: null, revokedAt: null }));

/** As admission judges the same certificate, within its validity and where no trust list is asked. */
function isLive({ state, supersededAt, ownerState, organisationState }: CertificateStatusRow, at: Date): boolean {
  const always = { mode: 'live', environment: 'production', path: null, isPurposeListed: false } as const;
  const dates = { notBefore: null, notAfter: null, isAnchorListed: false };
  return credentialStanding({ ...always, ...dates, state, supersededAt, ownerState, organisationState }, at).isLive;
}

const FINAL = ['rejected', 'withdrawn', 'revoked'];
const isFinal = (row: CertificateStatusRow) =>
  row.state === 'revoked' ||
  (row.supersededAt !== null && row.supersededAt <= now) ||
  FINAL.includes(row.ownerState) ||
  FINAL.includes(row.organisationState);

describe('[F22] the status of a certificate that we issued', () => {
  it('is good exactly where its credential is live', () => {
    let good = 0;
    fc.assert(
      fc.property(rows, (row) => {
        const isGood = certificateStatus(row, now).status === 'good';
        expect(isGood).toBe(isLive(row, now));
        if (isGood) good++;
      }),
      { numRuns: RUNS },
    );
    expect(good).toBeGreaterThan(RUNS / 50);
  });

  it('is a hold exactly where what was decided can be taken back', () => {
    fc.assert(
      fc.property(rows, (row) => {
        const status = certificateStatus(row, now);
        fc.pre(status.status === 'revoked');
        expect(status.status === 'revoked' && status.reason !== 6).toBe(isFinal(row));
      }),
      { numRuns: RUNS },
    );
  });

  it('dates from the first of what ended it, in whole seconds, and keeps the reason that its own revocation has', () => {
    fc.assert(
      fc.property(rows, (row) => {
        const status = certificateStatus(row, now);
        fc.pre(status.status === 'revoked');
        if (status.status !== 'revoked') return;
        const owners = [
          [row.ownerState, row.ownerStateChangedAt],
          [row.organisationState, row.organisationStateChangedAt],
        ] as const;
        const counts = (state: string) => (isFinal(row) ? FINAL.includes(state) : state !== 'active');
        const ends = owners.flatMap(([state, at]) => (counts(state) ? [at] : []));
        if (row.state === 'revoked' && row.revokedAt !== null) ends.push(row.revokedAt);
        if (row.state === 'on_hold' && !isFinal(row)) ends.push(row.stateChangedAt);
        if (row.supersededAt !== null && row.supersededAt <= now) ends.push(row.supersededAt);
        expect(status.revokedAt).toBe(Math.floor(Math.min(...ends.map(Number)) / 1000));
        const own = { unspecified: 0, key_compromise: 1, ca_compromise: 2, affiliation_changed: 3 };
        const others = { superseded: 4, cessation_of_operation: 5, privilege_withdrawn: 9 };
        if (row.revocationReason !== null) expect(status.reason).toBe({ ...own, ...others }[row.revocationReason]);
      }),
      { numRuns: RUNS },
    );
  });

  it('stays the same until the moment that it names', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 0, max: 2_000 }), (row, seconds) => {
        const status = certificateStatus(row, now);
        const later = new Date(now.getTime() + seconds * 1000);
        fc.pre(status.changesAt === null || later.getTime() / 1000 < status.changesAt);
        expect(certificateStatus(row, later)).toEqual(status);
      }),
      { numRuns: RUNS },
    );
  });
});
