import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { failureText } from '../../src/cli/failure.ts';
import { createProgram } from '../../src/cli/program.ts';
import { callHoldfast, runHoldfast } from '../support/cli.ts';

const program = createProgram({ env: {}, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr });

/** Every command with the words that lead to it. */
function commandsOf(command: Command, words: string[] = []): string[][] {
  return command.commands.flatMap((below) => {
    const path = [...words, below.name()];
    return [path, ...commandsOf(below, path)];
  });
}

describe('the bin', () => {
  it('shows the main job as a worked example', async () => {
    const { exitCode, stdout, stderr } = await runHoldfast(['--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const steps = ['serve', 'token claim', 'organisation add', 'organisation approve', 'entity add', 'entity approve'];
    let position = 0;
    for (const step of [...steps, 'anchor fetch', 'resolve', 'entity suspend']) {
      const next = stdout.indexOf(`holdfast ${step}`, position);
      expect(next, step).toBeGreaterThan(position);
      position = next;
    }
  });

  it('refuses a Node that is too old, before it loads anything', async () => {
    const pretendOlder = 'Object.defineProperty(process,"versions",{value:{...process.versions,node:"22.18.0"}})';
    const nodeArguments = ['--import', `data:text/javascript,${pretendOlder}`];
    const { exitCode, stdout, stderr } = await runHoldfast(['--help'], { nodeArguments });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('holdfast needs Node 24 or newer, and this is 22.18.0');
  });

  it('exits with 2 and says how to go on when it is used wrongly', async () => {
    const { exitCode, stdout, stderr } = await runHoldfast(['entity', 'aprove', 'https://rp.example']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain("unknown command 'aprove'");
    expect(stderr).toContain('Did you mean approve?');
  });
});

describe('the command line', () => {
  it.each(commandsOf(program).map((words) => [words.join(' '), words] as const))(
    '%s: has an example',
    async (_, words) => {
      const { exitCode, stdout } = await callHoldfast([...words, '--help']);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/\nExamples?:\n {2}/);
      expect(stdout).toContain('--json');
    },
  );

  it.each([
    ['ca', 'certify'],
    ['ca', 'root-list'],
    ['ca', 'init'],
  ])('%s %s: names the passphrase in each example that opens the root', async (...words) => {
    const { stdout } = await callHoldfast([...words, '--help']);
    const opening = stdout.split('\n').filter((line) => line.includes('$ ') && line.includes('--root'));
    expect(opening.length).toBeGreaterThan(0);
    expect(opening.filter((line) => !line.includes('--passphrase-file'))).toEqual([]);
  });

  it('says which commands of ca need no service', async () => {
    const { stdout } = await callHoldfast(['ca', '--help']);
    const [, withoutService = ''] = stdout.split('With the folder of a root, without any service:');
    expect(withoutService).toMatch(/certify[\s\S]*root-list/);
    expect(withoutService).not.toContain('import');
  });

  it('has the commands that are documented', () => {
    const words = commandsOf(program).map((path) => path.join(' '));
    const transitions = ['approve', 'reject', 'suspend', 'reinstate', 'withdraw', 'revoke'];
    expect(words).toEqual(
      expect.arrayContaining([
        ...['serve', 'migrate', 'resolve', 'export', 'audit', 'whoami', 'keys list', 'keys rewrap'],
        ...['inspect', 'chain verify', 'policy test'],
        ...['create', 'list', 'revoke', 'claim'].map((verb) => `token ${verb}`),
        ...['add', 'list', 'show', 'update', 'keys'].map((verb) => `authority ${verb}`),
        ...['list', 'roll', 'activate', 'revoke'].map((verb) => `authority keys ${verb}`),
        ...['add', 'list', 'show', 'update', ...transitions].map((verb) => `organisation ${verb}`),
        ...['add', 'list', 'update', 'confirm', 'remove'].map((verb) => `organisation contact ${verb}`),
        ...['add', 'list', 'update'].map((verb) => `role domain ${verb}`),
        ...['add', 'list', 'show', 'update', 'retire', 'reinstate'].map((verb) => `role ${verb}`),
        ...['assign', 'amend', 'unassign', 'give', 'take'].map((verb) => `role ${verb}`),
        ...['add', 'list', 'show', 'update', 'remove'].map((verb) => `authorization-server ${verb}`),
        ...['add', 'list', 'show', 'update', 'remove'].map((verb) => `api-resource ${verb}`),
        ...['add', 'list', 'show', 'replace', 'hold', 'release', 'revoke'].map((verb) => `credential ${verb}`),
        ...['add', 'list', 'show', 'update', 'rotate-token', 'suspend', 'reinstate', 'remove'].map(
          (verb) => `enforcement-point ${verb}`,
        ),
        ...['add', 'list', 'show', 'update', 'remove'].map((verb) => `token-issuer ${verb}`),
        ...['add', 'list', 'show', 'update', 'check', 'challenge', ...transitions].map((verb) => `entity ${verb}`),
        ...['show', 'update', 'roll', 'take', 'bring', 'upload', 'stop'].map((verb) => `entity host ${verb}`),
        ...['add', 'list', 'show', 'replace-keys', 'remove', 'fetch'].map((verb) => `anchor ${verb}`),
        ...['grant', 'request', 'list', 'show', 'renew', 'approve', 'reject', 'withdraw'].map(
          (verb) => `trust-mark ${verb}`,
        ),
        ...['define', 'list', 'show', 'update', 'retire', 'reinstate'].map((verb) => `trust-mark type ${verb}`),
        ...['make', 'list', 'show', 'renew', 'withdraw'].map((verb) => `trust-mark delegation ${verb}`),
        ...['add', 'list', 'drop'].map((verb) => `trust-mark held ${verb}`),
        ...['init', 'sign', 'serve', 'prove', 'push-keys', 'recipient-key', 'take-key'].map(
          (verb) => `configuration ${verb}`,
        ),
      ]),
    );
  });

  it('tells its version', async () => {
    expect(await callHoldfast(['--version'])).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: '' });
  });

  it('shows its help on stderr and exits with 2 when it is given nothing', async () => {
    const { exitCode, stdout, stderr } = await callHoldfast([]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('The main job');
  });

  it.each([
    [['entity', 'suspend', 'https://rp.example'], "required option '--reason <text>' not specified"],
    [['entity', 'list', '--limit', '0'], 'whole number above 0'],
    [['organisation', 'add', 'X', '--contact', 'ops@example.org'], 'technical=ops@example.org'],
    [['resolve', 'https://rp.example'], "required option '--anchor <entity-identifier>' not specified"],
    [['configuration', 'init', '--entity', 'https://a.example', '--dir', '/tmp/x', '--alg', 'HS256'], 'ES256'],
    [['keys', 'rewrap', '--new-master-key-file', 'x'], 'repeat the command with --offline'],
    [['whoami'], 'HOLDFAST_TOKEN is not set'],
    [['whoami', 'too', 'much'], 'too many arguments'],
  ])('%j: exits with 2', async (args, complaint) => {
    const { exitCode, stdout, stderr } = await callHoldfast(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(complaint);
  });

  it.each([
    [['entity', 'aprove', '--help'], 'Did you mean approve?'],
    [['entity', '--json', 'host', 'takes', '-h'], 'Did you mean take?'],
    [['entitys', '--help'], 'Did you mean entity?'],
  ])('%j: has no help for a command that there is not', async (args, complaint) => {
    const { exitCode, stdout, stderr } = await callHoldfast(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(complaint.replace('?', ''));
  });

  it.each([
    ['audit', '--subject', 'https://rp.example', '--help'],
    ['authority', 'keys', 'https://fed.example', '--help'],
    ['help', 'entity', 'approve'],
  ])('%s %s %s: shows help, for what there is', async (...args) => {
    const { exitCode, stdout } = await callHoldfast(args);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: holdfast');
  });

  it('wraps numbered steps behind their numbers', async () => {
    const { stdout } = await callHoldfast(['configuration', 'push-keys', '--help']);
    const lines = stdout.split('\n');
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    const steps = lines.slice(
      lines.findIndex((line) => line.startsWith('  1. ')),
      lines.findIndex((line) => line.startsWith('Does somebody')),
    );
    expect(steps.filter((line) => !/^( {2}\d\. | {5}\S|$)/.test(line))).toEqual([]);
    expect(steps.filter((line) => /^ {2}\d/.test(line))).toHaveLength(6);
  });

  it('looks for the first-admin token where its data directory is', async () => {
    const { exitCode, stderr } = await callHoldfast(['token', 'claim', '--name', 'me'], {
      env: { HOLDFAST_DATA_DIR: '/there/is/no/data' },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('there is no data directory /there/is/no/data\n');
    expect(stderr).toContain('HOLDFAST_DATA_DIR');
  });

  it('says once what is wrong with a field, by its name', () => {
    const failure = { exitCode: 1, code: 'validation_failed', isReported: false } as const;
    const field = { pointer: '/entityIdentifier', detail: 'is no URL' };
    expect(failureText({ ...failure, message: '/entityIdentifier is no URL', fields: [field] })).toBe(
      'error: entity identifier is no URL\n',
    );
    const nested = { pointer: '/registration/country', detail: 'is required' };
    expect(failureText({ ...failure, message: '/registration/country is required', fields: [nested] })).toBe(
      'error: registration/country is required\n',
    );
    const both = { ...failure, message: '/entityIdentifier is no URL (and 1 more)', fields: [field, nested] };
    expect(failureText(both)).toBe(
      'error: several values are refused\n  /entityIdentifier  is no URL\n  /registration/country  is required\n',
    );
    const told = { ...failure, message: 'the policies contradict each other', fields: [nested] };
    expect(failureText(told)).toContain('contradict each other\n  /registration/country  is required\n');
  });

  it('reports an error as one line of JSON with --json', async () => {
    const { exitCode, stdout, stderr } = await callHoldfast(['entity', 'show', '--json']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'usage', exitCode: 2 } });
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
