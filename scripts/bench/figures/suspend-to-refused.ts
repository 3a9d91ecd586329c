/** How soon the rest of a deployment stops vouching for all of an organisation that one node suspended. @see OIDFED §8.1 */
import type { Bench } from '../bench.ts';
import type { Figure, Measurement } from '../figure.ts';
import { percentile } from '../load/paced-load.ts';
import { readable } from '../rounds.ts';
import { enrolEntities } from '../samples/enrol-entities.ts';
import { generatePublicKeys, subordinateIdentifier } from '../samples/registry-records.ts';
import { type BenchNode, fetchPath, rolesOf, startTwoNodes, type TwoNodes } from '../service/two-nodes.ts';

/** Applications of the organisation. */
const APPLICATIONS = 1000;
/** Requests under way at once. */
const CONNECTIONS = 16;
const GIVE_UP_MS = 10_000;
const ENTITY_KEYS = 100;

export const suspendToRefused: Figure = {
  name: 'suspend_to_refused_p99',
  summary: `from the answer to the suspension of an organisation with ${readable(APPLICATIONS)} applications on one of two nodes to each one's refusal by the other, p99`,
  unit: 'ms',
  target: 1000,
  better: 'lower',
  async measure(bench) {
    const subjects = Array.from({ length: APPLICATIONS }, (_, index) => subordinateIdentifier(index));
    bench.progress(`recording an organisation with ${readable(APPLICATIONS)} applications`);
    const fill = (databaseUrl: string) => enrolApplications(databaseUrl, subjects);
    await using deployment = await startTwoNodes(bench, { name: 'suspend', connections: CONNECTIONS, fill });
    return await measureSuspensions(bench, deployment, subjects);
  },
};

/** All of one organisation, the only one that there is. */
async function enrolApplications(databaseUrl: string, subjects: readonly string[]): Promise<void> {
  const keys = await generatePublicKeys(ENTITY_KEYS);
  const enrolled = subjects.map((identifier, index) => {
    const key = keys[index % keys.length];
    return { identifier, jwks: { keys: key === undefined ? [] : [key] }, isIntermediate: false };
  });
  await enrolEntities(databaseUrl, enrolled);
}

async function measureSuspensions(
  bench: Bench,
  deployment: TwoNodes,
  subjects: readonly string[],
): Promise<Measurement> {
  const organisationId = await onlyOrganisation(deployment.nodes[0]);
  await addIncidentContact(deployment.nodes[0], organisationId);
  const { rounds } = bench.plan;
  const waits: number[] = [];
  const lasts: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { deciding, watched } = rolesOf(deployment, round);
    for (const node of deployment.nodes) await untilAll(node, subjects, 200);
    const suspendedAt = await decide(deciding, organisationId, 'suspend');
    const refused = await untilAll(watched, subjects, 404, suspendedAt);
    for (const node of deployment.nodes) await requireAll(node, subjects, 404);
    waits.push(...refused);
    lasts.push(Math.max(...refused));
    bench.progress(`round ${round + 1} of ${rounds}: all refused after ${readable(lasts.at(-1) ?? Number.NaN)} ms`);
    await decide(deciding, organisationId, 'reinstate');
  }
  const all = Float64Array.from(waits);
  return {
    value: percentile(all, 0.99),
    spread: [Math.min(...lasts), Math.max(...lasts)],
    rounds,
    details: { applications: subjects.length, median: percentile(all, 0.5) },
  };
}

async function onlyOrganisation({ client }: BenchNode): Promise<string> {
  const { body } = await client.api<{ items: { id: string }[] }>('GET', 'organisations');
  const [organisation, ...others] = body.items;
  if (organisation === undefined || others.length > 0) throw new Error('there is no organisation, or several');
  return organisation.id;
}

/** Without one it would not be reinstated. */
async function addIncidentContact({ client }: BenchNode, organisationId: string): Promise<void> {
  const body = { type: 'incident', email: 'incident@partner.example' };
  await client.api('POST', `organisations/${organisationId}/contacts`, { body });
}

interface Decided {
  affected: { kind: string; stateAfter: string }[];
}

/** @returns when the answer was there, whole: a moment of `performance.now()` */
async function decide({ client }: BenchNode, id: string, transition: 'suspend' | 'reinstate'): Promise<number> {
  const body = { reason: 'by the bench' };
  const answer = await client.api<Decided>('POST', `organisations/${id}/${transition}`, { body });
  const answeredAt = performance.now();
  const stateAfter = transition === 'suspend' ? 'suspended' : 'active';
  const told = answer.body.affected.filter((one) => one.kind === 'entity' && one.stateAfter === stateAfter).length;
  if (told === APPLICATIONS) return answeredAt;
  throw new Error(`the answer to ${transition} tells of ${told} applications`);
}

/**
 * Asks for all, and again for those of which the answer is not the one that is waited for.
 * @returns when each answer first was so, in milliseconds since the moment that counts
 */
async function untilAll(
  { client }: BenchNode,
  subjects: readonly string[],
  status: 200 | 404,
  since = performance.now(),
): Promise<number[]> {
  const waiting = subjects.map(fetchPath);
  const times: number[] = [];
  const lane = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const answer = await client.get(path);
      const passedMs = performance.now() - since;
      if (answer.status === status) times.push(passedMs);
      else if (answer.status !== 200 && answer.status !== 404) throw new Error(`${path}: status ${answer.status}`);
      else if (passedMs > GIVE_UP_MS) throw new Error(`${path} still has status ${answer.status} after ${passedMs} ms`);
      else waiting.push(path);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  return times;
}

/** Nobody is forgotten, and nobody comes back. */
async function requireAll({ client }: BenchNode, subjects: readonly string[], status: number): Promise<void> {
  const waiting = subjects.map(fetchPath).values();
  const lane = async (): Promise<void> => {
    for (const path of waiting) {
      const answer = await client.get(path);
      if (answer.status !== status) throw new Error(`${path} has status ${answer.status} instead of ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
}
