/** Begins an enrolment: what is asked is written down, and unless it is a draft its steps run. */
import { randomBytes } from 'node:crypto';
import { and, eq, inArray } from 'drizzle-orm';
import { ACCESS } from '../../registry/access.ts';
import { type Actor, authorise, isMember, requireRole } from '../../registry/actor.ts';
import type { Authority } from '../../registry/authorities/authority.ts';
import { readAuthority } from '../../registry/authorities/read-authority.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency, madeBefore } from '../../registry/change.ts';
import { inputSubordinate } from '../../registry/claims-input.ts';
import { inputSubordinateSettings } from '../../registry/entities/subordinate-settings.ts';
import { readOrganisation } from '../../registry/organisations/read-organisation.ts';
import { invalidField, RegistryError } from '../../registry/registry-error.ts';
import { type EnrolmentRequest, type EnrolmentVia, enrolments } from '../../storage/schema/enrolments.ts';
import { roles } from '../../storage/schema/roles.ts';
import {
  type Enrolment,
  type EnrolmentRow,
  enrolmentSnapshot,
  onBehalfOfFlow,
  presentFlow,
  requireAction,
  rowOf,
} from './enrolment.ts';
import { hookApproval } from './give-approval.ts';
import { authoriseEnrolment, readEnrolment } from './read-enrolment.ts';
import { runSteps } from './run-steps.ts';
import { saveRun } from './save-run.ts';
import { type EnrolmentTools, stepSubject } from './step-subject.ts';
import { isDomainOf } from './steps/domain.ts';

/** Who may ask in the name of an organisation. */
export const APPLICANTS = ['admin', 'registrar', 'organisation-admin', 'technical-contact'] as const;

export interface NewEnrolment extends Partial<EnrolmentRequest> {
  organisationId: string;
  entityIdentifier: string;
  /** Writes it down and runs nothing yet. */
  isDraft?: boolean | undefined;
}

export const NO_SETTINGS: EnrolmentRequest['settings'] = {
  metadata: {},
  metadataPolicy: {},
  constraints: null,
  additionalClaims: {},
  crit: [],
  statementLifetimeSeconds: null,
};

/**
 * For whoever has a token. A step that fails is written down as well, with what to mend.
 * @throws RegistryError not_found, role_missing, validation_failed, idempotency_key_reused
 */
export async function submitEnrolment(
  context: ChangeContext,
  input: NewEnrolment,
  tools: EnrolmentTools,
  idempotency?: Idempotency,
): Promise<Enrolment> {
  const { organisationId, entityIdentifier, isDraft = false, ...asked } = input;
  const organisation = await readOrganisation(context.db, context.actor, organisationId);
  const { authorityId } = organisation;
  authorise(context.actor, APPLICANTS, authorityId, organisationId);
  const earlier = idempotency && (await madeBefore(context.db, context.actor, idempotency));
  if (earlier !== undefined) return await readEnrolment(context.db, context.actor, earlier);
  const inFlow = onBehalfOfFlow(context);
  const authority = await readAuthority(inFlow.db, inFlow.actor, authorityId);
  requireOwnSettings(context.actor, asked);
  const request = await inputRequest(inFlow, authority, entityIdentifier, requestOf(asked));
  const row = newEnrolmentRow(context, authority, { entityIdentifier, request, organisationId, via: 'token' });
  const id = isDraft
    ? await writeDraft(context, { ...row, state: 'draft' }, idempotency)
    : await runNew(context, row, tools, { idempotency, known: { authority, organisation } });
  return await readEnrolment(inFlow.db, inFlow.actor, id);
}

/** What is not said is left as it usually is. */
export function requestOf(asked: Partial<EnrolmentRequest>): EnrolmentRequest {
  const { entityTypes = [], name = null, mode = 'live', environment = null, onBehalfOf = null } = asked;
  const { roles = [], domain = null, terms = null, applicant = null, settings = NO_SETTINGS } = asked;
  return { entityTypes, name, mode, environment, onBehalfOf, roles, domain, terms, applicant, settings };
}

/**
 * What the authority is to say about the entity is for those who work for it, and what the organisation agrees to for
 * whoever may accept its terms.
 * @throws RegistryError role_missing
 */
export function requireOwnSettings(actor: Actor, { settings, terms }: Partial<EnrolmentRequest>): void {
  if (terms != null) requireRole(actor, ACCESS.acceptTerms.roles);
  if (settings === undefined || !isMember(actor)) return;
  const message = 'what the superior says about the entity is set by its registrars; leave it out';
  throw new RegistryError('role_missing', message, { roles: ['admin', 'registrar'] });
}

