/** What members may be in an export: authorisation domains, roles, who has them and which entities were given them. */
import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { authorisationDomains } from '../../../storage/schema/authorisation-domains.ts';
import { entityRoleAssignments, roleAssignments } from '../../../storage/schema/role-assignments.ts';
import { roles } from '../../../storage/schema/roles.ts';
import { invalidField } from '../../registry-error.ts';
import { requireValidRole } from '../../roles/role.ts';
import { datedState, requireValidAssignment } from '../../roles/role-assignment.ts';
import { inputTrustMarkTypeName } from '../../trust-marks/trust-mark-type-input.ts';
import { iso, type Known, namedRecord, nameIn, type RecordKind, readRows, references } from '../record-kind.ts';
import { claims, each, id, line, moment, url } from '../record-schema.ts';
import { isOpenRecord } from './organisations.ts';

const word = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'is no word of printable ASCII');

const domainSchema = z.strictObject({ id, authorityId: id, name: line(200), description: line(2000).nullable() });

export const AUTHORISATION_DOMAINS: RecordKind<z.infer<typeof domainSchema>> = {
  name: 'authorisationDomains',
  subjectKind: 'authorisation_domain',
  action: 'authorisation_domain.import',
  table: authorisationDomains,
  schema: domainSchema,
  settings: ['name', 'description'],
  restored: [],
  kept: [],
  nameOf: ({ name }) => name,
  read: async (db, which) =>
    (await readRows(db, authorisationDomains, which)).map(({ version: _, createdAt: __, ...domain }) => domain),
  references: ({ authorityId }) => references('authorities', [authorityId], '/authorityId'),
  check: () => {},
  columns: ({ id: _, ...domain }) => domain,
};

const roleSchema = z.strictObject({
  ...{ id, authorityId: id, domainId: id, name: line(100), description: line(2000).nullable() },
  scopes: each(word, 200),
  grantTypes: each(word, 50),
  entityType: z.string().min(1).max(200).nullable(),
  metadataPolicy: claims,
  trustMarkTypes: each(url, 50),
  approvals: z.union([z.literal(1), z.literal(2)]),
  state: z.enum(['active', 'retired']),
});

export const ROLES: RecordKind<z.infer<typeof roleSchema>> = {
  name: 'roles',
  subjectKind: 'role',
  action: 'role.import',
  table: roles,
  schema: roleSchema,
  settings: [
    'name',
    'description',
    'scopes',
    'grantTypes',
    'entityType',
    'metadataPolicy',
    'trustMarkTypes',
    'approvals',
  ],
  restored: ['state'],
  kept: [],
  nameOf: ({ name }) => name,
  read: async (db, which) => (await readRows(db, roles, which)).map(({ version: _, createdAt: __, ...role }) => role),
  references: ({ authorityId, domainId }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('authorisationDomains', [domainId], '/domainId'),
  ],
  check(role) {
    requireValidRole(role);
    role.trustMarkTypes.forEach(inputTrustMarkTypeName);
  },
  columns: ({ id: _, ...role }) => role,
};

const assignmentSchema = z.strictObject({
  ...{ id, authorityId: id, organisationId: id, roleId: id, registrationId: line(200).nullable() },
  jurisdictions: each(z.string(), 300),
  validFrom: moment.nullable(),
  validTo: moment.nullable(),
});

type AssignmentRecord = z.infer<typeof assignmentSchema>;

