import { describe, it } from 'vitest';
import { liveThroughCertifiedDays } from '../support/certified-year.ts';

describe('400 days of 500 applications with certificates of our own certification authority', () => {
  it('no certificate lapses or outlives its application, and list, OCSP and admission agree at every seq', async () => {
    await liveThroughCertifiedDays('embedded', { days: 400, applications: 500 });
  }, 300_000);
});
