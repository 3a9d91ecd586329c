/** How many requests may wait whose organisation nobody knows, and which of them makes room: anybody can send them. */
import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { ChangeContext } from '../../registry/change.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { EnrolmentStepName } from '../../storage/schema/enrolment-flow.ts';
import { type EnrolmentVia, enrolmentSteps, enrolments } from '../../storage/schema/enrolments.ts';
import { closeEnrolment } from './close-enrolment.ts';
import { OPEN_STATES, onBehalfOfFlow } from './enrolment.ts';
import { readEnrolment } from './read-enrolment.ts';

/** At a time under one authority, of each kind: those from anybody, and those that entities signed. */
export const WAITING_LIMITS = {
  all: 1000,
  /** Below one domain, told by its last two labels: whoever has one can make names without end. */
  domain: 50,
  /** From one network. */
  network: 50,
  /** For one entity; one that signs has a single open one. */
  entity: 5,
} as const;

/** What whoever asks can show by itself, before anybody says whose the entity is. */
const OWN_STEPS: readonly EnrolmentStepName[] = ['domain', 'keys', 'configuration', 'metadata_policy'];

export interface WaitingRequest {
  id: string;
  version: number;
  entityIdentifier: string;
  /** The network that it came from; null: not known. */
  askedFrom: string | null;
  /** Whether its own steps have passed. */
  isProven: boolean;
}

export type Newcomer = Pick<WaitingRequest, 'entityIdentifier' | 'askedFrom'>;

/**
 * Makes room for one more: where there are too many, the oldest that proved nothing lapses, of the domain with the most.
 * @throws RegistryError limit_reached
 */
export async function makeRoom(
  context: ChangeContext,
  { authorityId, via, ...newcomer }: Newcomer & { authorityId: string; via: EnrolmentVia },
): Promise<void> {
  const leaving = whoLeaves(await waitingRequests(context, authorityId, via), newcomer);
  if (leaving === undefined) return;
  const inFlow = onBehalfOfFlow(context);
  const enrolment = await readEnrolment(inFlow.db, inFlow.actor, leaving.id);
  try {
    const reason = 'made room for later requests; nothing was proven';
    await closeEnrolment(context, enrolment, 'cancel', { state: 'lapsed', reason, expectedVersion: leaving.version });
  } catch (error) {
    // Somebody took it up, or it proved itself, meanwhile: for once there is one too many.
    if (!(error instanceof RegistryError)) throw error;
  }
}

/**
 * @param waiting oldest first
 * @returns undefined where there is room
 * @throws RegistryError limit_reached
 */
export function whoLeaves(waiting: readonly WaitingRequest[], newcomer: Newcomer): WaitingRequest | undefined {
  const ofEntity = waiting.filter(({ entityIdentifier }) => entityIdentifier === newcomer.entityIdentifier);
  const ofNetwork = waiting.filter(({ askedFrom }) => askedFrom !== null && askedFrom === newcomer.askedFrom);
  if (ofEntity.length >= WAITING_LIMITS.entity || ofNetwork.length >= WAITING_LIMITS.network) throw full();
  const byDomain = Map.groupBy(waiting, domainOf);
  const ofDomain = byDomain.get(domainOf(newcomer)) ?? [];
  if (ofDomain.length >= WAITING_LIMITS.domain) return firstUnproven(ofDomain);
  if (waiting.length < WAITING_LIMITS.all) return undefined;
  const domains = [...byDomain.values()].toSorted((one, other) => other.length - one.length);
  return firstUnproven(domains.flat());
}

function firstUnproven(waiting: readonly WaitingRequest[]): WaitingRequest {
  const unproven = waiting.find(({ isProven }) => !isProven);
  if (unproven === undefined) throw full();
  return unproven;
}

function full(): RegistryError {
  return new RegistryError('limit_reached', 'too many requests wait for somebody already; ask the authority itself');
}

/** Its last two labels; an address is one of its own. */
function domainOf({ entityIdentifier }: Pick<WaitingRequest, 'entityIdentifier'>): string {
  const { hostname } = new URL(entityIdentifier);
  const labels = hostname.split('.');
  return /^\[|\.\d+$/.test(hostname) ? hostname : labels.slice(-2).join('.');
}

async function waitingRequests(
  { db }: ChangeContext,
  authorityId: string,
  via: EnrolmentVia,
): Promise<WaitingRequest[]> {
  const steps = db
    .select({
      enrolmentId: enrolmentSteps.enrolmentId,
      passed: sql<boolean>`bool_and(${enrolmentSteps.outcome} = 'passed')`.as('passed'),
    })
    .from(enrolmentSteps)
    .where(inArray(enrolmentSteps.step, [...OWN_STEPS]))
    .groupBy(enrolmentSteps.enrolmentId)
    .as('own_steps');
  const { id, version, entityIdentifier, askedFrom, createdAt } = enrolments;
  return await db
    .select({ id, version, entityIdentifier, askedFrom, isProven: sql<boolean>`coalesce(${steps.passed}, false)` })
    .from(enrolments)
    .leftJoin(steps, eq(steps.enrolmentId, id))
    .where(
      and(
        eq(enrolments.authorityId, authorityId),
        eq(enrolments.submittedVia, via),
        isNull(enrolments.organisationId),
        inArray(enrolments.state, [...OPEN_STATES]),
      ),
    )
    .orderBy(asc(createdAt), asc(id));
}
