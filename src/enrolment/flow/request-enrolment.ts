/** Enrolments that come without a token: signed by the entity itself, or from anybody. */
import { and, count, eq, inArray } from 'drizzle-orm';
import type { Actor } from '../../registry/actor.ts';
import type { Authority } from '../../registry/authorities/authority.ts';
import type { ChangeContext } from '../../registry/change.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import { type EnrolmentRequest, type EnrolmentVia, enrolments } from '../../storage/schema/enrolments.ts';
import { organisationDomains } from '../../storage/schema/organisation-proofs.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { runEnrolmentSteps } from './change-enrolment.ts';
import { type Enrolment, OPEN_STATES, onBehalfOfFlow, PUBLIC_LIFETIME_SECONDS } from './enrolment.ts';
import { readEnrolment } from './read-enrolment.ts';
import type { EnrolmentTools } from './step-subject.ts';
import { inputRequest, newEnrolmentRow, requestOf, runNew, writeDraft } from './submit-enrolment.ts';

/**
 * Public requests of an authority that may wait for somebody at a time, and of them those for one entity. As many may wait
 * that entities signed whose organisation nobody knows: whoever has a domain can make entities without end.
 */
export const MAX_PUBLIC_REQUESTS = 1000;
export const MAX_PUBLIC_REQUESTS_OF_ENTITY = 5;

/** Whoever sent a request without any proof. */
export function publicActor(authorityId: string): Actor {
  return { kind: 'system', id: 'public', name: 'public request', roles: [], ...reachOf(authorityId) };
}

/** An entity that signed its request. */
export function applyingActor(authorityId: string, entityIdentifier: string): Actor {
  return { kind: 'entity', id: entityIdentifier, name: entityIdentifier, roles: [], ...reachOf(authorityId) };
}

function reachOf(authorityId: string): Pick<Actor, 'authorities' | 'organisations'> {
  return { authorities: new Set([authorityId]), organisations: 'all' };
}

export interface AskedWithoutToken extends Partial<Omit<EnrolmentRequest, 'settings' | 'roles' | 'onBehalfOf'>> {
  entityIdentifier: string;
}

/**
 * For an entity whose signature was verified. Its steps run at once; asked again while it is open, they run again. It
 * belongs to the organisation that proved the domain, if there is one alone; else a registrar says which.
 * @throws RegistryError validation_failed, limit_reached
 */
export async function requestSigned(
  context: ChangeContext,
  authority: Authority,
  asked: AskedWithoutToken,
  tools: EnrolmentTools,
): Promise<Enrolment> {
  const inFlow = onBehalfOfFlow(context);
  const [open] = await context.db
    .select({ id: enrolments.id })
    .from(enrolments)
    .where(isOpen(authority.id, asked.entityIdentifier, 'signed_request'))
    .limit(1);
  if (open !== undefined) return await runEnrolmentSteps(inFlow, open.id, undefined, tools);
  const organisationId = await ownerOfDomain(context, authority.id, asked.entityIdentifier);
  if (organisationId === null) await requireRoom(context, authority.id, 'signed_request');
  const row = await rowOf(context, authority, asked, 'signed_request');
  const id = await runNew(context, { ...row, organisationId }, tools);
  return await readEnrolment(inFlow.db, inFlow.actor, id);
}

/**
 * For anybody. It is written down and nothing else: it holds no name, its steps run in their turn, and it lapses unless a
 * registrar takes it up.
 * @throws RegistryError validation_failed, limit_reached
 */
export async function requestPublicly(
  context: ChangeContext,
  authority: Authority,
  asked: AskedWithoutToken,
): Promise<Enrolment> {
  const inFlow = onBehalfOfFlow(context);
  await requireRoom(context, authority.id, 'public', asked.entityIdentifier);
  const row = await rowOf(context, authority, asked, 'public');
  const id = await writeDraft(context, { ...row, nextRunAt: context.now });
  return await readEnrolment(inFlow.db, inFlow.actor, id);
}

async function rowOf(
  context: ChangeContext,
  authority: Authority,
  { entityIdentifier, ...asked }: AskedWithoutToken,
  via: EnrolmentVia,
): Promise<ReturnType<typeof newEnrolmentRow>> {
  const request = await inputRequest(onBehalfOfFlow(context), authority, entityIdentifier, requestOf(asked));
  const row = newEnrolmentRow(context, authority, { organisationId: null, entityIdentifier, request, via });
  return { ...row, lapsesAt: new Date(context.now.getTime() + PUBLIC_LIFETIME_SECONDS * 1000) };
}

function isOpen(authorityId: string, entityIdentifier: string | undefined, via: EnrolmentVia) {
  return and(
    eq(enrolments.authorityId, authorityId),
    entityIdentifier === undefined ? undefined : eq(enrolments.entityIdentifier, entityIdentifier),
    eq(enrolments.submittedVia, via),
    inArray(enrolments.state, [...OPEN_STATES]),
  );
}

async function requireRoom(
  { db }: ChangeContext,
  authorityId: string,
  via: EnrolmentVia,
  entityIdentifier?: string,
): Promise<void> {
  const open = async (identifier?: string) =>
    (
      await db
        .select({ open: count() })
        .from(enrolments)
        .where(isOpen(authorityId, identifier, via))
    )[0]?.open ?? 0;
  const ofEntity = entityIdentifier === undefined ? 0 : await open(entityIdentifier);
  if (ofEntity < MAX_PUBLIC_REQUESTS_OF_ENTITY && (await open()) < MAX_PUBLIC_REQUESTS) return;
  throw new RegistryError('limit_reached', 'too many requests wait for somebody already; ask the authority itself');
}

/** The active organisation that proved control of the host, if it is one alone. */
async function ownerOfDomain(
  { db }: ChangeContext,
  authorityId: string,
  entityIdentifier: string,
): Promise<string | null> {
  const { host, hostname } = new URL(entityIdentifier);
  const labels = hostname.split('.');
  const above = labels.map((_, index) => labels.slice(index).join('.'));
  const rows = await db
    .select({ id: organisations.id, domain: organisationDomains.domain, method: organisationDomains.method })
    .from(organisationDomains)
    .innerJoin(organisations, eq(organisations.id, organisationDomains.organisationId))
    .where(
      and(
        eq(organisations.authorityId, authorityId),
        eq(organisations.state, 'active'),
        inArray(organisationDomains.domain, [host, ...above]),
      ),
    );
  const owners = new Set(rows.filter(({ domain, method }) => method === 'dns' || domain === host).map(({ id }) => id));
  const [owner = null, ...others] = owners;
  return others.length === 0 ? owner : null;
}
