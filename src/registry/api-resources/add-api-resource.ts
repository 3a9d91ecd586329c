/** Records a version of an API that an authorization server protects. */
import { apiResources } from '../../storage/schema/api-resources.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { lockAuthorizationServer } from '../authorization-servers/lock-authorization-server.ts';
import { readAuthorizationServer } from '../authorization-servers/read-authorization-server.ts';
import { type ChangeContext, changeRegistry, createOnce, type Idempotency } from '../change.ts';
import { requireReadable, requireSuccessor } from '../offers/successor.ts';
import { RegistryError } from '../registry-error.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import {
  type ApiResource,
  type ApiResourceFields,
  type ApiResourceRow,
  apiResourceSnapshot,
  certificationColumns,
  NOT_CERTIFIED,
  requireMayAskFor,
  requireMayCertify,
  requireMayNameAudience,
  requireValidApi,
} from './api-resource.ts';
import { readApiResource } from './read-api-resource.ts';

export interface NewApiResource extends Partial<ApiResourceFields> {
  authorizationServerId: string;
  family: string;
  apiVersion: string;
}

/**
 * @throws RegistryError not_found, role_missing, validation_failed, api_resource_exists, illegal_transition when its
 *   authorization server is removed, idempotency_key_reused
 */
export async function addApiResource(
  context: ChangeContext,
  input: NewApiResource,
  idempotency?: Idempotency,
): Promise<ApiResource> {
  const { authorizationServerId, family, apiVersion, supersededBy = null } = input;
  const server = await readAuthorizationServer(context.db, context.actor, authorizationServerId);
  const { authorityId, organisationId } = server;
  authorise(context.actor, ACCESS.addApiResource.roles, authorityId, organisationId);
  const { id } = await changeRegistry(context, async (tx, record) => {
    return await createOnce(tx, context, idempotency, async (apiId) => {
      await lockAuthorizationServer(tx, authorizationServerId);
      const api: ApiResourceRow = {
        id: apiId,
        authorityId,
        authorizationServerId,
        family,
        apiVersion,
        endpoints: input.endpoints ?? [],
        requiredRoles: input.requiredRoles ?? [],
        audience: input.audience ?? null,
        ...certificationColumns(input.certification ?? NOT_CERTIFIED),
        deprecatedAt: input.deprecatedAt ?? null,
        retiresAt: input.retiresAt ?? null,
        supersededBy,
        recordedState: 'active',
        recordedCertificationEnd: null,
        version: 1,
        createdAt: context.now,
        removedAt: null,
      };
      requireValidApi(api, context);
      requireMayCertify(context.actor, undefined, api);
      requireMayNameAudience(context.actor, null, api);
      await requireMayAskFor(tx, context.actor, [], api);
      if (supersededBy !== null) {
        await requireReadable(() => readApiResource(tx, context.actor, supersededBy));
        await requireSuccessor(tx, 'api_resources', api, supersededBy);
      }
      try {
        await tx.insert(apiResources).values(api);
      } catch (error) {
        if (!isUniqueViolation(error, 'api_resources_version')) throw error;
        const message = `${family} ${apiVersion} of this authorization server is on record already`;
        throw new RegistryError('api_resource_exists', message, {}, { cause: error });
      }
      record({
        action: 'api_resource.add',
        authorityId,
        subjectKind: 'api_resource',
        subjectId: apiId,
        after: apiResourceSnapshot(api),
      });
    });
  });
  return readApiResource(context.db, context.actor, id);
}
