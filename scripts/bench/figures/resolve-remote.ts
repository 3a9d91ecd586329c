/** Full resolutions over HTTP, over the quickest other client on npm. @see OIDFED §10 */

import { RemoteFederation } from '../federation/remote-federation.ts';
import type { Figure } from '../figure.ts';
import type { PeerName, ResolvePlan } from '../resolvers/resolve-plan.ts';
import { ResolverProcess, Unresolved } from '../resolvers/resolver-process.ts';
import { readable, shareOfFloor } from '../rounds.ts';
import { ANCHOR_POLICY, MERGEABLE_INTERMEDIATE_POLICY } from '../samples/relying-party.ts';

const CONCURRENCY = 8;
const PEERS: readonly PeerName[] = ['@openid-federation/core', '@sphereon/openid-federation-client'];
/** Long enough to tell which of the others is the quickest. */
const TRIAL_SECONDS = 1;

export const resolveRemote: Figure = {
  name: 'resolve_remote',
  summary: `leaf → Intermediate → Trust Anchor resolved a second over HTTP, nothing cached, ${CONCURRENCY} at a time, over the quickest other npm client`,
  unit: 'ratio',
  target: 1.5,
  better: 'higher',
  async measure(bench) {
    await using federation = await RemoteFederation.start({
      isServerPerEntity: true,
      entities: {
        anchor: {},
        intermediate: { superiors: { anchor: { metadata_policy: ANCHOR_POLICY } } },
        rp: { superiors: { intermediate: { metadata_policy: MERGEABLE_INTERMEDIATE_POLICY } }, isRelyingParty: true },
      },
    });
    const question = {
      subject: federation.id('rp'),
      trustAnchor: federation.id('anchor'),
      jwks: federation.jwks('anchor'),
    };
    await using ours = await ResolverProcess.start({ resolver: 'holdfast', ...question });
    await using peers = new AsyncDisposableStack();
    const trials = await tryPeers(question, peers);
    const [quickest] = trials.filter(({ perSecond }) => perSecond > 0).toSorted((a, b) => b.perSecond - a.perSecond);
    if (quickest?.process === undefined) throw new Error(`no other client resolves this: ${JSON.stringify(trials)}`);
    const { process: floor, resolver } = quickest;
    const measurement = await shareOfFloor(bench, ours.resolutions(CONCURRENCY), floor.resolutions(CONCURRENCY));
    bench.progress('the same one after the other');
    const sequential = await shareOfFloor(bench, ours.resolutions(1), floor.resolutions(1));
    return {
      ...measurement,
      details: {
        ...measurement.details,
        sequential: sequential.value,
        sequentialPerSecond: sequential.details?.['perSecond'] ?? Number.NaN,
        sequentialFloorPerSecond: sequential.details?.['floorPerSecond'] ?? Number.NaN,
        floor: resolver,
        ...Object.fromEntries(trials.map(({ resolver: name, finding }) => [name, finding])),
        concurrency: CONCURRENCY,
      },
    };
  },
};

interface Trial {
  resolver: PeerName;
  process?: ResolverProcess;
  perSecond: number;
  /** In words. */
  finding: string;
}

async function tryPeers(question: Omit<ResolvePlan, 'resolver'>, stack: AsyncDisposableStack): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const resolver of PEERS) trials.push(await tryPeer({ resolver, ...question }, stack));
  return trials;
}

async function tryPeer(plan: ResolvePlan & { resolver: PeerName }, stack: AsyncDisposableStack): Promise<Trial> {
  const { resolver } = plan;
  try {
    const process = stack.use(await ResolverProcess.start(plan));
    const resolve = process.resolutions(CONCURRENCY);
    await resolve(TRIAL_SECONDS);
    const { operations, seconds } = await resolve(TRIAL_SECONDS);
    const perSecond = operations / seconds;
    return { resolver, process, perSecond, finding: `${readable(perSecond)}/s in a trial` };
  } catch (error) {
    if (!(error instanceof Unresolved)) throw error;
    return { resolver, perSecond: 0, finding: `does not resolve this chain: ${error.message}` };
  }
}
