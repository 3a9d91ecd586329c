/** Keeps what the steps of an enrolment found, and makes the pending record of the entity once all have passed. */
import { and, eq, isNotNull, notInArray, sql } from 'drizzle-orm';
import { authorise, notFound } from '../../registry/actor.ts';
import {
  type AuditEntry,
  type ChangeContext,
  changeRegistry,
  createOnce,
  type Idempotency,
  requireVersion,
} from '../../registry/change.ts';
import { insertEntity } from '../../registry/entities/add-entity.ts';
import { recordChecks } from '../../registry/entities/record-checks.ts';
import { cureDomainFindings } from '../../registry/organisations/withdraw-proofs.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import type { Tx } from '../../storage/connect.ts';
import { enrolmentSteps, enrolments } from '../../storage/schema/enrolments.ts';
import { organisationDomains, organisationTerms } from '../../storage/schema/organisation-proofs.ts';
import {
  type EnrolmentRow,
  enrolmentSnapshot,
  evidenceDigest,
  isSameFlow,
  onBehalfOfFlow,
  requireAction,
  type StepResult,
  stateAfter,
} from './enrolment.ts';
import { stepsOf } from './read-enrolment.ts';
import type { StepsRun } from './run-steps.ts';
import { failed, type StepSubject } from './step-subject.ts';

export interface RunToSave {
  /** As it was when the steps ran; changed by whoever asked, it counts with the changes. */
  enrolment: EnrolmentRow;
  run: StepsRun;
  /** What the steps looked at. */
  subject?: Pick<StepSubject, 'authority' | 'organisation'>;
  /** Whether the record is made now. */
  isNew: boolean;
  action: 'enrolment.submit' | 'enrolment.update' | 'enrolment.check';
  idempotency?: Idempotency | undefined;
}

/** Another request with the same idempotency key was quicker: what was done is to be undone. */
class MadeMeanwhile extends Error {
  readonly id: string;

  constructor(id: string) {
    super('made by another request');
    this.id = id;
  }
}

/**
 * What says nothing new changes nothing but when it was looked at: approvals stand.
 * @returns the id of the enrolment
 * @throws RegistryError version_mismatch when it changed while the steps ran, illegal_transition when it was closed
 */
export async function saveRun(context: ChangeContext, save: RunToSave): Promise<string> {
  authorise(onBehalfOfFlow(context).actor, ['registrar'], save.enrolment.authorityId);
  try {
    return await saveOrAdd(context, save);
  } catch (error) {
    if (error instanceof MadeMeanwhile) return error.id;
    throw error;
  }
}

async function saveOrAdd(context: ChangeContext, save: RunToSave): Promise<string> {
  const { enrolment, run } = save;
  const state = stateAfter(run.steps);
  if (enrolment.entityId !== null && run.found !== undefined) {
    await recordChecks(onBehalfOfFlow(context), enrolment.entityId, run.found);
  }
  if (state === 'pending_approval' && enrolment.entityId === null) {
    try {
      return await saveWithEntity(context, save);
    } catch (error) {
      if (!(error instanceof RegistryError && HINDRANCES.has(error.code))) throw error;
      const steps = run.steps.map((result) =>
        result.step === 'configuration' ? failed('configuration', error.code, error.message, result.evidence) : result,
      );
      return await saveAlone(context, { ...save, run: { ...run, steps } });
    }
  }
  return await saveAlone(context, save);
}

/** Found out only when the record is made: by then somebody else may have the name. */
const HINDRANCES: ReadonlySet<string> = new Set([
  'entity_exists',
  'policy_conflict',
  'organisation_not_active',
  'validation_failed',
  'role_not_held',
  'role_retired',
]);

async function saveAlone(context: ChangeContext, save: RunToSave): Promise<string> {
  await changeRegistry(context, (tx, record) => writeRun(tx, record, context, save, save.enrolment.entityId));
  return save.enrolment.id;
}

