/** How membership pauses and ends: previewed first, computed for all below, and refused everywhere at once. */
import { isDeepStrictEqual } from 'node:util';
import type { ApiClient } from '../../../src/cli/api-client.ts';
import {
  type AffectedRecord,
  auditRowSchema,
  type EntityRecord,
  entitySchema,
  organisationSchema,
  transitioned,
} from '../../../src/cli/api-records.ts';
import { shortMoment } from '../../../src/cli/times.ts';
import { anchorOf } from '../deployment.ts';
import { askFetch, askList, askResolve } from '../federation-client.ts';
import { short } from '../narrator.ts';
import { resolveAlone } from '../resolve-alone.ts';
import type { Stage } from '../stage.ts';
import { refuseAll, tellBefore, type Witness, watchRefusals } from '../witnesses.ts';
import type { Partner } from './partner.ts';
import type { Directory } from './staff.ts';

const transitionedSchema = organisationSchema.extend(transitioned);

const INCIDENT = { reason: 'incident 4711: key leaked', reasonCode: 'security_incident' };

export interface SuspensionFindings {
  /** The preview changed nothing and named exactly what then happened, the entity and its role among it. */
  isPreviewTrue: boolean;
  /** From the answer to the suspension until the last of the endpoints refused; null if one did not. */
  refusedAfterMs: number | null;
}

export async function suspend(
  stage: Stage,
  directory: Directory,
  partner: Partner,
  entityId: string,
): Promise<SuspensionFindings> {
  const { narrator } = stage;
  narrator.scene(
    `${partner.organisation.legalName} is suspended`,
    'First what would happen, which changes nothing; then it happens, and nobody vouches for what is below.',
  );
  const [approver] = directory.approvers;
  const witnesses = witnessesOf(directory, partner);
  const preview = await narrator.step(
    () => decide(approver, partner, 'suspend', { ...INCIDENT, dryRun: true }),
    ({ affected }) => `a preview: ${affected.length} would be affected`,
    'POST …/suspend {"dryRun": true}',
  );
  showAffected(stage, preview.affected);
  const wasVouchedFor = await tellBefore(stage, witnesses);
  const { suspended, answeredAt } = await narrator.step(
    async () => ({ suspended: await decide(approver, partner, 'suspend', INCIDENT), answeredAt: performance.now() }),
    ({ suspended: { state, affected } }) => `it is ${state}: ${affected.length} are affected, as foretold`,
    'POST /api/v1/organisations/{id}/suspend',
  );
  const refusedAfterMs = await watchRefusals(stage, witnesses, answeredAt);
  const alone = await resolveAlone(stage, directory, partner.entity);
  const entity = await readEntity(partner.api, entityId);
  narrator.tell(`its own state is ${entity.state}; what counts is its organisation's: ${entity.effectiveState}`);
  const kinds = new Set(suspended.affected.map(({ kind }) => kind));
  const isCascade = ['entity', 'role_assignment', 'entity_role_assignment'].every((kind) => kinds.has(kind));
  const isRefused = (await refuseAll(witnesses)) && alone.reason === 'subject_not_active';
  const isComputed = entity.state === 'active' && entity.effectiveState === 'suspended';
  return {
    isPreviewTrue: wasVouchedFor && isCascade && isDeepStrictEqual(preview.affected, suspended.affected),
    refusedAfterMs: isRefused && isComputed ? refusedAfterMs : null,
  };
}

/** @returns whether all that the suspension stopped is back, and resolves as before */
export async function reinstate(stage: Stage, directory: Directory, partner: Partner): Promise<boolean> {
  const { narrator } = stage;
  narrator.scene('It is reinstated', 'Only what that suspension stopped comes back.');
  const [, approver] = directory.approvers;
  const { affected } = await narrator.step(
    () => decide(approver, partner, 'reinstate', { reason: 'key replaced', reasonCode: 'resolved' }),
    ({ state, affected: back }) => `it is ${state}: ${back.length} are back`,
    'POST /api/v1/organisations/{id}/reinstate',
  );
  showAffected(stage, affected);
  const witnesses = witnessesOf(directory, partner);
  const isVouchedFor = await tellBefore(stage, witnesses, 'now');
  const alone = await resolveAlone(stage, directory, partner.entity);
  narrator.tell(alone.resolved === undefined ? alone.says : 'and it resolves, from the pinned key alone');
  const isBack = affected.length > 0 && affected.every(({ stateAfter }) => stateAfter === 'active');
  return isVouchedFor && isBack && alone.resolved !== undefined;
}

/** @returns whether nobody vouches for what is below any more, and nothing can bring it back */
export async function withdraw(
  stage: Stage,
  directory: Directory,
  partner: Partner,
  entityId: string,
): Promise<boolean> {
  const { narrator } = stage;
  narrator.scene('It leaves', 'Withdrawn is final: who comes back comes as a new record that follows the old one.');
  const [approver] = directory.approvers;
  const { state, allowedTransitions } = await narrator.step(
    () => decide(approver, partner, 'withdraw', { reason: 'the contract ended', reasonCode: 'own_request' }),
    (organisation) => `it is ${organisation.state}; possible from here: ${possible(organisation.allowedTransitions)}`,
    'POST /api/v1/organisations/{id}/withdraw',
  );
  const isGone = !(await tellBefore(stage, witnessesOf(directory, partner), 'now'));
  const isRefused = await refuseAll(witnessesOf(directory, partner));
  const entity = await readEntity(directory.api, entityId);
  await showAudit(stage, directory, partner);
  const isFinal = state === 'withdrawn' && allowedTransitions.length === 0;
  return isGone && isRefused && isFinal && entity.effectiveState === 'withdrawn';
}

function possible(transitions: readonly string[]): string {
  return transitions.length === 0 ? 'nothing' : transitions.join(', ');
}

async function decide(
  api: ApiClient,
  { organisation }: Partner,
  transition: 'suspend' | 'reinstate' | 'withdraw',
  body: object,
) {
  const path = `organisations/${organisation.id}/${transition}`;
  return await api.send({ method: 'POST', path, body }, transitionedSchema);
}

function showAffected({ narrator }: Stage, affected: readonly AffectedRecord[]): void {
  narrator.table(
    affected.map(({ kind, name, stateBefore, stateAfter }) => [kind, short(name), `${stateBefore} → ${stateAfter}`]),
  );
}

async function readEntity(api: ApiClient, entityId: string): Promise<EntityRecord> {
  return await api.send({ method: 'GET', path: `entities/${entityId}` }, entitySchema);
}

function witnessesOf(directory: Directory, { entity }: Partner): Witness[] {
  const anchor = anchorOf(directory);
  return [
    { endpoint: 'fetch', ask: () => askFetch(anchor, entity) },
    { endpoint: 'list', ask: () => askList(anchor, entity) },
    { endpoint: 'resolve', ask: () => askResolve(anchor, entity) },
  ];
}

async function showAudit({ narrator }: Stage, { api }: Directory, { organisation }: Partner): Promise<void> {
  narrator.tell('what stays: every change, by whom and why, under one gap-free number');
  const query = { subjectKind: 'organisation', subjectId: organisation.id };
  const { items } = await api.list('audit', query, auditRowSchema, { limit: Number.POSITIVE_INFINITY });
  narrator.table(
    items.map(({ seq, at, actor, action, reason }) => [
      `seq ${seq}`,
      shortMoment(at),
      actor.name,
      action,
      reason ?? '',
    ]),
  );
}
