import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase } from '../../src/storage/connect.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import { tamper } from '../support/audit.ts';
import { type CommandOutcome, callHoldfast, freePort, serveHoldfast, startHoldfast } from '../support/cli.ts';
import { createTestDatabase } from '../support/databases.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

let folder: TemporaryFolder;
/** Of the service's data directory, in which nothing runs any more. */
let local: { HOLDFAST_DATA_DIR: string };
let checkpointFile: string;
let exportFile: string;
let keysFile: string;
let exported: string;
let checkpoint: CommandOutcome;
let printed: CommandOutcome & { url: string };
let listed: { seq: number; hash: string }[];

/** A service that made some changes, a checkpoint, an export, its keys; then it is stopped. */
beforeAll(async () => {
  folder = new TemporaryFolder();
  [checkpointFile, exportFile, keysFile] = [folder.at('checkpoint'), folder.at('audit.ndjson'), folder.at('keys.json')];
  const port = await freePort();
  const url = `http://localhost:${port}`;
  local = { HOLDFAST_DATA_DIR: folder.at('data') };
  await using _service = await serveHoldfast({ ...local, PORT: String(port) });
  const claimed = await callHoldfast(['token', 'claim', '--name', 'me'], { env: { ...local, HOLDFAST_URL: url } });
  const env = { HOLDFAST_URL: url, HOLDFAST_TOKEN: claimed.stdout.trim() };
  const run = async (...args: string[]): Promise<CommandOutcome> => {
    const outcome = await callHoldfast(args, { env });
    expect(outcome.exitCode, outcome.stderr).toBe(0);
    return outcome;
  };
  for (const name of ['One', 'Two \u001b[2J\u202e\u0085']) {
    const added = await callHoldfast(['organisation', 'add', name, '--contact', 'incident=soc@one.example'], { env });
    if (name === 'One') expect(added.exitCode, added.stderr).toBe(0);
  }
  await run('authority', 'add', `${url}/lower`, '--name', 'Lower', '--superior', url);
  await run('organisation', 'approve', 'One', '--yes', '--reason', 'seen\u200f\u2028by us');
  checkpoint = await run('audit', 'checkpoint', '--out', checkpointFile);
  printed = { ...(await run('audit', 'checkpoint')), url };
  expect((await run('audit', 'checkpoints')).stdout).toContain('SIGNED BY');
  await run('organisation', 'suspend', 'One', '--yes', '--reason', 'incident');
  exported = (await run('audit', 'export', '--out', exportFile)).stdout;
  expect((await run('audit', 'export')).stdout).toBe(readFileSync(exportFile, 'utf8'));
  await run('anchor', 'fetch', url, '--out', keysFile);
  listed = JSON.parse((await run('audit', '--all', '--json')).stdout).items;
});
afterAll(() => folder[Symbol.dispose]());

interface Verified {
  exitCode: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: read by tests that know what they asked for
  said: any;
}