export const ROLE_ASSIGNMENTS: RecordKind<AssignmentRecord> = {
  name: 'roleAssignments',
  subjectKind: 'role_assignment',
  action: 'role_assignment.import',
  table: roleAssignments,
  schema: assignmentSchema,
  settings: ['registrationId', 'jurisdictions'],
  restored: ['validFrom', 'validTo'],
  kept: [],
  nameOf: ({ organisationId, roleId }, known) =>
    `${nameIn(known, 'roles', roleId, 'name')} of ${nameIn(known, 'organisations', organisationId, 'legalName')}`,
  read: async (db, which) =>
    (await readRows(db, roleAssignments, which, eq(roleAssignments.state, 'active'))).map((row) => ({
      ...{ id: row.id, authorityId: row.authorityId, organisationId: row.organisationId, roleId: row.roleId },
      ...{ registrationId: row.registrationId, jurisdictions: row.jurisdictions },
      ...{ validFrom: iso(row.validFrom), validTo: iso(row.validTo) },
    })),
  references: ({ authorityId, organisationId, roleId }) => [
    ...references('authorities', [authorityId], '/authorityId'),
    ...references('organisations', [organisationId], '/organisationId'),
    ...references('roles', [roleId], '/roleId'),
  ],
  isHeldBack: ({ organisationId }, here) => counts(here, 'organisations', organisationId),
  check(record) {
    requireValidAssignment({ ...record, ...datesOf(record) });
  },
  columns: ({ id: _, ...assignment }, { now }) => ({
    ...assignment,
    recordedState: datedState(datesOf(assignment), now),
  }),
  // Where two people are asked for, somebody else than who brought it gives it to entities.
  beginning: (_, { actor, now }) => ({ assignedBy: actor.id, state: 'active', stateReason: null, stateChangedAt: now }),
};

/** Whether the record is here, and somebody decided about it already. */
export function counts(here: Known, kind: 'organisations' | 'entities', recordId: string): boolean {
  const record = namedRecord(here, kind, recordId);
  return record !== undefined && isOpenRecord(record) && stateNameOf(record) !== 'pending';
}

function stateNameOf(record: object): unknown {
  const state: unknown = 'state' in record ? record.state : undefined;
  return typeof state === 'object' && state !== null && 'is' in state ? state.is : undefined;
}

function datesOf({ validFrom, validTo }: Pick<AssignmentRecord, 'validFrom' | 'validTo'>) {
  return {
    validFrom: validFrom === null ? null : new Date(validFrom),
    validTo: validTo === null ? null : new Date(validTo),
  };
}

const entityRoleSchema = z.strictObject({ id, entityId: id, roleAssignmentId: id });

/** Whether the role is one that somebody else than whoever brings the entity gives it. */
function takesTwo(known: Known, roleAssignmentId: string): boolean {
  const assignment = namedRecord(known, 'roleAssignments', roleAssignmentId);
  const role = assignment && namedRecord(known, 'roles', String(Reflect.get(assignment, 'roleId')));
  return role === undefined || Reflect.get(role, 'approvals') !== 1;
}

export const ENTITY_ROLES: RecordKind<z.infer<typeof entityRoleSchema>> = {
  name: 'entityRoles',
  subjectKind: 'entity',
  action: 'entity.import',
  table: entityRoleAssignments,
  schema: entityRoleSchema,
  settings: [],
  restored: [],
  kept: [],
  nameOf: ({ entityId, roleAssignmentId }, known) => {
    const assignment = namedRecord(known, 'roleAssignments', roleAssignmentId);
    const roleId = assignment === undefined ? roleAssignmentId : String(Reflect.get(assignment, 'roleId'));
    return `${nameIn(known, 'roles', roleId, 'name')} of ${nameIn(known, 'entities', entityId, 'entityIdentifier')}`;
  },
  read: async (db, which) =>
    (await readRows(db, entityRoleAssignments, which, eq(entityRoleAssignments.state, 'active'))).map((row) => ({
      ...{ id: row.id, entityId: row.entityId, roleAssignmentId: row.roleAssignmentId },
    })),
  references: ({ entityId, roleAssignmentId }) => [
    ...references('entities', [entityId], '/entityId'),
    ...references('roleAssignments', [roleAssignmentId], '/roleAssignmentId'),
  ],
  isHeldBack: ({ entityId, roleAssignmentId }, here, known) =>
    counts(here, 'entities', entityId) || takesTwo(known, roleAssignmentId),
  check({ entityId, roleAssignmentId }, { known }) {
    const entity = namedRecord(known, 'entities', entityId);
    const assignment = namedRecord(known, 'roleAssignments', roleAssignmentId);
    const [had, has] = [entity, assignment].map((record) => record && Reflect.get(record, 'organisationId'));
    if (had !== has) throw invalidField('/roleAssignmentId', "is another organisation's");
  },
  columns: ({ id: _, ...given }) => given,
  beginning: (_, { now }) => ({ state: 'active', stateReason: null, stateChangedAt: now }),
};
