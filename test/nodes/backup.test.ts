/** The drills of the README: a stopped copy, restored elsewhere, is the registry that it was. */
import { cp } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { withAuditChain } from '../../src/registry/audit/read-chain.ts';
import { verifyAuditChain } from '../../src/registry/audit/verify-chain.ts';
import { authorityOf } from '../../src/registry/authorities/read-authority.ts';
import { connectDatabase } from '../../src/storage/connect.ts';
import { openEmbedded } from '../../src/storage/embedded.ts';
import { migrateDatabase } from '../../src/storage/migrate.ts';
import { copyMigratedDataDirectory } from '../support/databases.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { TestService } from '../support/service.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

const folder = new TemporaryFolder();
afterAll(() => folder[Symbol.dispose]());

interface Seen {
  authorityId: string;
  sub: string;
  seq: number;
  audit: unknown[];
  statement: string;
}

async function fill(service: TestService): Promise<Seen> {
  const authority = await service.authority();
  const organisation = await service.organisation(authority);
  const { entityIdentifier: sub } = await service.entity(organisation);
  await service.entity(organisation, {}, 'suspended');
  const statement = await (await service.ask(authority, 'fetch', { sub })).text();
  return { authorityId: authority.id, sub, seq: await service.seq(), audit: await service.auditAfter(), statement };
}

async function requireRestored(service: TestService, before: Seen): Promise<void> {
  expect(await service.seq()).toBe(before.seq);
  expect(await service.auditAfter()).toEqual(before.audit);
  expect((await withAuditChain(service.db, verifyAuditChain)).findings).toEqual([]);
  const authority = await authorityOf(service.db, before);
  expect(await (await service.ask(authority, 'fetch', { sub: before.sub })).text()).toBe(before.statement);
  // It goes on from there.
  await service.organisation(authority);
  expect(await service.seq()).toBe(before.seq + 2);
}

describe('a backup', () => {
  it('of the embedded database is a copy of its stopped data directory', async () => {
    const [original, copy] = [folder.at('original'), folder.at('copy')];
    await copyMigratedDataDirectory(original);
    let before: Seen;
    {
      await using service = await TestService.start(await openEmbedded({ dataDir: original }), {});
      before = await fill(service);
    }
    await cp(original, copy, { recursive: true });
    await using restored = await TestService.start(await openEmbedded({ dataDir: copy }), {});
    await requireRestored(restored, before);
  });

  it('of PostgreSQL is a copy of its stopped cluster, with roles', async () => {
    await using original = await startPostgresServer();
    let before: Seen;
    {
      await using owner = await connectDatabase({ url: original.url, role: 'owner' });
      await migrateDatabase(owner);
    }
    {
      await using service = await TestService.start(await connectDatabase({ url: original.url }), {});
      before = await fill(service);
    }
    await original.stop();
    await using copy = await startPostgresServer(original.directory);
    await using restored = await TestService.start(await connectDatabase({ url: copy.url }), {});
    await requireRestored(restored, before);
  });
});