/** The pending record, and the enrolment that knows it, in one transaction. */
async function saveWithEntity(context: ChangeContext, save: RunToSave): Promise<string> {
  const { enrolment, run, subject } = save;
  const { organisationId, entityIdentifier, request } = enrolment;
  const { found } = run;
  if (organisationId === null) throw new TypeError('an enrolment without organisation cannot have passed');
  if (found === undefined) throw new TypeError('no record is made without a look at the configuration');
  const { settings, name, mode, environment, onBehalfOf, entityTypes } = request;
  await insertEntity(onBehalfOfFlow(context), {
    ...settings,
    ...found,
    ...{ organisationId, entityIdentifier, name, mode, onBehalfOf, enrolment: 'published' },
    ...(environment !== null && { environment }),
    entityTypes: entityTypes.length > 0 ? entityTypes : (found.verifiedEntityTypes ?? []),
    isIntermediate: found.verifiedIntermediate ?? false,
    roleIds: request.roles,
    known: subject?.organisation && { authority: subject.authority, organisation: subject.organisation },
    alongside: (tx, record, entityId) => writeRun(tx, record, context, save, entityId),
  });
  return enrolment.id;
}

async function writeRun(
  tx: Tx,
  record: (entry: AuditEntry) => void,
  context: ChangeContext,
  save: RunToSave,
  entityId: string | null,
): Promise<void> {
  const { enrolment, run, action } = save;
  const before = save.isNew ? undefined : await lockSame(tx, enrolment);
  const known = before === undefined ? [] : await stepsOf(tx, enrolment.id);
  const state = stateAfter(run.steps);
  const isNews =
    before === undefined ||
    before.state !== state ||
    before.entityId !== entityId ||
    action !== 'enrolment.check' ||
    !isSameFlow(before.flow, enrolment.flow) ||
    evidenceDigest(known) !== evidenceDigest(run.steps);
  const change = {
    ...(before?.state !== state && { stateChangedAt: context.now }),
    ...{ state, entityId, version: isNews && before !== undefined ? before.version + 1 : enrolment.version },
  };
  const after: EnrolmentRow = { ...enrolment, ...change };
  if (before === undefined) {
    const made = await createOnce(
      tx,
      context,
      save.idempotency,
      async () => void (await tx.insert(enrolments).values(after)),
      enrolment.id,
    );
    if (!made.isNew) throw new MadeMeanwhile(made.id);
  } else await tx.update(enrolments).set(after).where(eq(enrolments.id, enrolment.id));
  await writeSteps(tx, context, save, known);
  await dropOtherSteps(tx, save);
  await keepProofs(tx, context, after, run);
  if (!isNews) return;
  record({
    action,
    authorityId: enrolment.authorityId,
    subjectKind: 'enrolment',
    subjectId: enrolment.id,
    ...(before !== undefined && { before: enrolmentSnapshot(before, known) }),
    after: enrolmentSnapshot(after, run.steps),
  });
}

/** A draft with what was changed; no step has run. @throws RegistryError version_mismatch, illegal_transition */
export async function saveDraft(context: ChangeContext, changed: EnrolmentRow): Promise<void> {
  await changeRegistry(context, async (tx, record) => {
    const before = await lockSame(tx, changed);
    const after = { ...changed, version: before.version + 1 };
    await tx.update(enrolments).set(after).where(eq(enrolments.id, changed.id));
    record({
      action: 'enrolment.update',
      authorityId: changed.authorityId,
      subjectKind: 'enrolment',
      subjectId: changed.id,
      before: enrolmentSnapshot(before, []),
      after: enrolmentSnapshot(after, []),
    });
  });
}

/** The record as it was when the steps ran: what was found says nothing about a later one. */
async function lockSame(tx: Tx, enrolment: EnrolmentRow): Promise<EnrolmentRow> {
  const before = await lockEnrolment(tx, enrolment.id);
  requireAction(before, 'update');
  requireVersion(before, enrolment.version);
  return before;
}

/** Takes hold of the record until the transaction ends. @throws RegistryError not_found */
export async function lockEnrolment(tx: Tx, enrolmentId: string): Promise<EnrolmentRow> {
  const [enrolment] = await tx.select().from(enrolments).where(eq(enrolments.id, enrolmentId)).for('update');
  if (enrolment === undefined) throw notFound('enrolment', enrolmentId);
  return enrolment;
}

