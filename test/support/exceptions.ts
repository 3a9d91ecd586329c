/** Exceptions of entities in tests, and people who answer for them. */
import type { Authority } from '../../src/registry/authorities/authority.ts';
import type { EntityException } from '../../src/registry/exceptions/exception.ts';
import { type NewException, requestException } from '../../src/registry/exceptions/request-exception.ts';
import { createToken } from '../../src/registry/tokens/create-token.ts';
import type { Role } from '../../src/storage/schema/api-tokens.ts';
import { actor, freshIdentifier, NOW_DATE, type TestRegistry } from './registry.ts';

/** Id of the token of somebody who may answer for an exception. */
export async function exceptionOwner(registry: TestRegistry, authorityIds: string[] | null = null): Promise<string> {
  const name = freshIdentifier('owner');
  const owner = { name, roles: ['registrar'] as Role[], authorityIds, lifetimeSeconds: 300 * 86_400 };
  const { token } = await createToken(registry.context(), owner);
  return token.id;
}

/** For a month, unless told otherwise. */
export async function newException(
  registry: TestRegistry,
  settings: Partial<NewException> = {},
): Promise<NewException> {
  const endsAt = new Date(NOW_DATE.getTime() + 30 * 86_400_000);
  const ownerId = settings.ownerId ?? (await exceptionOwner(registry));
  return { kind: 'no_mtls', reason: 'its gateway is replaced in autumn', endsAt, ...settings, ownerId };
}

/** A pending one of a new entity, asked for by somebody else. */
export async function exceptionOf(
  registry: TestRegistry,
  authority: Authority,
  settings: Partial<NewException> = {},
): Promise<EntityException> {
  const { id } = await registry.entity(await registry.organisation(authority));
  const context = registry.context(actor({ id: 'somebody-who-asked' }));
  return await requestException(context, id, await newException(registry, settings));
}
