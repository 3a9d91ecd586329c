/** Adds a role to an authorisation domain. */
import { roles } from '../../storage/schema/roles.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { readAuthorisationDomain } from './authorisation-domain.ts';
import {
  type Role,
  type RoleFields,
  type RoleRow,
  readRole,
  requireValidRole,
  roleSnapshot,
  withUniqueRoleName,
} from './role.ts';

export interface NewRole extends Partial<RoleFields> {
  domainId: string;
  name: string;
}

/** @throws RegistryError not_found, role_missing, validation_failed, role_exists, idempotency_key_reused */
export async function addRole(context: ChangeContext, input: NewRole, idempotency?: Idempotency): Promise<Role> {
  const { authorityId } = await readAuthorisationDomain(context.db, context.actor, input.domainId);
  authorise(context.actor, ACCESS.addRole.roles, authorityId);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (roleId) => {
      const role: RoleRow = {
        id: roleId,
        authorityId,
        domainId: input.domainId,
        name: input.name,
        description: input.description ?? null,
        scopes: input.scopes ?? [],
        grantTypes: input.grantTypes ?? [],
        entityType: input.entityType ?? null,
        metadataPolicy: input.metadataPolicy ?? {},
        trustMarkTypes: input.trustMarkTypes ?? [],
        approvals: input.approvals ?? 1,
        state: 'active',
        version: 1,
        createdAt: context.now,
      };
      requireValidRole(role);
      await withUniqueRoleName(role.name, () => tx.insert(roles).values(role));
      record({
        action: 'role.add',
        authorityId,
        subjectKind: 'role',
        subjectId: roleId,
        after: roleSnapshot(role),
      });
    });
  });
  return readRole(context.db, context.actor, id);
}
