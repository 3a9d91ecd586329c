/**
 * More than a year of certificates of our own certification authority; all of it takes minutes:
 * `CERTIFIED_APPLICATIONS=500 npm test -- test/nodes/certified-year.test.ts --reporter=verbose`
 */
import { describe, it } from 'vitest';
import { liveThroughCertifiedDays } from '../support/certified-year.ts';

/** Fewer than 320 do not see everything happen that is tried. */
const DAYS = Number(process.env['CERTIFIED_DAYS'] ?? '400');
const APPLICATIONS = Number(process.env['CERTIFIED_APPLICATIONS'] ?? '100');
const TIMEOUT_MS = 60_000 + DAYS * APPLICATIONS * 10;

describe(`[F29] ${DAYS} days of ${APPLICATIONS} applications with certificates of our own certification authority`, () => {
  it(
    'no certificate lapses or outlives its application, and list, OCSP and admission agree at every seq',
    async ({ annotate }) => {
      const happened = await liveThroughCertifiedDays('embedded', { days: DAYS, applications: APPLICATIONS });
      await annotate(JSON.stringify(happened));
    },
    TIMEOUT_MS,
  );
});
