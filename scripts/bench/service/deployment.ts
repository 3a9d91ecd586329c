/** Deployments with many subordinates on a real PostgreSQL, each statement of which was served once. */
import path from 'node:path';
import { Client } from 'pg';
import { ENDPOINT_PATHS } from '../../../src/issuance/authority-endpoints.ts';
import { connectDatabase } from '../../../src/storage/connect.ts';
import { migrateDatabase } from '../../../src/storage/migrate.ts';
import { type PostgresServer, startPostgresServer } from '../../../test/support/postgres-server.ts';
import type { Bench } from '../bench.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import { readable } from '../rounds.ts';
import { fillRegistry } from '../samples/fill-registry.ts';
import { subordinateIdentifier, TRUST_ANCHOR } from '../samples/registry-records.ts';
import { bodyOf, exchange } from './exchange.ts';
import { type HoldfastProcess, type HoldfastSettings, startHoldfast } from './holdfast-process.ts';
import { peakMemoryBytes } from './process-memory.ts';
import { runDirectory } from './run-directory.ts';

export interface Deployment extends HoldfastProcess {
  subordinates: number;
  /** Of each subordinate, where the statement about it is. */
  fetchPaths: string[];
  subjects: string[];
  /** Peak resident memory of the serving process once each statement was signed and served, in bytes. */
  peakMemoryBytes: number;
}

/** As many as the issues speak of. */
export const deploymentOf100k = (bench: Bench): Promise<Deployment> => startDeployment(bench, 100_000);

/** So few that nothing depends on their number. */
export const deploymentOf100 = (bench: Bench): Promise<Deployment> => startDeployment(bench, 100);

export const postgres = (_: Bench): Promise<PostgresServer> => startPostgresServer();

const WARM_UP_CONNECTIONS = 16;

async function startDeployment(bench: Bench, subordinates: number): Promise<Deployment> {
  await using stack = new AsyncDisposableStack();
  bench.progress('starting PostgreSQL');
  const databaseUrl = await createDatabase((await bench.shared(postgres)).url, `bench_${subordinates}`);
  const dataDir = path.join(runDirectory(), `data-${subordinates}`);
  const settings: HoldfastSettings = { baseUrl: TRUST_ANCHOR, dataDir, databaseUrl };
  bench.progress(`recording ${readable(subordinates)} subordinates`);
  // The first start makes the authority and its keys.
  await (await startHoldfast(settings))[Symbol.asyncDispose]();
  await fillRegistry(databaseUrl, subordinates);
  const service = stack.use(await startHoldfast(settings));
  const subjects = Array.from({ length: subordinates }, (_, index) => subordinateIdentifier(index));
  const fetchPaths = subjects.map((subject) => `${ENDPOINT_PATHS.fetch}?${new URLSearchParams({ sub: subject })}`);
  await serveEach(bench, service, fetchPaths, subjects);
  await requireWholeList(service, subjects);
  const running = stack.move();
  return {
    ...service,
    subordinates,
    fetchPaths,
    subjects,
    peakMemoryBytes: peakMemoryBytes(service.pid),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** A new database with our schema. @returns its URL */
export async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const admin = new Client(serverUrl);
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${name}`);
  } finally {
    await admin.end();
  }
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await using database = await connectDatabase({ url: url.href, role: 'owner' });
  await migrateDatabase(database);
  return url.href;
}

async function serveEach(bench: Bench, service: HoldfastProcess, paths: string[], subjects: string[]): Promise<void> {
  bench.progress(`having ${readable(paths.length)} statements signed and served`);
  const { port, host, pid: serverPid } = service;
  await using generator = await LoadGenerator.start({
    ...{ port, host, serverPid, paths, subjects },
    connections: WARM_UP_CONNECTIONS,
    pipelining: 1,
  });
  const { operations, seconds } = await generator.visitEach();
  bench.progress(`served ${readable(operations)} statements in ${readable(seconds)} s`);
}

/** Everybody is there. */
async function requireWholeList(service: HoldfastProcess, subjects: string[]): Promise<void> {
  const listed: string[] = JSON.parse(bodyOf(await exchange(service, ENDPOINT_PATHS.list)));
  if (JSON.stringify(listed.toSorted()) === JSON.stringify(subjects)) return;
  throw new Error(`the list has ${listed.length} entries, or not those that were recorded`);
}
