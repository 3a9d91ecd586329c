/** Two nodes of one deployment, each a process of its own, on a real PostgreSQL. */
import path from 'node:path';
import { ENDPOINT_PATHS } from '../../../src/issuance/authority-endpoints.ts';
import type { Bench } from '../bench.ts';
import { ADMIN_ENVIRONMENT, BenchClient } from './api-client.ts';
import { createDatabase, postgres } from './deployment.ts';
import { type HoldfastProcess, type HoldfastSettings, startHoldfast } from './holdfast-process.ts';
import { LOCAL_TRUST_ANCHOR } from './resolve-deployment.ts';
import { runDirectory } from './run-directory.ts';

/** A node, and whoever asks it. */
export interface BenchNode {
  service: HoldfastProcess;
  client: BenchClient;
}

export interface TwoNodes extends AsyncDisposable {
  nodes: readonly [BenchNode, BenchNode];
}

export interface TwoNodesPlan {
  /** Tells it from the others of this run. */
  name: string;
  /** Of each client. */
  connections: number;
  /** Fills the registry, past the API, before the nodes start. */
  fill?: (databaseUrl: string) => Promise<void>;
}

/** Both serve the Trust Anchor LOCAL_TRUST_ANCHOR with the same keys. */
export async function startTwoNodes(bench: Bench, { name, connections, fill }: TwoNodesPlan): Promise<TwoNodes> {
  await using stack = new AsyncDisposableStack();
  const databaseUrl = await createDatabase((await bench.shared(postgres)).url, `bench_${name}`);
  const folder = path.join(runDirectory(), `data-${name}`);
  const settingsOf = (node: string): HoldfastSettings => ({
    baseUrl: LOCAL_TRUST_ANCHOR,
    dataDir: path.join(folder, node),
    databaseUrl,
    environment: { ...ADMIN_ENVIRONMENT, HOLDFAST_MASTER_KEY_FILE: path.join(folder, 'first', 'master-key') },
  });
  // The first start makes the authority and its keys.
  await (await startHoldfast(settingsOf('first')))[Symbol.asyncDispose]();
  await fill?.(databaseUrl);
  const start = async (node: string): Promise<BenchNode> => {
    const service = stack.use(await startHoldfast(settingsOf(node)));
    return { service, client: stack.use(new BenchClient(service, connections)) };
  };
  const nodes = [await start('first'), await start('second')] as const;
  const running = stack.move();
  return { nodes, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** One of them decides and the other is watched, by turns. */
export function rolesOf({ nodes }: TwoNodes, turn: number): { deciding: BenchNode; watched: BenchNode } {
  const [first, second] = nodes;
  return turn % 2 === 0 ? { deciding: first, watched: second } : { deciding: second, watched: first };
}

/** Where a statement about a subject is served. */
export function fetchPath(subject: string): string {
  return `${ENDPOINT_PATHS.fetch}?${new URLSearchParams({ sub: subject })}`;
}
