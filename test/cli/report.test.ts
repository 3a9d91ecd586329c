import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { grouped } from '../../src/cli/anchor/thumbprints.ts';
import { contact } from '../../src/cli/option-values.ts';
import { Output } from '../../src/cli/output.ts';
import { printable, printableLine } from '../../src/cli/printable.ts';
import { Report } from '../../src/cli/report.ts';
import { durationText, momentText } from '../../src/cli/times.ts';

function reported(describe: (report: Report) => void): string {
  const report = new Report(new PassThrough());
  describe(report);
  return report.toString();
}

describe('a report', () => {
  it('aligns columns, and writes no colours where there is no terminal', () => {
    const text = reported((report) =>
      report.table(
        ['ID', 'STATE', 'NAME'],
        [
          ['1', 'active', 'a'],
          ['1000', 'pending', ''],
        ],
      ),
    );
    expect(text).toBe('ID    STATE    NAME\n1     active   a\n1000  pending\n');
  });

  it('colours words of state at a terminal, without shifting columns', () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true, getColorDepth: () => 8 });
    const report = new Report(terminal);
    report.table(
      [],
      [
        ['failed', 'x'],
        ['passed', 'y'],
      ],
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours
    const bare = report.toString().replace(/\u001b\[\d+m/g, '');
    expect(bare).toBe('  failed  x\n  passed  y\n');
    expect(report.toString().length).toBeGreaterThan(bare.length);
  });

  it('leaves out facts without a value, and says when a table is empty', () => {
    expect(
      reported((report) =>
        report.facts([
          ['a', '1'],
          ['long name', undefined],
          ['bc', '2'],
        ]),
      ),
    ).toBe('  a   1\n  bc  2\n');
    expect(reported((report) => report.table(['A'], []))).toBe('(none)\n');
  });

  it('shows what others wrote without letting them write to the terminal', () => {
    const hostile = 'name\u001b[2J\u009b31m\u202egpj.exe\nsecond\tline';
    expect(printableLine(hostile)).toBe('name\\u001b[2J\\u009b31m\\u202egpj.exe second line');
    const text = reported((report) => {
      report.heading(hostile);
      report.facts([['x', hostile]]);
      report.table([], [[hostile]]);
      report.line(hostile);
      report.json({ hostile });
    });
    for (const character of ['\u001b', '\u009b', '\u202e']) expect(text).not.toContain(character);
  });

  it('keeps the meaning of JSON that holds such characters', () => {
    const value = { name: 'a\u009b\u202eb' };
    const stdout = new PassThrough();
    new Output({ env: {}, stdin: process.stdin, stdout, stderr: new PassThrough() }, true).json(value);
    const text = String(stdout.read());
    expect(text).not.toMatch(/[\u007f-\u009f\u202e]/);
    expect(JSON.parse(text)).toEqual(value);
    expect(printable('tab\tand\nline')).toBe('tab\tand\nline');
  });
});

describe('times', () => {
  const nowMs = Date.parse('2027-01-15T08:00:00Z');

  it.each([
    ['2027-01-15T08:00:00.000Z', '2027-01-15 08:00:00Z (now)'],
    ['2027-01-15T08:59:00.000Z', '2027-01-15 08:59:00Z (in 59 min)'],
    [nowMs / 1000 - 31, '2027-01-15 07:59:29Z (31 s ago)'],
    [nowMs / 1000 + 90 * 86_400 - 1, '2027-04-15 07:59:59Z (in 90 d)'],
    [1e300, '1e+300'],
    ['soon', 'soon'],
  ])('%s is %s', (moment, text) => {
    expect(momentText(moment, nowMs)).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7200, '2 h'],
    [172_800, '2 d'],
  ])('%d s are %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

describe('contacts', () => {
  it('are addresses with a type, named or not', () => {
    const one = contact('technical=ops@example.org', undefined);
    expect(contact('security=Jo Doe <jo@example.org>', one)).toEqual([
      { type: 'technical', email: 'ops@example.org' },
      { type: 'security', name: 'Jo Doe', email: 'jo@example.org' },
    ]);
  });

  it.each(['ops@example.org', 'boss=ops@example.org', 'technical=', 'technical=a b', 'technical=A <'])(
    'are not %s',
    (text) => {
      expect(() => contact(text, undefined)).toThrow('the types are business');
    },
  );
});

describe('thumbprints', () => {
  it('are read out in groups', () => {
    expect(grouped('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')).toBe(
      'NzbL sXh8 uDCc d-6M NwXF 4W_7 noWX FZAf HkxZ sRGC 9Xs',
    );
  });
});
