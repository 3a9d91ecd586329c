/** How many partners an authority can take in with all that it checks by itself, from the request to the wait for approval. */
import path from 'node:path';
import { CHALLENGE_PATH } from '../../../src/enrolment/domain-challenge.ts';
import { type EntityIdentifier, entityConfigurationUrl } from '../../../src/federation/identifiers.ts';
import type { Bench } from '../bench.ts';
import { RemoteFederation } from '../federation/remote-federation.ts';
import type { Figure, Measurement } from '../figure.ts';
import { percentile } from '../load/paced-load.ts';
import { inLanes, readable, throughputOf } from '../rounds.ts';
import { addOrganisation, onlyAuthority } from '../samples/add-organisation.ts';
import { ADMIN_ENVIRONMENT, BenchClient } from '../service/api-client.ts';
import { createDatabase, postgres } from '../service/deployment.ts';
import { type HoldfastProcess, startHoldfast } from '../service/holdfast-process.ts';
import { LOCAL_TRUST_ANCHOR } from '../service/resolve-deployment.ts';
import { runDirectory } from '../service/run-directory.ts';

/** Requests under way at once. */
const LANES = 16;
/** So many entities are published for each second, at most; there must be more than are enrolled. */
const MOST_PER_SECOND = 250;
const WARM_UP_SECONDS = 2;
const TERMS = '2027-1';

/** Every step that a service takes by itself. */
const FLOW = [
  { step: 'identity', registration: true },
  { step: 'domain' },
  { step: 'keys' },
  { step: 'configuration' },
  { step: 'metadata_policy' },
  { step: 'roles' },
  { step: 'contacts', types: ['incident'] },
  { step: 'terms', version: TERMS, uri: 'https://trust-anchor.example/terms' },
  { step: 'approvals' },
];

export const enrolments: Figure = {
  name: 'enrolments',
  summary: `enrolments a second whose checks all pass, against entities on loopback, ${LANES} at a time`,
  unit: '/s',
  target: 50,
  better: 'higher',
  async measure(bench) {
    const { rounds, roundSeconds } = bench.plan;
    const count = Math.ceil((rounds * roundSeconds + WARM_UP_SECONDS) * MOST_PER_SECOND);
    const names = Array.from({ length: count }, (_, index) => `rp-${String(index).padStart(5, '0')}`);
    const plan = { superiors: { [LOCAL_TRUST_ANCHOR]: {} }, isRelyingParty: true };
    bench.progress(`publishing ${readable(count)} entities`);
    await using federation = await RemoteFederation.start({
      entities: Object.fromEntries(names.map((name) => [name, plan])),
      isServerPerEntity: false,
    });
    await using service = await startService(bench);
    using client = new BenchClient(service, LANES);
    const subjects = names.map((name) => federation.id(name)).values();
    const enrolment = await prepare(client, federation, nextOf(subjects));
    return await measureEnrolments(bench, client, federation, { enrolment, subjects });
  },
};

async function startService(bench: Bench): Promise<HoldfastProcess> {
  return await startHoldfast({
    baseUrl: LOCAL_TRUST_ANCHOR,
    dataDir: path.join(runDirectory(), 'data-enrolments'),
    databaseUrl: await createDatabase((await bench.shared(postgres)).url, 'bench_enrolments'),
    environment: ADMIN_ENVIRONMENT,
  });
}

/** What all enrolments have in common. */
interface Enrolment {
  organisationId: string;
  roles: string[];
  terms: { version: string; acceptedBy: string };
}

interface EnrolmentAnswer {
  id: string;
  state: string;
  domainChallenge: { challenge: string };
  steps: { step: string; outcome: string; detail: string }[];
}

/** An authority that asks for everything, and an organisation that has it, the proof of its domain at last. */
async function prepare(client: BenchClient, federation: RemoteFederation, first: string): Promise<Enrolment> {
  const { id: authorityId, version } = await onlyAuthority(client);
  await client.api('PATCH', `authorities/${authorityId}`, { body: { enrolmentFlow: FLOW }, ifMatch: `"${version}"` });
  const organisationId = await addOrganisation(client);
  const domain = await client.api<{ id: string }>('POST', 'authorisation-domains', {
    body: { authorityId, name: 'Open Banking' },
  });
  const role = await client.api<{ id: string }>('POST', 'roles', {
    body: {
      ...{ domainId: domain.body.id, name: 'PISP', entityType: 'openid_relying_party' },
      metadataPolicy: { openid_relying_party: { scope: { superset_of: ['openid'] } } },
    },
  });
  const roleId = role.body.id;
  await client.api('POST', `organisations/${organisationId}/roles`, { body: { roleId } });
  const enrolment = { organisationId, roles: [roleId], terms: { version: TERMS, acceptedBy: 'Ada Partner' } };
  const begun = await client.api<EnrolmentAnswer>('POST', 'enrolments', {
    body: { ...enrolment, entityIdentifier: first },
  });
  await federation.publishText(CHALLENGE_PATH, begun.body.domainChallenge.challenge);
  const proven = await client.api<EnrolmentAnswer>('POST', `enrolments/${begun.body.id}/steps/domain/run`);
  requirePassed(first, proven.body);
  return enrolment;
}

/** Nobody but the approvers is waited for. */
function requirePassed(subject: string, { state, steps }: EnrolmentAnswer): void {
  const passed = steps.filter(({ step, outcome }) => outcome === (step === 'approvals' ? 'waiting' : 'passed'));
  if (state === 'pending_approval' && passed.length === FLOW.length) return;
  const others = steps.filter((step) => !passed.includes(step));
  throw new Error(`the enrolment of ${subject} is ${state}: ${JSON.stringify(others)}`);
}

interface Work {
  enrolment: Enrolment;
  /** Those not enrolled yet. */
  subjects: IterableIterator<string>;
}

async function measureEnrolments(
  bench: Bench,
  client: BenchClient,
  federation: RemoteFederation,
  { enrolment, subjects }: Work,
): Promise<Measurement> {
  const waits: number[] = [];
  const enrolled: string[] = [];
  const enrol = async (): Promise<void> => {
    const entityIdentifier = nextOf(subjects);
    const askedAt = performance.now();
    const { body } = await client.api<EnrolmentAnswer>('POST', 'enrolments', {
      body: { ...enrolment, entityIdentifier },
    });
    waits.push(performance.now() - askedAt);
    requirePassed(entityIdentifier, body);
    enrolled.push(entityIdentifier);
  };
  const measurement = await throughputOf(bench, inLanes(LANES, enrol));
  const requests = await federation.requests();
  const unseen = enrolled.filter(
    (subject) => (requests.get(entityConfigurationUrl(subject as EntityIdentifier)) ?? 0) === 0,
  );
  if (unseen.length > 0) throw new Error(`of ${unseen.length} entities the configuration was never asked for`);
  const times = Float64Array.from(waits);
  const details = {
    enrolled: enrolled.length,
    lanes: LANES,
    medianMs: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  };
  return { ...measurement, details };
}

function nextOf(subjects: Iterator<string>): string {
  const { value, done } = subjects.next();
  if (done === true) throw new Error(`all entities are enrolled: publish more than ${MOST_PER_SECOND} for each second`);
  return value;
}