async function verify(
  args: string[],
  options: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Verified> {
  const { env = local, stdin = '' } = options;
  const { exitCode, stdout, stderr } = await callHoldfast(['audit', 'verify', ...args, '--json'], { env, stdin });
  return { exitCode, said: JSON.parse(stdout || stderr) };
}

describe('audit verify', () => {
  it('[F52] finds the database whole, and says what it cannot tell', async () => {
    const { exitCode, said } = await verify([]);
    const last = listed.at(-1);
    expect({ exitCode, ...said }).toEqual({
      exitCode: 0,
      ...{ verdict: 'whole', rows: listed.length, fromSeq: 1, throughSeq: last?.seq, hash: last?.hash },
      ...{ provenSeq: null, findings: [], findingCount: 0, checkpoints: [] },
    });
    const { stdout } = await callHoldfast(['audit', 'verify'], { env: local });
    expect(stdout).toContain('The audit is a whole chain');
    expect(stdout).toContain('cannot be told without a checkpoint');
  });

  it('proves with a checkpoint that nothing was rewritten up to there', async () => {
    const { exitCode, said } = await verify(['--checkpoint', checkpointFile]);
    expect(exitCode).toBe(0);
    expect(said).toMatchObject({ verdict: 'whole', provenSeq: (listed.at(-1)?.seq ?? 0) - 1 });
    const withKeys = await verify(['--checkpoint', checkpointFile, '--jwks', keysFile]);
    expect(withKeys).toEqual({ exitCode, said });
  });

  it('does the same with an export, and needs no service and no database', async () => {
    const args = ['--file', exportFile, '--checkpoint', checkpointFile, '--jwks', keysFile];
    const { exitCode, said } = await verify(args, { env: {} });
    expect({ exitCode, verdict: said.verdict, rows: said.rows }).toEqual({
      exitCode: 0,
      verdict: 'whole',
      rows: listed.length,
    });
    expect(await verify(['--file', '-'], { env: {}, stdin: readFileSync(exportFile, 'utf8') })).toMatchObject({
      exitCode: 0,
    });
  });

  it('names the row of an export that was changed, and exits with 1', async () => {
    const changed = folder.at('changed.ndjson');
    writeFileSync(changed, readFileSync(exportFile, 'utf8').replace('"reason":"incident"', '"reason":"accident"'));
    const { exitCode, said } = await verify(['--file', changed]);
    const place = { seq: listed.at(-1)?.seq, ordinal: 0 };
    expect(exitCode).toBe(1);
    expect(said).toMatchObject({ verdict: 'tampered', findings: [{ kind: 'changed', ...place }], provenSeq: null });
    const { stdout, stderr } = await callHoldfast(['audit', 'verify', '--file', changed], {});
    expect(stdout).toContain(`✗ ${place.seq}.0  changed: does not follow from`);
    expect(stderr).toContain('the audit was tampered with');
  });

  it('does not let a checkpoint from before an export pass for a proof', async () => {
    const later = folder.at('later.ndjson');
    writeFileSync(later, readFileSync(exportFile, 'utf8').split('\n').slice(-2).join('\n'));
    const proving = await verify(['--file', later, '--checkpoint', checkpointFile, '--jwks', keysFile]);
    expect([proving.exitCode, proving.said.provenSeq]).toEqual([0, (listed.at(-1)?.seq ?? 0) - 1]);
    const changes = readFileSync(exportFile, 'utf8').replaceAll(/"seq":(\d+)/g, (_, seq) => `"seq":${Number(seq) + 5}`);
    writeFileSync(later, changes.split('\n').slice(-2).join('\n'));
    const { exitCode, said } = await verify(['--file', later, '--checkpoint', checkpointFile, '--jwks', keysFile]);
    expect([exitCode, said.error.code]).toEqual([2, 'checkpoint_before_file']);
    expect(said.error.message).toContain('it proves nothing of that');
    const stdin = readFileSync(later, 'utf8');
    const piped = await verify(['--file', '-', '--checkpoint', checkpointFile, '--jwks', keysFile], { stdin });
    expect([piped.exitCode, piped.said.error.code]).toEqual([2, 'checkpoint_before_file']);
  });

  it('finds an export whose end was cut off by a later checkpoint only', async () => {
    const cut = folder.at('cut.ndjson');
    const lines = readFileSync(exportFile, 'utf8').trimEnd().split('\n');
    writeFileSync(cut, `${lines.slice(0, -2).join('\n')}\n`);
    expect((await verify(['--file', cut])).exitCode).toBe(0);
    const { exitCode, said } = await verify(['--file', cut, '--checkpoint', checkpointFile, '--jwks', keysFile]);
    expect({ exitCode, kind: said.findings[0].kind }).toEqual({ exitCode: 1, kind: 'cut' });
  });

  it.each([
    ['no line of ours', 'not json\n', 'line 1 of'],
    ['a line without a hash', '{"seq":1}\n', 'its member ordinal is missing or wrong'],
    ['a member twice', '{"seq":1,"seq":2}\n', 'occurs twice'],
  ])('refuses a file with %s', async (_, content, complaint) => {
    const { exitCode, said } = await verify(['--file', '-'], { stdin: content });
    expect(exitCode).toBe(2);
    expect(said.error.message).toContain(complaint);
  });

  it('refuses a line with a member more, or a number that nobody writes so', async () => {
    const [first = ''] = readFileSync(exportFile, 'utf8').split('\n');
    for (const line of [first.replace('{', '{"more":1,'), first.replace('"ordinal":0', '"ordinal":0.0')]) {
      expect((await verify(['--file', '-'], { stdin: line })).exitCode).toBe(2);
    }
  });

  it('believes no checkpoint that the keys do not verify, and takes nothing else for one', async () => {
    const checkpoint = readFileSync(checkpointFile, 'utf8').trim();
    const [header, , signature] = checkpoint.split('.');
    const claims = JSON.parse(Buffer.from(checkpoint.split('.')[1] ?? '', 'base64url').toString());
    const forged = (change: object) =>
      [header, Buffer.from(JSON.stringify({ ...claims, ...change })).toString('base64url'), signature].join('.');
    for (const [content, exitCode, code] of [
      [forged({ seq: 1 }), 1, 'signature_invalid'],
      [forged({ iss: 'https://other.example' }), 1, 'key_not_found'],
      [forged({ rows: 'many' }), 2, 'claim_invalid'],
      ['{"jwt":"x"}', 2, 'jwt_malformed'],
    ] as const) {
      const file = folder.at('forged');
      writeFileSync(file, content);
      const refused = await verify(['--checkpoint', file]);
      expect({ exitCode: refused.exitCode, code: refused.said.error.code }).toEqual({ exitCode, code });
    }
  });

  it('says of an empty file that no checkpoint came into it', async () => {
    const { exitCode, said } = await verify(['--checkpoint', folder.write('empty.checkpoint', '')]);
    expect([exitCode, said.error.code]).toEqual([2, 'file_invalid']);
    expect(said.error.message).toContain('is empty: the checkpoint that belongs there was never made');
    expect(said.error.hint).toContain('audit checkpoint --out');
  });

  it('takes the records of checkpoints as the API gives them', async () => {
    const jwt = readFileSync(checkpointFile, 'utf8').trim();
    const list = folder.write('checkpoints.json', { items: [{ jwt }, { jwt }] });
    expect((await verify(['--checkpoint', list])).said.checkpoints).toHaveLength(2);
  });

  it('wants keys for a checkpoint of an export, and makes no database where there is none', async () => {
    expect((await verify(['--file', exportFile, '--checkpoint', checkpointFile])).exitCode).toBe(2);
    const missing = folder.at('missing');
    expect((await verify([], { env: { HOLDFAST_DATA_DIR: missing } })).exitCode).toBe(2);
    expect(existsSync(missing)).toBe(false);
  });

  it('on PostgreSQL names what the owner of the tables did to them, beside a running service', async () => {
    await using database = await createTestDatabase('postgresql');
    const env = { HOLDFAST_DATABASE_URL: database.url ?? '' };
    expect(await verify([], { env })).toMatchObject({ exitCode: 0, said: { rows: 0, throughSeq: null } });
    const port = await freePort();
    const settings = { ...env, PORT: String(port), HOLDFAST_DATA_DIR: folder.at('postgresql') };
    await using _service = await startHoldfast(['serve'], { env: settings });
    expect(await verify([], { env })).toMatchObject({ exitCode: 0, said: { verdict: 'whole' } });
    await tamper(database, (db) => db.delete(audit).where(eq(audit.ordinal, 0)));
    const { exitCode, said } = await verify([], { env });
    expect({ exitCode, finding: said.findings[0] }).toMatchObject({
      exitCode: 1,
      finding: { kind: 'removed', seq: 1, ordinal: 0 },
    });
  });

  it('waits for nobody: an embedded database that is in use is refused', async () => {
    await using _service = await connectDatabase({ dataDir: local.HOLDFAST_DATA_DIR });
    expect((await verify([])).exitCode).toBe(3);
  });
});

describe('audit checkpoint', () => {
  it('is signed by the authority that was made first, unless another one is named', () => {
    expect(printed.stderr).toContain(`signed by ${printed.url}.`);
  });

  it('goes to a file as it goes to standard output', () => {
    expect(readFileSync(checkpointFile, 'utf8')).toBe(printed.stdout);
    expect(checkpoint).toMatchObject({ stdout: '', stderr: expect.stringContaining(`Keep ${checkpointFile} apart`) });
  });
});

describe('audit export', () => {
  it('says what it wrote where', () => {
    expect(exported).toBe(`${listed.length} rows in ${exportFile}\n`);
  });

  it('escapes what a terminal must not see, is private, and leaves no half of a file', () => {
    const text = readFileSync(exportFile, 'utf8');
    expect(text).toContain('seen\\u200f\\u2028by us');
    expect(text).not.toMatch(/[\u200f\u2028]/);
    expect(statSync(exportFile).mode & 0o777).toBe(0o600);
    expect(existsSync(`${exportFile}.partial`)).toBe(false);
  });
});