async function writeSteps(
  tx: Tx,
  { now }: ChangeContext,
  { enrolment: { id }, run }: RunToSave,
  known: readonly { step: string; attempts: number; at: Date }[],
): Promise<void> {
  const rows = run.steps.map((result, position) => {
    const last = known.find(({ step }) => step === result.step);
    const hasRun = run.ran.has(result.step);
    const attempts = (last?.attempts ?? 0) + (hasRun ? 1 : 0);
    return { ...result, enrolmentId: id, position, attempts, at: hasRun ? now : (last?.at ?? now) };
  });
  const excluded = (column: string) => sql.raw(`excluded.${column}`);
  await tx
    .insert(enrolmentSteps)
    .values(rows)
    .onConflictDoUpdate({
      target: [enrolmentSteps.enrolmentId, enrolmentSteps.step],
      set: {
        position: excluded('position'),
        outcome: excluded('outcome'),
        reason: excluded('reason'),
        detail: excluded('detail'),
        evidence: excluded('evidence'),
        wouldChange: excluded('would_change'),
        attempts: excluded('attempts'),
        at: excluded('at'),
      },
    });
}

/** The authority asks for them no more. */
async function dropOtherSteps(tx: Tx, { enrolment: { id, flow }, isNew }: RunToSave): Promise<void> {
  if (isNew) return;
  const asked = flow.map(({ step }) => step);
  await tx
    .delete(enrolmentSteps)
    .where(and(eq(enrolmentSteps.enrolmentId, id), notInArray(enrolmentSteps.step, asked)));
}

/** What an organisation accepted with an enrolment; what it accepted before stands. */
export async function keepTerms(
  tx: Tx,
  { now, actor: { kind, id, name } }: ChangeContext,
  { organisationId }: Pick<EnrolmentRow, 'organisationId'>,
  steps: readonly Pick<StepResult, 'step' | 'outcome' | 'wouldChange'>[],
): Promise<void> {
  const step = steps.find(({ step, outcome }) => step === 'terms' && outcome === 'passed');
  const terms = step?.wouldChange['terms'] as AcceptedTerms | undefined;
  if (organisationId === null || terms === undefined) return;
  const { version, acceptedBy } = terms;
  const accepted = {
    ...{ organisationId, version, acceptedBy, acceptedAt: now, recordedBy: { kind, id, name } },
    ...{ withdrawnAt: null, withdrawnBy: null, withdrawalReason: null },
  };
  await tx
    .insert(organisationTerms)
    .values(accepted)
    .onConflictDoUpdate({
      target: [organisationTerms.organisationId, organisationTerms.version],
      set: accepted,
      setWhere: isNotNull(organisationTerms.withdrawnAt),
    });
}

type DomainProof = Pick<typeof organisationDomains.$inferInsert, 'domain' | 'method'>;
type AcceptedTerms = Pick<typeof organisationTerms.$inferInsert, 'version' | 'acceptedBy'>;

/**
 * What an organisation proved or accepted with an enrolment counts for its next ones as well. For what came without a
 * token nobody spoke in its name: terms count for it when the enrolment is approved.
 */
async function keepProofs(
  tx: Tx,
  context: ChangeContext,
  enrolment: EnrolmentRow,
  { steps, ran }: StepsRun,
): Promise<void> {
  const { now } = context;
  const { id: enrolmentId, organisationId, submittedVia } = enrolment;
  if (organisationId === null) return;
  const proven = (name: StepResult['step']) =>
    steps.find(({ step, outcome }) => step === name && outcome === 'passed' && ran.has(name))?.wouldChange;
  const domainProof = proven('domain')?.['organisationDomain'] as DomainProof | undefined;
  if (domainProof !== undefined) {
    const { domain, method } = domainProof;
    const evidence = { enrolmentId };
    await tx
      .insert(organisationDomains)
      .values({ organisationId, domain, method, verifiedAt: now, evidence })
      .onConflictDoUpdate({
        target: [organisationDomains.organisationId, organisationDomains.domain, organisationDomains.method],
        set: { verifiedAt: now, evidence },
      });
    await cureDomainFindings(tx, organisationId);
  }
  if (submittedVia === 'token' && ran.has('terms')) await keepTerms(tx, context, enrolment, steps);
}
