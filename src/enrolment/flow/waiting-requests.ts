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
  /** Below one domain: whoever has one can make names without end. */
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
}

export type Newcomer = Pick<WaitingRequest, 'entityIdentifier' | 'askedFrom'>;

/**
 * Makes room for one more: where there are too many, one that proved nothing lapses.
 * @throws RegistryError limit_reached
 */
export async function makeRoom(
  context: ChangeContext,
  { authorityId, via, ...newcomer }: Newcomer & { authorityId: string; via: EnrolmentVia },
): Promise<void> {
  const crowd = crowdAround(await waitingRequests(context, authorityId, via), newcomer);
  if (crowd === undefined) return;
  const leaving = whoLeaves(crowd, await provenOf(context, crowd, via));
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
 * The requests of which one has to leave: of the entity, of its domain, or all.
 * @param waiting oldest first
 * @returns undefined where there is room
 * @throws RegistryError limit_reached, where the network of the newcomer has its share
 */
export function crowdAround(
  waiting: readonly WaitingRequest[],
  newcomer: Newcomer,
): readonly WaitingRequest[] | undefined {
  const network = networkOf(newcomer);
  const ofNetwork = waiting.filter((request) => network !== null && networkOf(request) === network);
  if (ofNetwork.length >= WAITING_LIMITS.network) throw full();
  const ofEntity = waiting.filter(({ entityIdentifier }) => entityIdentifier === newcomer.entityIdentifier);
  if (ofEntity.length >= WAITING_LIMITS.entity) return ofEntity;
  const domain = domainOf(newcomer);
  const ofDomain = waiting.filter((request) => domainOf(request) === domain);
  if (ofDomain.length >= WAITING_LIMITS.domain) return ofDomain;
  return waiting.length < WAITING_LIMITS.all ? undefined : waiting;
}

/**
 * Of those that proved nothing, the newest from the network with the most; among such networks, of the domain with the most.
 * @param crowd oldest first
 * @param proven their ids
 * @throws RegistryError limit_reached, where all are proven
 */
export function whoLeaves(crowd: readonly WaitingRequest[], proven: ReadonlySet<string>): WaitingRequest {
  const unproven = crowd.filter(({ id }) => !proven.has(id));
  const fromOneNetwork = mostFrequent(unproven, (request) => networkOf(request) ?? request.id);
  const leaving = mostFrequent(fromOneNetwork, domainOf).at(-1);
  if (leaving === undefined) throw full();
  return leaving;
}

/** Those whose key most have; of several such keys, all. */
function mostFrequent(requests: WaitingRequest[], keyOf: (request: WaitingRequest) => string): WaitingRequest[] {
  const groups = Map.groupBy(requests, keyOf);
  const most = Math.max(...[...groups.values()].map(({ length }) => length));
  return requests.filter((request) => groups.get(keyOf(request))?.length === most);
}

function full(): RegistryError {
  return new RegistryError('limit_reached', 'too many requests wait for somebody already; ask the authority itself');
}

/** Of IPv6 the /48 that sites have, since each holds 65,536 of the /64 that a client is counted as. */
function networkOf({ askedFrom }: Pick<WaitingRequest, 'askedFrom'>): string | null {
  return askedFrom?.replace(/^(\w+:\w+:\w+):\w+::\/64$/, '$1::/48') ?? null;
}

/** Its last two labels, three where names are sold below such as `co.uk`; an address is one of its own. */
function domainOf({ entityIdentifier }: Pick<WaitingRequest, 'entityIdentifier'>): string {
  const { hostname } = new URL(entityIdentifier);
  if (/^\[|\.\d+$/.test(hostname)) return hostname;
  const isBelowSuffix = /\.[^.]{1,3}\.[a-z]{2}$/.test(hostname);
  return hostname
    .split('.')
    .slice(isBelowSuffix ? -3 : -2)
    .join('.');
}

/** Without their steps: most often there is room, or the network alone decides. */
async function waitingRequests(
  { db }: ChangeContext,
  authorityId: string,
  via: EnrolmentVia,
): Promise<WaitingRequest[]> {
  const { id, version, entityIdentifier, askedFrom, createdAt } = enrolments;
  return await db
    .select({ id, version, entityIdentifier, askedFrom })
    .from(enrolments)
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

/**
 * The ids of those whose own steps have passed. What an entity publishes tells nothing of who asked for it without its
 * signature: such a request is proven by the domain.
 */
async function provenOf(
  { db }: ChangeContext,
  crowd: readonly WaitingRequest[],
  via: EnrolmentVia,
): Promise<ReadonlySet<string>> {
  const { enrolmentId, step, outcome } = enrolmentSteps;
  const ids = crowd.map(({ id }) => id);
  const havePassed = sql`bool_and(${outcome} = 'passed')`;
  const rows = await db
    .select({ enrolmentId })
    .from(enrolmentSteps)
    .where(and(inArray(enrolmentId, ids), inArray(step, [...OWN_STEPS])))
    .groupBy(enrolmentId)
    .having(via === 'public' ? sql`${havePassed} and bool_or(${step} = 'domain')` : havePassed);
  return new Set(rows.map((row) => row.enrolmentId));
}
