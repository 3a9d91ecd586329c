/** Dumps of embedded databases for tests to begin with: to make one takes seconds, to load one a fraction. */
import { existsSync, openAsBlob } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import packageJson from '../../package.json' with { type: 'json' };
import { openEmbedded } from '../../src/storage/embedded.ts';
import { migrateDatabase } from '../../src/storage/migrate.ts';

/** A migrated cluster, made anew for each run. @returns where it is in the folder */
export async function writeMigratedCluster(folder: string): Promise<string> {
  const dataDir = join(folder, 'embedded');
  const database = await openEmbedded({ dataDir }, await emptyCluster());
  await migrateDatabase(database);
  await database[Symbol.asyncDispose]();
  const cluster = await PGlite.create({ dataDir: join(dataDir, 'database') });
  const dump = await cluster.dumpDataDir('none');
  await cluster.close();
  const path = join(folder, 'migrated.tar');
  await writeFile(path, dump.stream());
  return path;
}

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/holdfast');

/** A cluster without any tables, kept between runs. */
export async function emptyCluster(): Promise<Blob> {
  const path = join(CACHE, `pglite-${packageJson.dependencies['@electric-sql/pglite']}.tar`);
  if (!existsSync(path)) {
    const cluster = await PGlite.create({ dataDir: 'memory://' });
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
