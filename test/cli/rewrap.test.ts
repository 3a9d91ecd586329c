import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { asc, desc } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/registry/actor.ts';
import type { AuthorityKey } from '../../src/registry/authorities/authority.ts';
import { createAuthority } from '../../src/registry/authorities/create-authority.ts';
import type { ChangeContext } from '../../src/registry/change.ts';
import { bindMasterKey, readMasterKeyCheck } from '../../src/registry/prepare-deployment.ts';
import { createRecordIds } from '../../src/registry/record-id.ts';
import { makeMasterKeyCheck, masterKeyMatches } from '../../src/signer/master-key-check.ts';
import { ensureMasterKeyFile, readMasterKeyFile } from '../../src/signer/master-key-file.ts';
import { createSigner } from '../../src/signer/signer.ts';
import { connectDatabase, type Db } from '../../src/storage/connect.ts';
import { audit } from '../../src/storage/schema/audit.ts';
import { authorityKeys } from '../../src/storage/schema/authority-keys.ts';
import { callHoldfast, runHoldfast } from '../support/cli.ts';
import { createTestDatabase } from '../support/databases.ts';
import { opens } from '../support/sealed-keys.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

const OPERATOR: Actor = {
  kind: 'operator',
  id: 'test',
  name: 'test',
  roles: ['admin'],
  authorities: 'all',
  organisations: 'all',
};

let folder: TemporaryFolder;
let dataDir: string;
let presentFile: string;
let before: AuthorityKey[];

/** A deployment with two authorities in a data directory, made as the service makes it. */
beforeAll(async () => {
  folder = new TemporaryFolder();
  dataDir = folder.at('data');
  presentFile = join(dataDir, 'master-key');
  const migrated = await callHoldfast(['migrate', '--json'], { env: { HOLDFAST_DATA_DIR: dataDir } });
  expect(JSON.parse(migrated.stdout).applied).toContain('0001_registry');

  await using database = await connectDatabase({ dataDir });
  const { masterKey } = await ensureMasterKeyFile(presentFile);
  await bindMasterKey(database.db, makeMasterKeyCheck(masterKey), new Date());
  const signer = createSigner(masterKey);
  for (const name of ['one', 'two']) {
    const input = { entityIdentifier: `https://${name}.example`, name };
    await createAuthority(context(database.db), input, (authorityId) => signer.generateKey(authorityId, 'ES256'));
  }
  before = await keysOf(database.db);
});
afterAll(() => folder[Symbol.dispose]());

function context(db: Db): ChangeContext {
  const newId = createRecordIds(() => Date.now());
  return { db, actor: OPERATOR, now: new Date(), requestId: null, newId, allowHttp: false, committed: async () => {} };
}

async function keysOf(db: Db): Promise<AuthorityKey[]> {
  return await db.select().from(authorityKeys).orderBy(asc(authorityKeys.kid));
}

/** The command on the data directory of this file, unless `env` says otherwise. */
function rewrapTo(newFile: string, env: Record<string, string> = {}): Parameters<typeof callHoldfast> {
  const args = ['keys', 'rewrap', '--offline', '--new-master-key-file', newFile, '--yes', '--json'];
  return [args, { env: { HOLDFAST_DATA_DIR: dataDir, ...env } }];
}

describe('keys rewrap', () => {
  it('refuses while a process has the data directory open', async () => {
    await using _service = await connectDatabase({ dataDir });
    const { exitCode, stdout, stderr } = await runHoldfast(...rewrapTo(folder.at('new')));
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(JSON.parse(stderr).error.message).toContain('is in use by another process');
  });

  it('refuses while a node is connected to the PostgreSQL', async () => {
    await using database = await createTestDatabase('postgresql');
    const env = { HOLDFAST_DATABASE_URL: database.url ?? '', HOLDFAST_MASTER_KEY_FILE: presentFile };
    const { exitCode, stderr } = await callHoldfast(...rewrapTo(folder.at('new'), env));
    expect(exitCode).toBe(1);
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'service_running' });
  });

  it('refuses a new master key that is the present one', async () => {
    const { exitCode, stderr } = await callHoldfast(...rewrapTo(presentFile));
    expect(exitCode).toBe(2);
    expect(stderr).toContain('holds the present master key');
  });

  it('makes no database where there is none', async () => {
    const missing = folder.at('missing');
    const { exitCode, stderr } = await callHoldfast(...rewrapTo(folder.at('new'), { HOLDFAST_DATA_DIR: missing }));
    expect(exitCode).toBe(2);
    expect(stderr).toContain('there is no database');
    expect(() => statSync(missing)).toThrow('ENOENT');
  });

  it.each([
    ['the environment is wrong', { HOLDFAST_DATA_DIRECTORY: 'x' }, 2, 'HOLDFAST_DATA_DIRECTORY is unknown'],
    [
      'the database is away',
      { HOLDFAST_DATABASE_URL: 'postgresql://u:geheim@127.0.0.1:9/x' },
      3,
      'cannot use PostgreSQL',
    ],
  ])('exits with a code of its own when %s', async (_, env, code, complaint) => {
    const { exitCode, stderr } = await callHoldfast(...rewrapTo(folder.at('new'), env));
    expect(exitCode).toBe(code);
    expect(stderr).toContain(complaint);
    expect(stderr).not.toContain('geheim');
  });

  it('seals every key anew: the old master key opens none of them, the new one all', async () => {
    const newFile = folder.at('keys', 'master-key-2');
    const { exitCode, stdout } = await runHoldfast(...rewrapTo(newFile));
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ rewrapped: 2, madeNewMasterKey: true, newMasterKeyFile: newFile });
    expect(statSync(newFile).mode & 0o777).toBe(0o600);
    expect(stdout).not.toContain(readFileSync(newFile, 'utf8').trim());

    await using database = await connectDatabase({ dataDir });
    const after = await keysOf(database.db);
    const [present, next] = [await readMasterKeyFile(presentFile), await readMasterKeyFile(newFile)];
    const sealed = (keys: AuthorityKey[]) => keys.map(({ sealedPrivateKey }) => String(sealedPrivateKey));
    expect(before.map((key) => opens(present, key))).toEqual([true, true]);
    expect(sealed(after).filter((bytes) => sealed(before).includes(bytes))).toEqual([]);
    expect(after.map((key) => opens(present, key))).toEqual([false, false]);
    expect(after.map((key) => opens(next, key))).toEqual([true, true]);
    expect(after.map(({ publicJwk }) => publicJwk)).toEqual(before.map(({ publicJwk }) => publicJwk));
    const check = (await readMasterKeyCheck(database.db)) ?? '';
    expect([masterKeyMatches(present, check), masterKeyMatches(next, check)]).toEqual([false, true]);
    const [row] = await database.db.select().from(audit).orderBy(desc(audit.seq)).limit(1);
    expect(row).toMatchObject({ action: 'deployment.rewrap_keys', actor: { kind: 'operator', id: 'operator' } });
  });

  it('changes nothing with a master key that is no longer the present one', async () => {
    const { exitCode, stderr } = await callHoldfast(...rewrapTo(folder.at('master-key-3')));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('is not the one that this deployment is sealed with');
    await using database = await connectDatabase({ dataDir });
    const next = await readMasterKeyFile(folder.at('keys', 'master-key-2'));
    expect((await keysOf(database.db)).map((key) => opens(next, key))).toEqual([true, true]);
  });
});
