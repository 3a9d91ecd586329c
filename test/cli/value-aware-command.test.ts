import { describe, expect, it } from 'vitest';
import { ValueAwareCommand } from '../../src/cli/value-aware-command.ts';

const KID = '-rMtWJk0Ldle-mFvQXkUx60KlMTBR-lr5fljCtjT6bg';

function parse(...args: string[]) {
  const seen: unknown[] = [];
  const program = new ValueAwareCommand('holdfast').version('1.0').option('--json').exitOverride();
  program.configureOutput({ outputError: () => {} });
  program
    .command('keys')
    .command('remove')
    .argument('<entity>')
    .argument('<kid>')
    .option('--yes')
    .option('--thumbprint <thumbprint>')
    .action((...given) => {
      seen.push(given.slice(0, 3));
    });
  program.parse(['keys', 'remove', ...args], { from: 'user' });
  return seen[0];
}

describe('a kid that begins with a hyphen', () => {
  it.each([
    [['E', KID]],
    [['E', KID, '--yes']],
    [['E', '--yes', KID]],
    [['--yes', 'E', KID]],
    [['--yes', '--', 'E', KID]],
  ])('is an argument in %j', (args) => {
    expect(parse(...args)).toEqual(['E', KID, args.includes('--yes') ? { yes: true } : {}]);
  });

  it('is an argument whatever letter follows, as that of --version', () => {
    const kid = `-V${KID.slice(2)}`;
    expect(parse('E', kid)).toEqual(['E', kid, {}]);
  });

  it.each([[['E', KID, '--thumbprint', KID]], [['E', KID, `--thumbprint=${KID}`]], [['--thumbprint', KID, 'E', KID]]])(
    'is the value of the option before it in %j',
    (args) => {
      expect(parse(...args)).toEqual(['E', KID, { thumbprint: KID }]);
    },
  );

  it('is no excuse for options that nobody knows', () => {
    expect(() => parse('E', '-rMt')).toThrow(/unknown option '-rMt'/);
    expect(() => parse('E', KID, `--${KID}`)).toThrow(/unknown option/);
  });
});
