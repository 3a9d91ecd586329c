/** A subordinate that proved who it is, as somebody who acts in the registry. */
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { Actor } from '../registry/actor.ts';

/**
 * For the verbs about its own keys only: they let a registrar act, and check the proof themselves or are called after
 * it was checked. The audit names the entity.
 */
export function subordinateActor(authorityId: string, entityIdentifier: EntityIdentifier): Actor {
  return {
    kind: 'entity',
    id: entityIdentifier,
    name: entityIdentifier,
    roles: ['registrar'],
    authorities: new Set([authorityId]),
    organisations: 'all',
  };
}
