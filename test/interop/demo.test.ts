/** `npm run demo`, run as a person or a pipeline runs it: what it claims, and that nothing of it stays behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingGateways } from '../support/gateways.ts';

const DEMO = path.join(import.meta.dirname, '../../scripts/demo/main.ts');
/** A line of the story that names the service, and the last one of the invitation to play. */
const SERVICE_RUNS = /the service runs at (http:\/\/localhost:\d+)/;
const INVITATION_ENDS = /Ctrl-C stops everything/;

/** What is told when nothing of it has happened. */
const NOTHING = {
  resolved: false,
  policyApplied: false,
  trustMarkVerified: false,
  withdrawnRefusedAfterMs: null,
  suspendedRefusedAfterMs: null,
  reinstated: false,
  keyRolled: false,
};

let temporaryDir: string;

beforeEach(async () => {
  temporaryDir = await mkdtemp(path.join(tmpdir(), 'demo-test-'));
});

afterEach(async () => {
  await rm(temporaryDir, { recursive: true });
});

describe('npm run demo', { timeout: 240_000 }, () => {
  it('does the main job, and ends with what was observed as the one line of JSON on stdout', async () => {
    await using demo = new Demo(['--json']);
    expect(await demo.exitCode()).toBe(0);
    const [line, ...others] = demo.stdout;
    expect(others).toEqual([]);
    expect(Object.entries(JSON.parse(line!))).toEqual([
      ['resolved', true],
      ['policyApplied', true],
      ['trustMarkVerified', true],
      ['withdrawnRefusedAfterMs', expect.any(Number)],
      ['suspendedRefusedAfterMs', expect.any(Number)],
      ['reinstated', true],
      ['keyRolled', true],
    ]);
    const { withdrawnRefusedAfterMs, suspendedRefusedAfterMs } = JSON.parse(line!);
    for (const refusedAfterMs of [withdrawnRefusedAfterMs, suspendedRefusedAfterMs]) {
      expect(refusedAfterMs).toBeGreaterThan(0);
      expect(refusedAfterMs).toBeLessThan(1000);
    }
    expect(demo.stderr).toContainEqual(
      expect.stringMatching(/refused .+ after that answer +mark status +200, revoked/),
    );
    expect(demo.stderr).toContainEqual(expect.stringMatching(/refused .+ after that answer +fetch +404 not_found/));
    for (const state of ['announced', 'active']) {
      expect(demo.stderr).toContainEqual(expect.stringMatching(new RegExp(`[\\w-]{8}… is ${state}`)));
    }
    await expectNothingLeft(demo);
  });

  it("plays a partner's whole way through the directory, each claim observed", async () => {
    await using demo = new Demo(['--json', 'directory']);
    expect(await demo.exitCode()).toBe(0);
    const [line, ...others] = demo.stdout;
    expect(others).toEqual([]);
    expect(Object.entries(JSON.parse(line!))).toEqual([
      ['onRecord', true],
      ['checkMended', true],
      ['domainProven', true],
      ['keysProven', true],
      ['submitterRefused', true],
      ['fourEyesKept', true],
      ['approvedServedAfterMs', expect.any(Number)],
      ['rolePolicyApplied', true],
      ['previewTrue', true],
      ['suspendedRefusedAfterMs', expect.any(Number)],
      ['reinstated', true],
      ['withdrawn', true],
    ]);
    const { approvedServedAfterMs, suspendedRefusedAfterMs } = JSON.parse(line!);
    for (const afterMs of [approvedServedAfterMs, suspendedRefusedAfterMs]) expect(afterMs).toBeLessThan(1000);
    for (const told of [
      /^ +domain +failed +domain_unproven/,
      /^ +metadata_policy +failed +policy_value_not_allowed/,
      /who asked for it, is refused: role_missing/,
      /who submitted it, is refused: four_eyes/,
      /^ +role_assignment +PISP +active → suspended/,
      /^ +seq \d+ .* organisation\.withdraw +the contract ended/,
    ]) {
      expect(demo.stderr).toContainEqual(expect.stringMatching(told));
    }
    await expectNothingLeft(demo);
  });

  const lacksNginx = missingGateways().includes('nginx') && process.env['CI'] !== 'true';

  it.skipIf(lacksNginx)(
    'stands at the perimeter: certificates of our own, enrolled, renewed over EST and revoked; an authorization server and an API behind nginx refuse within a second of a revocation and a suspension',
    async () => {
      await using demo = new Demo(['--json', 'perimeter']);
      expect(await demo.exitCode(), demo.stderr.join('\n')).toBe(0);
      const [line, ...others] = demo.stdout;
      expect(others).toEqual([]);
      expect(Object.entries(JSON.parse(line!))).toEqual([
        ['usedCodeRefused', true],
        ['renewed', true],
        ['tokenBound', true],
        ['admitted', true],
        ['forgedIdentityReplaced', true],
        ['stolenTokenRefused', true],
        ['strangerRefused', true],
        ['withoutCertificateRefused', true],
        ['oldOneCountsBesideTheNew', true],
        ['revokedRefusedAfterMs', expect.any(Number)],
        ['revokedByOcsp', true],
        ['revokedByList', true],
        ['revokedNotRenewed', true],
        ['gatewayRefusedAfterMs', expect.any(Number)],
        ['tokenEndpointRefusedAfterMs', expect.any(Number)],
        ['reinstated', true],
      ]);
      const { revokedRefusedAfterMs, gatewayRefusedAfterMs, tokenEndpointRefusedAfterMs } = JSON.parse(line!);
      for (const refusedAfterMs of [revokedRefusedAfterMs, gatewayRefusedAfterMs, tokenEndpointRefusedAfterMs]) {
        expect(refusedAfterMs).toBeGreaterThan(0);
        expect(refusedAfterMs).toBeLessThan(1000);
      }
      for (const told of [
        /^ +refused .+ after that answer +gateway, open connection +403 certificate_revoked$/,
        /OCSP: revoked, keyCompromise/,
        /the list of revocations: certificate revoked/,
        /^ +refused .+ after that answer +gateway, open connection +403 suspended$/,
        /^ +refused .+ after that answer +token endpoint +400 access_denied: not admitted: suspended$/,
        /nginx refused on the connection that was open all the time/,
      ]) {
        expect(demo.stderr).toContainEqual(expect.stringMatching(told));
      }
      await expectNothingLeft(demo);
    },
  );

  it('leaves everything running with --keep until Ctrl-C', async () => {
    await using demo = new Demo(['--keep']);
    await demo.line(INVITATION_ENDS);
    const [folder] = await readdir(temporaryDir);
    const environment = await readFile(path.join(temporaryDir, folder!, 'environment'), 'utf8');
    const { url, token } = /HOLDFAST_URL='(?<url>.+)'\n.*HOLDFAST_TOKEN='(?<token>.+)'/.exec(environment)!.groups!;
    const headers = { authorization: `Bearer ${token}` };
    const answer = (await (await fetch(`${url}/api/v1/entities`, { headers })).json()) as {
      items: { state: string }[];
    };
    expect(answer.items.map(({ state }) => state)).toEqual(['active', 'active', 'active']);
    demo.child.kill('SIGINT');
    expect(await demo.exitCode()).toBe(0);
    await expectNothingLeft(demo);
  });

  it('stops everything when it is stopped in the middle, and claims nothing', async () => {
    await using demo = new Demo(['--json']);
    await demo.line(SERVICE_RUNS);
    demo.child.kill('SIGTERM');
    expect(await demo.exitCode()).toBe(143);
    expect(demo.stdout.map((line) => JSON.parse(line))).toEqual([NOTHING]);
    await expectNothingLeft(demo);
  });

  it('claims nothing and exits with 1 when it cannot begin', async () => {
    await using demo = new Demo(['--json'], { TMPDIR: path.join(temporaryDir, 'missing') });
    expect(await demo.exitCode()).toBe(1);
    expect(demo.stdout.map((line) => JSON.parse(line))).toEqual([NOTHING]);
  });

  it('exits with 2 for a story or an option that does not exist, and shows those that do', async () => {
    for (const args of [['nowhere'], ['--nothing'], ['main-job', 'main-job']]) {
      await using demo = new Demo(args);
      expect(await demo.exitCode()).toBe(2);
      expect(demo.stdout).toEqual([]);
    }
    await using help = new Demo(['--help']);
    expect(await help.exitCode()).toBe(0);
    for (const story of ['main-job', 'directory', 'perimeter']) {
      expect(help.stdout).toContainEqual(expect.stringMatching(new RegExp(`^ {2}${story} +\\S`)));
    }
  });
});