/** @throws RegistryError validation_failed */
export async function inputRequest(
  context: ChangeContext,
  authority: Pick<Authority, 'id' | 'entityIdentifier'>,
  entityIdentifier: string,
  request: EnrolmentRequest,
): Promise<EnrolmentRequest> {
  inputSubordinate(entityIdentifier, authority.entityIdentifier, context);
  const settings = inputSubordinateSettings(request.settings, entityIdentifier, context);
  const { domain } = request;
  if (domain !== null && !isDomainOf(domain, entityIdentifier)) {
    throw invalidField(
      '/domain',
      'is the host of the Entity Identifier, or a domain above it, in lower case and ASCII',
    );
  }
  const known = await context.db
    .select({ id: roles.id })
    .from(roles)
    .where(and(inArray(roles.id, request.roles), eq(roles.authorityId, authority.id)));
  const unknown = request.roles.findIndex((id) => known.every((role) => role.id !== id));
  if (unknown !== -1) throw invalidField(`/roles/${unknown}`, 'is no role of this authority');
  return { ...request, settings };
}

export interface EnrolmentBeginning {
  organisationId: string | null;
  entityIdentifier: string;
  request: EnrolmentRequest;
  via: EnrolmentVia;
}

/** A record that nobody has written yet. */
export function newEnrolmentRow(
  { newId, now, actor: { kind, id, name } }: ChangeContext,
  authority: Pick<Authority, 'id' | 'enrolmentFlow'>,
  { organisationId, entityIdentifier, request, via }: EnrolmentBeginning,
): EnrolmentRow {
  return {
    id: newId(),
    ...{ authorityId: authority.id, organisationId, entityIdentifier, request },
    entityId: null,
    flow: presentFlow(authority),
    challenge: randomBytes(32).toString('base64url'),
    state: 'submitted',
    stateReason: null,
    stateChangedAt: now,
    submittedVia: via,
    submittedBy: { kind, id, name },
    changedBy: null,
    askedFrom: null,
    lapsesAt: null,
    nextRunAt: null,
    version: 1,
    createdAt: now,
  };
}

interface NewRun {
  idempotency?: Idempotency | undefined;
  /** What was read for it a moment ago. */
  known?: Parameters<typeof stepSubject>[3];
}

/** Runs the steps of a new enrolment and writes both down in one change. @returns its id */
export async function runNew(
  context: ChangeContext,
  enrolment: EnrolmentRow,
  tools: EnrolmentTools,
  { idempotency, known }: NewRun = {},
): Promise<string> {
  const subject = await stepSubject(context, enrolment, () => 0, known);
  const run = await runSteps(subject, [], tools);
  const id = await saveRun(context, { enrolment, run, subject, isNew: true, action: 'enrolment.submit', idempotency });
  await hookApproval(context, { id, flow: enrolment.flow });
  return id;
}

/** Written down without a step. @returns its id */
export async function writeDraft(
  context: ChangeContext,
  enrolment: EnrolmentRow,
  idempotency?: Idempotency,
): Promise<string> {
  const { id } = await changeRegistry(context, async (tx, record) => {
    const create = async () => {
      await tx.insert(enrolments).values(enrolment);
      record({
        action: enrolment.state === 'draft' ? 'enrolment.draft' : 'enrolment.submit',
        authorityId: enrolment.authorityId,
        subjectKind: 'enrolment',
        subjectId: enrolment.id,
        after: enrolmentSnapshot(enrolment, []),
      });
    };
    return await createOnce(tx, context, idempotency, create, enrolment.id);
  });
  return id;
}

/** Submits a draft. @throws RegistryError not_found, role_missing, illegal_transition */
export async function submitDraft(
  context: ChangeContext,
  enrolmentId: string,
  tools: EnrolmentTools,
): Promise<Enrolment> {
  const enrolment = await readEnrolment(context.db, context.actor, enrolmentId);
  authoriseEnrolment(context.actor, APPLICANTS, enrolment);
  requireAction(enrolment, 'submit');
  const { kind, id, name } = context.actor;
  const authority = await readAuthority(context.db, onBehalfOfFlow(context).actor, enrolment.authorityId);
  const submitted = { ...rowOf(enrolment), flow: presentFlow(authority), submittedBy: { kind, id, name } };
  const run = await runSteps(await stepSubject(context, submitted, () => 0, { authority }), [], tools);
  await saveRun(context, { enrolment: submitted, run, isNew: false, action: 'enrolment.submit' });
  await hookApproval(context, submitted);
  return await readEnrolment(context.db, onBehalfOfFlow(context).actor, enrolmentId);
}
