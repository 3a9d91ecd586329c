/** How soon the rest of a deployment vouches for whom one node approved. @see OIDFED §8.1 */
import { decodeJwt } from 'jose';
import { type Bench, FULL_PLAN } from '../bench.ts';
import { RemoteFederation } from '../federation/remote-federation.ts';
import type { Figure, Measurement } from '../figure.ts';
import { percentile } from '../load/paced-load.ts';
import { addOrganisation } from '../samples/add-organisation.ts';
import { bodyOf } from '../service/exchange.ts';
import { LOCAL_TRUST_ANCHOR } from '../service/resolve-deployment.ts';
import { type BenchNode, fetchPath, rolesOf, startTwoNodes, type TwoNodes } from '../service/two-nodes.ts';

const FULL_APPROVALS = 600;
const TRIAL_APPROVALS = 60;
/** Approvals under way at once. */
const LANES = 4;
const GIVE_UP_MS = 10_000;

export const approveToServed: Figure = {
  name: 'approve_to_served_p99',
  summary: "from an approval's answer on one of two nodes to the statement served by the other, p99",
  unit: 'ms',
  target: 1000,
  better: 'lower',
  async measure(bench) {
    const names = Array.from({ length: approvalsOf(bench) }, (_, index) => `rp-${String(index).padStart(5, '0')}`);
    const entities = Object.fromEntries(
      names.map((name) => [name, { superiors: { [LOCAL_TRUST_ANCHOR]: {} }, isRelyingParty: true }]),
    );
    bench.progress(`publishing ${names.length} entities`);
    await using federation = await RemoteFederation.start({ entities, isServerPerEntity: false });
    await using deployment = await startTwoNodes(bench, { name: 'approve_to_served', connections: 2 * LANES });
    const subjects = names.map((name) => federation.id(name));
    const pending = await enrolEach(bench, deployment, subjects);
    return await measureApprovals(bench, deployment, pending);
  },
};

function approvalsOf({ plan: { rounds, roundSeconds } }: Bench): number {
  const isFull = rounds >= FULL_PLAN.rounds && roundSeconds >= FULL_PLAN.roundSeconds;
  return isFull ? FULL_APPROVALS : TRIAL_APPROVALS;
}

interface Pending {
  id: string;
  etag: string;
  subject: string;
}

/** Enrols all, so that nothing but the approvals is under way when these are measured. */
async function enrolEach(bench: Bench, { nodes }: TwoNodes, subjects: readonly string[]): Promise<Pending[]> {
  bench.progress(`enrolling ${subjects.length} entities`);
  const [{ client }] = nodes;
  const organisationId = await addOrganisation(client);
  return await inTurn(subjects, async (subject) => {
    const entity = { organisationId, entityIdentifier: subject };
    const { body, etag } = await client.api<{ id: string; state: string }>('POST', 'entities', { body: entity });
    if (body.state !== 'pending') throw new Error(`${subject} is ${body.state} before its approval`);
    return { id: body.id, etag, subject };
  });
}

async function measureApprovals(bench: Bench, deployment: TwoNodes, pending: readonly Pending[]): Promise<Measurement> {
  bench.progress(`approving ${pending.length} entities, ${LANES} at a time`);
  const times = await inTurn(pending, (entity, turn) => approveAndWatch(entity, rolesOf(deployment, turn)));
  const waits = Float64Array.from(times);
  return {
    value: percentile(waits, 0.99),
    details: { approvals: waits.length, lanes: LANES, median: percentile(waits, 0.5), longest: percentile(waits, 1) },
  };
}

/** @returns milliseconds from the moment when the answer to the approval was there, whole */
async function approveAndWatch(
  { id, etag, subject }: Pending,
  { deciding, watched }: { deciding: BenchNode; watched: BenchNode },
): Promise<number> {
  if (await isServed(watched, subject)) throw new Error(`${subject} is vouched for before its approval`);
  const approval = { body: { reason: 'approved by the bench' }, ifMatch: etag };
  const { body } = await deciding.client.api<{ state: string }>('POST', `entities/${id}/approve`, approval);
  const answeredAt = performance.now();
  if (body.state !== 'active') throw new Error(`${subject} is ${body.state} after its approval`);
  for (;;) {
    const isThere = await isServed(watched, subject);
    const passedMs = performance.now() - answeredAt;
    if (isThere) return passedMs;
    if (passedMs > GIVE_UP_MS) throw new Error(`${subject} is not served by the other node after ${passedMs} ms`);
  }
}

/** @throws Error at an answer that is neither a statement about the subject nor a refusal for want of one */
async function isServed({ client }: BenchNode, subject: string): Promise<boolean> {
  const answer = await client.get(fetchPath(subject));
  if (answer.status === 404) return false;
  const { iss, sub } = decodeJwt(bodyOf(answer));
  if (iss !== LOCAL_TRUST_ANCHOR || sub !== subject) throw new Error(`asked for ${subject}: ${iss} speaks of ${sub}`);
  return true;
}

/** Works on all, as many at a time as there are lanes; results are in their order. */
async function inTurn<T, R>(all: readonly T[], work: (one: T, turn: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const remaining = all.entries();
  const lane = async (): Promise<void> => {
    for (const [turn, one] of remaining) results[turn] = await work(one, turn);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}