/** A demo under way, in an environment that points to a deployment which it must leave alone. */
class Demo implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly #closed: Promise<unknown>;
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], env: Record<string, string> = {}) {
    const deployment = {
      HOLDFAST_DATABASE_URL: 'postgresql://production.invalid/holdfast',
      HOLDFAST_TOKEN: 'a token of that deployment',
      PORT: '1',
    };
    this.child = spawn(process.execPath, [DEMO, ...args], {
      env: { ...process.env, ...deployment, TMPDIR: temporaryDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.child, 'close');
    this.#collect(this.child.stdout!, this.stdout);
    this.#collect(this.child.stderr!, this.stderr);
  }

  #collect(input: Readable, lines: string[]): void {
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      for (const look of this.#waiting) look();
    });
  }

  async exitCode(): Promise<number | null> {
    await this.#closed;
    return this.child.exitCode;
  }

  /** The first line of its output that matches, waited for if it has to come yet. */
  async line(pattern: RegExp): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = (): void => {
      const found = [...this.stdout, ...this.stderr].find((line) => pattern.test(line));
      if (found !== undefined) resolve(found);
    };
    this.#waiting.add(look);
    look();
    this.#closed.then(() => reject(new Error(`it ended without ${pattern}:\n${this.stderr.join('\n')}`)));
    return await promise.finally(() => this.#waiting.delete(look));
  }

  /** A demo that the test gave up is stopped like any other, and stops its programs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGTERM');
    await this.#closed;
  }
}

async function expectNothingLeft(demo: Demo): Promise<void> {
  expect(await readdir(temporaryDir)).toEqual([]);
  const [, url] = SERVICE_RUNS.exec(await demo.line(SERVICE_RUNS))!;
  await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
}
