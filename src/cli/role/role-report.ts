/** How roles, and whom they are given to, are shown. */
import type { Report } from '../report.ts';
import { momentText, shortMoment } from '../times.ts';
import type {
  Affected,
  DomainRecord,
  EntityRoleRecord,
  EntityRolesRecord,
  HeldRoleRecord,
  OrganisationRoleRecord,
  RoleRecord,
} from './role-records.ts';

export const DOMAIN_COLUMNS = ['ID', 'NAME', 'DESCRIPTION'];

export function domainRow({ id, name, description }: DomainRecord): string[] {
  return [id, name, description ?? '-'];
}

export function describeDomain(report: Report, domain: DomainRecord): void {
  report.heading(domain.name);
  report.facts([
    ['id', domain.id],
    ['description', domain.description ?? undefined],
    ['authority', domain.authorityId],
    ['version', String(domain.version)],
  ]);
}

export const ROLE_COLUMNS = ['ID', 'DOMAIN', 'NAME', 'STATE', 'ENTITY TYPE', 'SCOPES', 'APPROVALS'];

export function roleRow({ id, domain, name, state, entityType, scopes, approvals }: RoleRecord): string[] {
  return [id, domain, name, state, entityType ?? 'any', scopes.join(' ') || '-', String(approvals)];
}

export function describeRole(report: Report, role: RoleRecord): void {
  report.heading(`${role.domain}/${role.name}`);
  report.facts([
    ['id', role.id],
    ['state', role.state],
    ['description', role.description ?? undefined],
    ['Entity Type', role.entityType ?? 'any'],
    ['scopes', role.scopes.join(' ')],
    ['grant types', role.grantTypes.join(' ')],
    ...role.trustMarkTypes.map((type) => ['Trust Mark Type', type] as const),
    ['approvals', String(role.approvals)],
    ['authority', role.authorityId],
    ['version', String(role.version)],
  ]);
  if (Object.keys(role.metadataPolicy).length === 0) return;
  report.heading('Metadata policy');
  report.json(role.metadataPolicy);
}

export function describeAffected(report: Report, { affected, affectedTotal }: Affected, heading: string): void {
  if (affectedTotal === 0) return;
  report.heading(`${heading} (${affectedTotal})`);
  report.table(
    ['ENTITY', 'NAME', 'STATE'],
    affected.map(({ entityIdentifier, name, state }) => [entityIdentifier, name ?? '-', state]),
  );
  if (affected.length < affectedTotal) report.line(`… and ${affectedTotal - affected.length} more`);
}

export const HELD_COLUMNS = ['ROLE', 'STATE', 'FROM', 'TO', 'REGISTRATION', 'COUNTRIES', 'ID'];

export function heldRow({ id, domain, role, state, validFrom, validTo, ...rest }: HeldRoleRecord): string[] {
  const moment = (at: string | null) => (at === null ? '-' : shortMoment(at));
  const countries = rest.jurisdictions.join(' ') || 'all';
  return [`${domain}/${role}`, state, moment(validFrom), moment(validTo), rest.registrationId ?? '-', countries, id];
}

export function describeHeldRole(
  report: Report,
  held: OrganisationRoleRecord | EntityRoleRecord,
  holder: string,
): void {
  const moment = (at: string | null) => (at === null ? undefined : momentText(at));
  report.heading(`${held.domain}/${held.role} of ${holder}`);
  report.facts([
    ['id', held.id],
    ['state', held.state],
    ['reason', held.stateReason ?? undefined],
    ['registration', held.registrationId ?? undefined],
    ['countries', held.jurisdictions.join(' ')],
    ['from', moment(held.validFrom)],
    ['to', moment(held.validTo)],
  ]);
}

/** What the statement about an entity says, by its roles. */
export function describeEntityRoles(report: Report, { roles, metadataPolicy }: EntityRolesRecord, title: string): void {
  report.heading(title);
  report.facts([['roles', roles.map(({ role }) => role).join(', ') || 'none']]);
  report.heading('Metadata policy of its Subordinate Statement');
  report.json(metadataPolicy);
}
