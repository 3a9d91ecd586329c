/** How Trust Marks, their types and delegations are shown. */
import type { Report } from '../report.ts';
import { durationText, momentText } from '../times.ts';
import type {
  HeldTrustMarkRecord,
  TrustMarkDelegationRecord,
  TrustMarkRecord,
  TrustMarkTypeRecord,
} from './trust-mark-records.ts';

export const TYPE_COLUMNS = ['ID', 'TYPE', 'NAME', 'STATE', 'APPROVAL'];

export function typeRow({ id, trustMarkType, name, state, approval }: TrustMarkTypeRecord): string[] {
  return [id, trustMarkType, name, state, approval];
}

/** @param roles names of those whose holders may have one */
export function describeType(report: Report, type: TrustMarkTypeRecord, roles: readonly string[]): void {
  const { eligibility, lifetimeSeconds, ownership, delegationExpiresAt } = type;
  report.heading(type.trustMarkType);
  report.facts([
    ['name', type.name],
    ['id', type.id],
    ['authority', type.authorityId],
    ['state', type.state],
    ['description', type.description ?? undefined],
    ['life of a mark', lifetimeSeconds === null ? 'without end' : durationText(lifetimeSeconds)],
    ['approval', type.approval],
    ['entity types', eligibility.entityTypes?.join(', ')],
    ['other marks', eligibility.trustMarkTypes?.join(', ')],
    ['roles', roles.join(', ')],
    ['logo', type.logoUri ?? undefined],
    ['ref', type.ref ?? undefined],
    ['owner', ownership?.owner],
    ['delegation until', delegationExpiresAt === null ? undefined : momentText(delegationExpiresAt)],
    ['version', String(type.version)],
  ]);
  describeClaims(report, type.additionalClaims);
}

export const MARK_COLUMNS = ['ID', 'SUBJECT', 'TYPE', 'STATE', 'ENDS'];

export function markRow({ id, subject, trustMarkType, state, expiresAt }: TrustMarkRecord): string[] {
  return [id, subject, trustMarkType, state, expiresAt === null ? '' : momentText(expiresAt)];
}

export function describeMark(report: Report, mark: TrustMarkRecord): void {
  report.heading(mark.subject);
  report.facts([
    ['type', mark.trustMarkType],
    ['id', mark.id],
    ['state', mark.state],
    ['reason', mark.stateReason ?? undefined],
    ['ends', mark.expiresAt === null ? 'not by itself' : momentText(mark.expiresAt)],
    ['entity', mark.entityId ?? 'not enrolled here when it got the mark'],
    ['asked for by', mark.requestedBy],
    ['possible', mark.allowedTransitions.join(', ')],
    ['version', String(mark.version)],
  ]);
  describeClaims(report, mark.additionalClaims);
}

export const DELEGATION_COLUMNS = ['ID', 'ISSUER', 'TYPE', 'STATE', 'EXPIRES'];

export function delegationRow(delegation: TrustMarkDelegationRecord): string[] {
  const { id, issuer, trustMarkType, state, expiresAt } = delegation;
  return [id, issuer, trustMarkType, state, expiresAt === null ? 'never' : momentText(expiresAt)];
}

export function describeDelegation(report: Report, delegation: TrustMarkDelegationRecord): void {
  report.heading(delegation.issuer);
  report.facts([
    ['type', delegation.trustMarkType],
    ['id', delegation.id],
    ['state', delegation.state],
    ['expires', delegation.expiresAt === null ? 'never' : momentText(delegation.expiresAt)],
    ['ref', delegation.ref ?? undefined],
    ['key', delegation.kid],
    ['version', String(delegation.version)],
  ]);
  report.heading('For the issuer');
  report.line(delegation.jwt);
}

export const HELD_COLUMNS = ['ID', 'TYPE', 'ISSUER', 'EXPIRES', 'TROUBLE'];

export function heldRow({ id, trustMarkType, issuer, expiresAt, refreshProblem }: HeldTrustMarkRecord): string[] {
  return [id, trustMarkType, issuer, expiresAt === null ? 'never' : momentText(expiresAt), refreshProblem ?? ''];
}

function describeClaims(report: Report, claims: Record<string, unknown>): void {
  if (Object.keys(claims).length === 0) return;
  report.heading('Further claims');
  report.json(claims);
}
