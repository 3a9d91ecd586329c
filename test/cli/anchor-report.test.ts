import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { describeAnchor } from '../../src/cli/anchor/anchor-report.ts';
import { trustAnchorSchema } from '../../src/cli/api-records.ts';
import { Report } from '../../src/cli/report.ts';

const keys = (...kids: string[]) => ({ keys: kids.map((kid) => ({ kid, kty: 'EC', alg: 'ES256' })) });

/** As `holdfast anchor show` prints what the service answers. */
function shown(seen: object): string {
  const record = { id: 'id-1', authorityId: 'authority-1', entityIdentifier: 'https://fed.example', version: 1 };
  const report = new Report(new PassThrough());
  describeAnchor(report, trustAnchorSchema.parse({ ...record, jwks: keys('old'), createdAt: '2027-01-01', ...seen }));
  return report.toString();
}

const PINNED =
  'https://fed.example\n  id         id-1\n  authority  authority-1\n  version    1\n  key        old (ES256)\n';

describe('a pinned Trust Anchor', () => {
  it.each([{}, { learned: null, lastAlarm: null }])(
    'of which nothing was seen since is shown with its pins: %j',
    (seen) => {
      expect(shown(seen)).toBe(PINNED);
    },
  );

  it('is shown with the keys that it rolled over to, since when, and what to do', () => {
    expect(shown({ learned: { jwks: keys('old', 'new'), at: '2027-01-15T08:00:00.000Z' }, lastAlarm: null })).toBe(
      `${PINNED}
Rolled over: these keys count in place of those pinned
  since  2027-01-15T08:00:00.000Z
  key    old (ES256)
  key    new (ES256)
Once its operator confirms them, pin them: \`npx holdfast anchor replace-keys\`
`,
    );
  });

  it('is shown with its last alarm, when that was, and what to do', () => {
    expect(shown({ learned: null, lastAlarm: { jwks: keys('foreign'), at: '2027-01-15T08:00:00.000Z' } })).toBe(
      `${PINNED}
Alarm: it published keys that no believed key vouches for; none was learned
  last  2027-01-15T08:00:00.000Z
  key   foreign (ES256)
Compare its keys with its operator out of band: \`npx holdfast anchor fetch\`
`,
    );
  });
});
