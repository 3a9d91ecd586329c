/** How long people wait who look for somebody among very many partners, page by page and by whatever they know. */
import { randomInt } from 'node:crypto';
import type { Bench } from '../bench.ts';
import type { Figure, Measurement } from '../figure.ts';
import { percentile, sendPaced } from '../load/paced-load.ts';
import { readable } from '../rounds.ts';
import {
  differencesOf,
  type Search,
  type SearchedEntity,
  searchedEntity,
  searches,
} from '../samples/searched-registry.ts';
import { ADMIN_TOKEN, BenchClient } from '../service/api-client.ts';
import { type SearchDeployment, startSearchDeployment } from '../service/search-deployment.ts';

const ENTITIES = 100_000;
/** As many people as a directory of that size has at a busy hour, and more. */
const PER_SECOND = 30;
/** Of each kind of question so many are asked, about as many entities. */
const QUESTIONS = 20;
const PAGE = 50;
const LARGEST_PAGE = 500;

export const search100k: Figure = {
  name: 'search_100k_p95',
  summary: `p95 of searches among 100,000 entities by text, type, state, organisation and pages, ${PER_SECOND} a second`,
  unit: 'ms',
  target: 50,
  better: 'lower',
  async measure(bench) {
    await using deployment = await startSearchDeployment(bench, ENTITIES, differencesOf);
    using client = new BenchClient(deployment, 4);
    const all = Array.from({ length: ENTITIES }, (_, index) => searchedEntity(index));
    const asked = await questions(client, all);
    bench.progress(`holding ${asked.length} answers against what must be found`);
    for (const search of asked) await requireFound(client, search, all);
    const pages = await cursorsOfActive(bench, client, all);
    return await measureWaits(bench, deployment, [...kindsOf(asked), { kind: 'a page further on', paths: pages }]);
  },
};

async function questions(client: BenchClient, all: readonly SearchedEntity[]): Promise<Search[]> {
  const asked: Search[] = [];
  for (let question = 0; question < QUESTIONS; question++) {
    const somebody = all[randomInt(all.length)] ?? searchedEntity(0);
    const [found] = (await page(client, { entityIdentifier: somebody.identifier })).items;
    if (found === undefined) throw new Error(`${somebody.identifier} is not found`);
    asked.push(...searches(somebody, found.organisationId));
  }
  return asked;
}

interface FoundPage {
  items: { entityIdentifier: string; organisationId: string }[];
  next?: string;
}

async function page(client: BenchClient, query: Record<string, string>): Promise<FoundPage> {
  return (await client.api<FoundPage>('GET', pathOf(query))).body;
}

function pathOf(query: Record<string, string>): string {
  return `entities?${new URLSearchParams(query)}`;
}

/** The first page has nobody else, is full where there are as many, and says whether there are more. */
async function requireFound(client: BenchClient, search: Search, all: readonly SearchedEntity[]): Promise<void> {
  const wanted = new Set(all.filter(search.finds).map(({ identifier }) => identifier));
  const { items, next } = await page(client, search.query);
  const found = new Set(items.map(({ entityIdentifier }) => entityIdentifier));
  const isEachWanted = [...found].every((identifier) => wanted.has(identifier));
  const isWhole = found.size === items.length && found.size === Math.min(PAGE, wanted.size);
  if (isEachWanted && isWhole && (next !== undefined) === wanted.size > PAGE) return;
  const told = `${items.length} found of ${wanted.size}, ${next === undefined ? 'the last page' : 'with a next page'}`;
  throw new Error(`${JSON.stringify(search.query)}: ${told}; or others than those`);
}

/** Walks through all that are active, each of whom must come once. @returns paths of pages on the way */
async function cursorsOfActive(bench: Bench, client: BenchClient, all: readonly SearchedEntity[]): Promise<string[]> {
  const active = new Set(all.filter(({ state }) => state === 'active').map(({ identifier }) => identifier));
  bench.progress(`walking through ${readable(active.size)} that are active`);
  const paths: string[] = [];
  const left = new Set(active);
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const from: Record<string, string> = cursor === '' ? {} : { cursor };
    const { items, next }: FoundPage = await page(client, { state: 'active', limit: String(LARGEST_PAGE), ...from });
    for (const { entityIdentifier } of items) {
      if (!left.delete(entityIdentifier)) throw new Error(`${entityIdentifier} is no active entity, or came twice`);
    }
    if (next !== undefined) paths.push(pathOf({ state: 'active', cursor: next }));
    cursor = next;
  }
  if (left.size > 0) throw new Error(`${left.size} active entities are on no page`);
  return paths;
}

interface Kind {
  kind: string;
  paths: string[];
}

function kindsOf(asked: readonly Search[]): Kind[] {
  const kinds = Map.groupBy(asked, ({ kind }) => kind);
  return [...kinds].map(([kind, ofKind]) => ({ kind, paths: ofKind.map(({ query }) => pathOf(query)) }));
}

async function measureWaits(bench: Bench, deployment: SearchDeployment, kinds: readonly Kind[]): Promise<Measurement> {
  const { rounds, roundSeconds } = bench.plan;
  const count = Math.ceil(rounds * roundSeconds * PER_SECOND);
  const drawn = Array.from({ length: count }, () => {
    const { kind, paths } = kinds[randomInt(kinds.length)] as Kind;
    return { kind, path: `/api/v1/${paths[randomInt(paths.length)]}` };
  });
  bench.progress(`${readable(count)} searches, ${PER_SECOND} a second`);
  const { port, host } = deployment;
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const { statuses, latenciesMs } = await sendPaced({ port, host, headers, requests: drawn, perSecond: PER_SECOND });
  if (statuses.get(200) !== count) {
    throw new Error(
      `of ${count} searches there were ${[...statuses].map(([status, times]) => `${times} × ${status}`)}`,
    );
  }
  const slowest = kinds
    .map(({ kind }) => ({
      kind,
      median: percentile(
        latenciesMs.filter((_, index) => drawn[index]?.kind === kind),
        0.5,
      ),
    }))
    .toSorted((one, other) => other.median - one.median);
  return {
    value: percentile(latenciesMs, 0.95),
    details: {
      ...{ searches: count, perSecond: PER_SECOND, median: percentile(latenciesMs, 0.5) },
      p99: percentile(latenciesMs, 0.99),
      slowestKinds: slowest
        .slice(0, 4)
        .map(({ kind, median }) => `${kind} ${readable(median)} ms`)
        .join(', '),
    },
  };
}
