/** A deployment whose public directory is read, on a real PostgreSQL. */
import path from 'node:path';
import type { Bench } from '../bench.ts';
import { readable } from '../rounds.ts';
import { fillParticipants } from '../samples/fill-participants.ts';
import { TRUST_ANCHOR } from '../samples/registry-records.ts';
import { ADMIN_ENVIRONMENT } from './api-client.ts';
import { createDatabase, postgres } from './deployment.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { runDirectory } from './run-directory.ts';

export const PARTICIPANTS = 10_000;

export const participantsDeployment = async (bench: Bench): Promise<HoldfastProcess> => {
  const databaseUrl = await createDatabase((await bench.shared(postgres)).url, 'bench_participants');
  const dataDir = path.join(runDirectory(), 'data-participants');
  const settings = { baseUrl: TRUST_ANCHOR, dataDir, databaseUrl, environment: ADMIN_ENVIRONMENT };
  bench.progress(`recording ${readable(PARTICIPANTS)} organisations`);
  // The first start makes the authority and its keys.
  await (await startHoldfast(settings))[Symbol.asyncDispose]();
  await fillParticipants(databaseUrl, PARTICIPANTS);
  return await startHoldfast(settings);
};
