/** Changes where an API is, what is certified of it, and how long it is offered; another version is another record. */
import { eq } from 'drizzle-orm';
import { jsonEquals } from '../../federation/json.ts';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { ACCESS } from '../access.ts';
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { cureFindings } from '../life-cycle/directory-findings.ts';
import { requireReadable, requireSuccessor } from '../offers/successor.ts';
import {
  type ApiResource,
  type ApiResourceFields,
  type ApiResourceRow,
  apiResourceSnapshot,
  certificationColumns,
  requireMayAskFor,
  requireMayCertify,
  requireMayNameAudience,
  requireValidApi,
} from './api-resource.ts';
import { lockApiResource } from './lock-api-resource.ts';
import { readApiResource } from './read-api-resource.ts';

/**
 * What is so already changes nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, version_mismatch, illegal_transition
 */
export async function updateApiResource(
  context: ChangeContext,
  apiId: string,
  changes: Partial<ApiResourceFields>,
  expectedVersion?: number,
): Promise<ApiResource> {
  const { authorityId, organisationId } = await readApiResource(context.db, context.actor, apiId);
  authorise(context.actor, ACCESS.updateApiResource.roles, authorityId, organisationId);
  const { certification, ...fields } = changes;
  await changeRegistry(context, async (tx, record) => {
    const before = await lockApiResource(tx, apiId);
    requireVersion(before, expectedVersion);
    const after: ApiResourceRow = {
      ...withChanges(before, fields),
      ...(certification && certificationColumns(certification)),
      version: before.version + 1,
    };
    requireValidApi(after, context);
    requireMayCertify(context.actor, before, after);
    requireMayNameAudience(context.actor, before.audience, after);
    await requireMayAskFor(tx, context.actor, before.requiredRoles, after);
    if (jsonEquals(apiResourceSnapshot(before), apiResourceSnapshot(after))) return;
    const { supersededBy } = after;
    if (supersededBy !== null && supersededBy !== before.supersededBy) {
      await requireReadable(() => readApiResource(tx, context.actor, supersededBy));
      await requireSuccessor(tx, 'api_resources', before, supersededBy);
    }
    await tx.update(apiResources).set(after).where(eq(apiResources.id, apiId));
    if (certification !== undefined) await cureFindings(tx, apiId, 'certification_lapsed');
    record({
      action: 'api_resource.update',
      authorityId,
      subjectKind: 'api_resource',
      subjectId: apiId,
      before: apiResourceSnapshot(before),
      after: apiResourceSnapshot(after),
    });
  });
  return readApiResource(context.db, context.actor, apiId);
}
