/** Dumps of embedded databases for tests to begin with: to make one takes seconds, to load one a fraction. */
import { existsSync, openAsBlob } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import packageJson from '../../package.json' with { type: 'json' };
import { openEmbedded } from '../../src/storage/embedded.ts';
import { migrateDatabase } from '../../src/storage/migrate.ts';

/** A migrated cluster, made anew for each run: as a data directory to copy and as a dump to load. */
export async function writeMigratedCluster(folder: string): Promise<{ dataDir: string; dump: string }> {
  const dataDir = join(folder, 'embedded');
  const database = await openEmbedded({ dataDir }, await emptyCluster());
  await migrateDatabase(database);
  await database[Symbol.asyncDispose]();
  const cluster = await PGlite.create({ dataDir: join(dataDir, 'database') });
  const dump = await cluster.dumpDataDir('none');
  await cluster.close();
  const path = join(folder, 'migrated.tar');
  await writeFile(path, dump.stream());
  return { dataDir, dump: path };
}

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/holdfast');

/** A cluster without any tables, kept between runs. */
export async function emptyCluster(): Promise<Blob> {
  const path = join(CACHE, `pglite-${packageJson.dependencies['@electric-sql/pglite']}-for-tests.tar`);
  if (!existsSync(path)) {
    const cluster = await PGlite.create({ dataDir: 'memory://', initDbStartParams: ['--wal-segsize=1'] });
    await makeSmall(cluster);
    const dump = await cluster.dumpDataDir('none');
    await cluster.close();
    await mkdir(CACHE, { recursive: true });
    // Other workers may do the same: a rename shows them the whole file or none.
    const unfinished = `${path}.${process.pid}`;
    await writeFile(unfinished, dump.stream());
    await rename(unfinished, path);
  }
  return await openAsBlob(path);
}

/** Leaves out what a test has no use for and each start would have to load or to fill with zeros. */
async function makeSmall(cluster: PGlite): Promise<void> {
  await cluster.exec(`ALTER SYSTEM SET shared_buffers = '8MB'`);
  await cluster.exec('UPDATE pg_database SET datistemplate = false');
  for (const database of ['template0', 'template1']) await cluster.exec(`DROP DATABASE ${database}`);
}
