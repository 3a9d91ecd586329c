/** Removes a version of an API; its record stays for the history. */
import { eq } from 'drizzle-orm';
import { apiResources } from '../../storage/schema/api-resources.ts';
import { ACCESS } from '../access.ts';
import { authorise, despiteSuspension } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion } from '../change.ts';
import { apiResourceSnapshot } from './api-resource.ts';
import { lockApiResource } from './lock-api-resource.ts';
import { readApiResource } from './read-api-resource.ts';

/** @throws RegistryError not_found, role_missing, version_mismatch, illegal_transition when it is removed already */
export async function removeApiResource(
  context: ChangeContext,
  apiId: string,
  expectedVersion?: number,
): Promise<void> {
  const { authorityId, organisationId } = await readApiResource(context.db, context.actor, apiId);
  authorise(despiteSuspension(context.actor), ACCESS.removeApiResource.roles, authorityId, organisationId);
  await changeRegistry(context, async (tx, record) => {
    const before = await lockApiResource(tx, apiId);
    requireVersion(before, expectedVersion);
    const change = { removedAt: context.now, version: before.version + 1 };
    await tx.update(apiResources).set(change).where(eq(apiResources.id, apiId));
    record({
      action: 'api_resource.remove',
      authorityId,
      subjectKind: 'api_resource',
      subjectId: apiId,
      before: apiResourceSnapshot(before),
      after: apiResourceSnapshot({ ...before, ...change }),
    });
  });
}
