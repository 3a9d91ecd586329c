import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
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
        ...['add', 'list', 'show', 'update', 'remove'].map((verb) => `authorization-server ${verb}`),
        ...['add', 'list', 'show', 'update', 'remove'].map((verb) => `api-resource ${verb}`),
        ...['add', 'list', 'show', 'update', 'check', 'challenge', ...transitions].map((verb) => `entity ${verb}`),
        ...['show', 'update', 'roll', 'take', 'bring', 'upload', 'stop'].map((verb) => `entity host ${verb}`),
        ...['add', 'list', 'show', 'replace-keys', 'remove', 'fetch'].map((verb) => `anchor ${verb}`),
        ...['grant', 'request', 'list', 'show', 'renew', 'approve', 'reject', 'withdraw'].map(
          (verb) => `trust-mark ${verb}`,
        ),
        ...['define', 'list', 'show', 'update', 'retire', 'reinstate'].map((verb) => `trust-mark type ${verb}`),
        ...['make', 'list', 'show', 'renew', 'withdraw'].map((verb) => `trust-mark delegation ${verb}`),
        ...['add', 'list', 'drop'].map((verb) => `trust-mark held ${verb}`),
        ...['init', 'sign', 'serve', 'prove'].map((verb) => `configuration ${verb}`),
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

  it('reports an error as one line of JSON with --json', async () => {
    const { exitCode, stdout, stderr } = await callHoldfast(['entity', 'show', '--json']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'usage', exitCode: 2 } });
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
