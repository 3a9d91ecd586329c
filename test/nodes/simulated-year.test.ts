import { describe, it } from 'vitest';
import { DATABASE_KINDS } from '../support/databases.ts';
import { liveThroughAYear } from '../support/simulated-year.ts';

describe.each(DATABASE_KINDS)('a year of rolled keys, sealed in the %s database', (kind) => {
  it('[OIDFED-11.2-1] [OIDFED-11.2-2] [OIDFED-8.7-5] [OIDFED-8.7-6] never breaks a chain for anybody', async () => {
    await liveThroughAYear(kind);
  }, 120_000);
});
