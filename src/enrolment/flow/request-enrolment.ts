/** Enrolments that come without a token: signed by the entity itself, or from anybody. */
import { and, eq, inArray } from 'drizzle-orm';
import type { Actor } from '../../registry/actor.ts';
import type { Authority } from '../../registry/authorities/authority.ts';
import type { ChangeContext } from '../../registry/change.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import { isUniqueViolation } from '../../registry/unique-violation.ts';
import { type EnrolmentRequest, type EnrolmentVia, enrolments } from '../../storage/schema/enrolments.ts';
import { organisationDomains } from '../../storage/schema/organisation-proofs.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { runEnrolmentSteps } from './change-enrolment.ts';
import { type Enrolment, OPEN_STATES, onBehalfOfFlow, PUBLIC_LIFETIME_SECONDS } from './enrolment.ts';
import { readEnrolment } from './read-enrolment.ts';
import type { EnrolmentTools } from './step-subject.ts';
import { inputRequest, newEnrolmentRow, requestOf, runNew, writeDraft } from './submit-enrolment.ts';
import { makeRoom } from './waiting-requests.ts';

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
  /** The network that the request came from. */
  askedFrom: string;
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
  const { entityIdentifier, askedFrom } = asked;
  const open = await openRequest(context, authority.id, entityIdentifier);
  if (open !== undefined) return await runAgain(inFlow, open, tools);
  const organisationId = await ownerOfDomain(context, authority.id, entityIdentifier);
  const row = await newRow(context, authority, asked, 'signed_request');
  if (organisationId === null) {
    await makeRoom(context, { authorityId: authority.id, via: 'signed_request', entityIdentifier, askedFrom });
  }
  try {
    const id = await runNew(context, { ...row, organisationId }, tools);
    return await readEnrolment(inFlow.db, inFlow.actor, id);
  } catch (error) {
    // Another request of the entity was quicker.
    const other = await openRequest(context, authority.id, entityIdentifier);
    if (!isUniqueViolation(error, 'enrolments_open_signed_request') || other === undefined) throw error;
    return await readEnrolment(inFlow.db, inFlow.actor, other);
  }
}

/** The steps as another request, or somebody who decided, leaves them at the same moment. */
async function runAgain(context: ChangeContext, enrolmentId: string, tools: EnrolmentTools): Promise<Enrolment> {
  try {
    return await runEnrolmentSteps(context, enrolmentId, undefined, tools);
  } catch (error) {
    if (!(error instanceof RegistryError && OVERTAKEN.has(error.code))) throw error;
    return await readEnrolment(context.db, context.actor, enrolmentId);
  }
}

const OVERTAKEN: ReadonlySet<string> = new Set(['version_mismatch', 'illegal_transition']);

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
  const { entityIdentifier, askedFrom } = asked;
  const row = await newRow(context, authority, asked, 'public');
  await makeRoom(context, { authorityId: authority.id, via: 'public', entityIdentifier, askedFrom });
  const id = await writeDraft(context, { ...row, nextRunAt: context.now });
  return await readEnrolment(inFlow.db, inFlow.actor, id);
}

async function newRow(
  context: ChangeContext,
  authority: Authority,
  { entityIdentifier, askedFrom, ...asked }: AskedWithoutToken,
  via: EnrolmentVia,
): Promise<ReturnType<typeof newEnrolmentRow>> {
  const request = await inputRequest(onBehalfOfFlow(context), authority, entityIdentifier, requestOf(asked));
  const row = newEnrolmentRow(context, authority, { organisationId: null, entityIdentifier, request, via });
  return { ...row, askedFrom, lapsesAt: new Date(context.now.getTime() + PUBLIC_LIFETIME_SECONDS * 1000) };
}

/** The one that is open of those that the entity signed; the database keeps it to one. */
async function openRequest(
  { db }: ChangeContext,
  authorityId: string,
  entityIdentifier: string,
): Promise<string | undefined> {
  const [open] = await db
    .select({ id: enrolments.id })
    .from(enrolments)
    .where(
      and(
        eq(enrolments.authorityId, authorityId),
        eq(enrolments.entityIdentifier, entityIdentifier),
        eq(enrolments.submittedVia, 'signed_request'),
        inArray(enrolments.state, [...OPEN_STATES]),
      ),
    );
  return open?.id;
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
