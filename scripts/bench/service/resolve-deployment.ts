/** Deployments that resolve entities of a federation that others serve, on a real PostgreSQL. */
import path from 'node:path';
import { ENDPOINT_PATHS } from '../../../src/issuance/authority-endpoints.ts';
import type { Bench } from '../bench.ts';
import type { EntityPlan } from '../federation/federation-plan.ts';
import { RemoteFederation } from '../federation/remote-federation.ts';
import { readable } from '../rounds.ts';
import { type AuthoritySettings, enrolEntities } from '../samples/enrol-entities.ts';
import { INTERMEDIATE_POLICY } from '../samples/relying-party.ts';
import { ADMIN_ENVIRONMENT, ADMIN_TOKEN } from './api-client.ts';
import { createDatabase, postgres } from './deployment.ts';
import { bodyOf, exchange } from './exchange.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { runDirectory } from './run-directory.ts';

export interface ResolveDeployment extends HoldfastProcess {
  federation: RemoteFederation;
  trustAnchor: string;
  /** Relying Parties below the Intermediate of others, none of which is recorded in the registry. */
  subjects: string[];
  /** Of each subject, where it is resolved. */
  resolvePaths: string[];
}

export interface ResolveDeploymentPlan extends AuthoritySettings {
  /** Tells it from the others of this run. */
  name: string;
  subjects: number;
  /** Further entities of the federation; those that have the Trust Anchor among their superiors are enrolled. */
  entities?: Record<string, EntityPlan>;
  environment?: Record<string, string>;
}

/** On loopback, the service may contact entities on the same machine over http. */
export const LOCAL_TRUST_ANCHOR = 'http://localhost';

const INTERMEDIATE = 'intermediate';
/** Longer than a run takes: nothing is asked for again while something is measured. */
const MAX_AGE_SECONDS = 3600;
const EVALUATIONS_AT_A_TIME = 8;

/** A deployment in which every subject was resolved once, so that all answers are at hand. */
export async function startResolveDeployment(bench: Bench, plan: ResolveDeploymentPlan): Promise<ResolveDeployment> {
  await using stack = new AsyncDisposableStack();
  const { name, resolveLifetimeSeconds, environment } = plan;
  const subjectNames = Array.from({ length: plan.subjects }, (_, index) => `rp-${String(index).padStart(5, '0')}`);
  const entities = federationOf(subjectNames, plan);
  bench.progress(`publishing a federation of ${readable(Object.keys(entities).length)} entities`);
  const federation = stack.use(
    await RemoteFederation.start({ entities, isServerPerEntity: false, maxAgeSeconds: MAX_AGE_SECONDS }),
  );
  bench.progress('starting PostgreSQL');
  const databaseUrl = await createDatabase((await bench.shared(postgres)).url, `bench_${name}`);
  const settings = {
    baseUrl: LOCAL_TRUST_ANCHOR,
    dataDir: path.join(runDirectory(), `data-${name}`),
    databaseUrl,
    environment: {
      ...ADMIN_ENVIRONMENT,
      // All subjects are on one host, and resolved at once by one caller before anything is measured.
      HOLDFAST_RESOLVE_AUTHENTICATED_HOST_REQUESTS_PER_MINUTE: '1000000',
      ...environment,
    },
  };
  // The first start makes the authority and its keys.
  await (await startHoldfast(settings))[Symbol.asyncDispose]();
  await enrolEntities(databaseUrl, enrolledOf(entities, federation), { resolveLifetimeSeconds });
  const service = stack.use(await startHoldfast(settings));
  const subjects = subjectNames.map((subject) => federation.id(subject));
  const resolvePaths = subjects.map(resolvePath);
  await resolveEach(bench, service, resolvePaths);
  const running = stack.move();
  return {
    ...{ ...service, federation, trustAnchor: LOCAL_TRUST_ANCHOR, subjects, resolvePaths },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Where the deployment resolves a subject. */
export function resolvePath(subject: string): string {
  return `${ENDPOINT_PATHS.resolve}?${new URLSearchParams({ sub: subject, trust_anchor: LOCAL_TRUST_ANCHOR })}`;
}

function federationOf(subjects: readonly string[], { entities }: ResolveDeploymentPlan): Record<string, EntityPlan> {
  const below = { [INTERMEDIATE]: { metadata_policy: INTERMEDIATE_POLICY } };
  return {
    [INTERMEDIATE]: { superiors: { [LOCAL_TRUST_ANCHOR]: {} } },
    ...Object.fromEntries(subjects.map((name) => [name, { superiors: below, isRelyingParty: true }])),
    ...entities,
  };
}

function enrolledOf(entities: Record<string, EntityPlan>, federation: RemoteFederation) {
  return Object.entries(entities)
    .filter(([, { superiors = {} }]) => LOCAL_TRUST_ANCHOR in superiors)
    .map(([name, { isRelyingParty = false }]) => ({
      identifier: federation.id(name),
      jwks: federation.jwks(name),
      isIntermediate: !isRelyingParty,
    }));
}

/** Callers with a token have subjects evaluated that nobody here vouches for. */
async function resolveEach(bench: Bench, service: HoldfastProcess, paths: readonly string[]): Promise<void> {
  bench.progress(`having ${readable(paths.length)} subjects resolved`);
  const remaining = paths.values();
  const lane = async (): Promise<void> => {
    for (const resolving of remaining) {
      bodyOf(await exchange(service, resolving, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } }));
    }
  };
  await Promise.all(Array.from({ length: EVALUATIONS_AT_A_TIME }, lane));
}
