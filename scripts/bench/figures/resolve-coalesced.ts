/** Whether many who ask for the same subject at once cost its federation more than one. @see OIDFED §8.3, §18.1 */
import { type EntityIdentifier, entityConfigurationUrl } from '../../../src/federation/identifiers.ts';
import type { EntityPlan } from '../federation/federation-plan.ts';
import type { Figure } from '../figure.ts';
import { LoadGenerator } from '../load/load-generator.ts';
import { median, readable } from '../rounds.ts';
import {
  LOCAL_TRUST_ANCHOR,
  type ResolveDeployment,
  resolvePath,
  startResolveDeployment,
} from '../service/resolve-deployment.ts';

const REQUESTS = 1_000;

export const resolveCoalesced: Figure = {
  name: 'resolve_coalesced',
  summary: 'discoveries caused by 1,000 concurrent requests for one subject that was never resolved',
  unit: 'discoveries',
  target: 1,
  better: 'lower',
  async measure(bench) {
    const { rounds } = bench.plan;
    const numbers = Array.from({ length: rounds }, (_, index) => index);
    await using deployment = await startResolveDeployment(bench, {
      ...{ name: 'resolve_coalesced', subjects: 1 },
      // All requests come from one address: its quota is not what is asked about here.
      environment: { HOLDFAST_RESOLVE_ANONYMOUS_UNITS: '1000000' },
      entities: Object.fromEntries(numbers.flatMap(coldEntities)),
    });
    const discoveries: number[] = [];
    const statements: number[] = [];
    for (const number of numbers) {
      const counts = await askAtOnce(deployment, number);
      discoveries.push(Math.max(...counts));
      statements.push(counts.length);
      bench.progress(
        `round ${number + 1} of ${rounds}: each of ${counts.length} statements ${counts.join(', ')} times`,
      );
    }
    return {
      value: Math.max(...discoveries),
      spread: [Math.min(...discoveries), Math.max(...discoveries)],
      rounds,
      details: { concurrentRequests: REQUESTS, remoteStatements: median(statements) },
    };
  },
};

/** A subject of each round's own: enrolled here, and below an Intermediate of others that is enrolled here, too. */
function coldEntities(number: number): [string, EntityPlan][] {
  const intermediate = `intermediate-${number}`;
  return [
    [intermediate, { superiors: { [LOCAL_TRUST_ANCHOR]: {} } }],
    [`cold-${number}`, { superiors: { [LOCAL_TRUST_ANCHOR]: {}, [intermediate]: {} }, isRelyingParty: true }],
  ];
}

/** @returns how often each statement that others serve was asked for; every request is answered with a 200 */
async function askAtOnce(deployment: ResolveDeployment, number: number): Promise<number[]> {
  const { port, host, pid: serverPid, federation } = deployment;
  const subject = federation.id(`cold-${number}`);
  const paths = Array.from({ length: REQUESTS }, () => resolvePath(subject));
  const subjects = paths.map(() => subject);
  const load = { port, host, serverPid, paths, subjects, connections: REQUESTS, pipelining: 1 };
  const before = await federation.requests();
  await using generator = await LoadGenerator.start(load);
  const { operations } = await generator.visitEach();
  if (operations !== REQUESTS) throw new Error(`${readable(operations)} of ${REQUESTS} requests were answered`);
  const after = await federation.requests();
  const asked = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const counts = asked.filter(([, count]) => count > 0);
  const configuration = entityConfigurationUrl(subject as EntityIdentifier);
  if (!counts.some(([name]) => name === configuration)) throw new Error(`nobody asked for ${configuration}`);
  return counts.map(([, count]) => count);
}
