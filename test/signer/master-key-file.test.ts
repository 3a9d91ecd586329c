import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createMasterKeyFile,
  ensureMasterKeyFile,
  parseMasterKey,
  readMasterKeyFile,
} from '../../src/signer/master-key-file.ts';
import type { MasterKey } from '../../src/signer/sealing.ts';

const CONTEXT = { owner: 'authority-1', kid: 'key-1', purpose: 'federation' };
const SOME_KEY = Buffer.alloc(32, 9).toString('base64url');

/** Whether two are the same key: what one seals the other opens. */
function isSame(one: MasterKey, other: MasterKey): boolean {
  try {
    other.unseal(one.seal(new Uint8Array(4), CONTEXT), CONTEXT);
    return true;
  } catch {
    return false;
  }
}

async function complaintOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('expected a complaint'),
    (reason: Error) => reason,
  );
  return `${error.message} ${error.stack}`;
}

describe('the master key file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-master-key-'));
    file = join(folder, 'data', 'master-key');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made once, readable by its owner alone, in a folder of its own', async () => {
    const { masterKey, isNew } = await ensureMasterKeyFile(file);
    expect(isNew).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'data'))).mode & 0o777).toBe(0o700);
    expect(await readFile(file, 'utf8')).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
    expect(isSame(masterKey, await readMasterKeyFile(file))).toBe(true);
    expect(await readdir(join(folder, 'data'))).toEqual(['master-key']);
  });

  it('is never overwritten', async () => {
    await ensureMasterKeyFile(file);
    const content = await readFile(file, 'utf8');
    const again = await ensureMasterKeyFile(file);
    expect(again.isNew).toBe(false);
    expect(await createMasterKeyFile(file)).toBe(false);
    expect(await readFile(file, 'utf8')).toBe(content);
  });

  it('is never overwritten, even if nobody can read a key from it', async () => {
    await mkdir(join(folder, 'data'));
    await writeFile(file, '', { mode: 0o600 });
    expect(await complaintOf(ensureMasterKeyFile(file))).toContain('must hold a master key');
    expect(await readFile(file, 'utf8')).toBe('');
  });

  it('is one key for all who make it at once', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureMasterKeyFile(file)));
    expect(made.filter(({ isNew }) => isNew)).toHaveLength(1);
    const stored = await readMasterKeyFile(file);
    for (const { masterKey } of made) expect(isSame(masterKey, stored)).toBe(true);
    expect(await readdir(join(folder, 'data'))).toEqual(['master-key']);
  });

  it('is another key in each place', async () => {
    const { masterKey: one } = await ensureMasterKeyFile(file);
    const { masterKey: other } = await ensureMasterKeyFile(join(folder, 'other'));
    expect(isSame(one, other)).toBe(false);
  });

  it.each([0o604, 0o602, 0o601, 0o666])(
    'is refused when others may access it (mode %o), with what to do',
    async (mode) => {
      await createMasterKeyFile(file);
      await chmod(file, mode);
      expect(await complaintOf(readMasterKeyFile(file))).toContain(`chmod 600 ${file}`);
    },
  );

  it('may be readable by a group, as mounted secrets are', async () => {
    await createMasterKeyFile(file);
    await chmod(file, 0o440);
    await expect(readMasterKeyFile(file)).resolves.toBeDefined();
  });

  it('is missed by name', async () => {
    expect(await complaintOf(readMasterKeyFile(file))).toContain(file);
  });

  it.each([
    ['empty', ''],
    ['too short', SOME_KEY.slice(1)],
    ['too long', `${SOME_KEY}A`],
    ['hexadecimal', Buffer.alloc(32, 9).toString('hex')],
    ['padded base64', `${Buffer.alloc(32, 251).toString('base64')}`],
    ['two lines', `${SOME_KEY}\n${SOME_KEY}`],
  ])('is refused when it is %s, without showing what stands in it', async (_what, content) => {
    await mkdir(join(folder, 'data'));
    await writeFile(file, content, { mode: 0o600 });
    const complaint = await complaintOf(readMasterKeyFile(file));
    expect(complaint).toContain(`${file} must hold a master key: 32 bytes in base64url`);
    if (content !== '') expect(complaint).not.toContain(content.slice(0, 16));
  });
});

describe('a master key from the environment', () => {
  it('is 32 bytes in base64url, white space around it aside', () => {
    expect(isSame(parseMasterKey(` ${SOME_KEY}\n`, 'HOLDFAST_MASTER_KEY'), parseMasterKey(SOME_KEY, 'x'))).toBe(true);
  });

  it('is named, not shown, when it is malformed', () => {
    const secret = 'not-a-key-but-secret-all-the-same';
    expect(() => parseMasterKey(secret, 'HOLDFAST_MASTER_KEY')).toThrow(
      /^HOLDFAST_MASTER_KEY must hold a master key: 32 bytes in base64url, 43 characters$/,
    );
  });
});
