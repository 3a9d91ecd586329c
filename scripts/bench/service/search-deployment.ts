/** A deployment whose registry is searched, on a real PostgreSQL. */
import path from 'node:path';
import type { Bench } from '../bench.ts';
import { readable } from '../rounds.ts';
import { type Differences, fillRegistry } from '../samples/fill-registry.ts';
import { TRUST_ANCHOR } from '../samples/registry-records.ts';
import { ADMIN_ENVIRONMENT } from './api-client.ts';
import { createDatabase, postgres } from './deployment.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { runDirectory } from './run-directory.ts';

export type SearchDeployment = HoldfastProcess;

/** @param differences of each entity from what all others have */
export async function startSearchDeployment(
  bench: Bench,
  entities: number,
  differences: Differences,
): Promise<SearchDeployment> {
  const databaseUrl = await createDatabase((await bench.shared(postgres)).url, 'bench_search');
  const dataDir = path.join(runDirectory(), 'data-search');
  const settings = { baseUrl: TRUST_ANCHOR, dataDir, databaseUrl, environment: ADMIN_ENVIRONMENT };
  bench.progress(`recording ${readable(entities)} entities`);
  // The first start makes the authority and its keys.
  await (await startHoldfast(settings))[Symbol.asyncDispose]();
  await fillRegistry(databaseUrl, entities, differences);
  return await startHoldfast(settings);
}
