/** The settings by which checks judge an entity: checks that were made under others do not count for the present ones. */
import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../../federation/json.ts';
import type { Authority } from '../authorities/authority.ts';
import type { GivenRole } from '../roles/given-roles.ts';
import { LIVE_STATES } from '../states.ts';
import type { EntityRow, SubordinateSettings } from './entity.ts';

/** What is said about the entity alone. */
type OwnSettings = Pick<SubordinateSettings, 'metadata' | 'metadataPolicy' | 'constraints'>;

/** What its authority says about all. */
export type AuthorityDefaults = Pick<Authority, 'defaultMetadataPolicy' | 'defaultConstraints'>;

/** The roles that it was given; checks look at those that count at their moment. */
export type JudgingRole = Pick<GivenRole, 'roleId' | 'metadataPolicy' | 'validFrom' | 'validTo'>;

/** Equal for equal settings, on every node; the checks keep it in their evidence as `settingsDigest`. */
export function settingsDigest(
  { metadata, metadataPolicy, constraints }: OwnSettings,
  authority: AuthorityDefaults,
  roles: readonly JudgingRole[] = [],
): string {
  const { defaultMetadataPolicy, defaultConstraints } = authority;
  const judging: Record<string, unknown> = {
    ...{ metadata, metadataPolicy, defaultMetadataPolicy },
    constraints: constraints ?? defaultConstraints,
  };
  if (roles.length > 0) {
    judging['roles'] = roles.map(({ roleId, metadataPolicy: policy, validFrom, validTo }) => {
      return { roleId, metadataPolicy: policy, validFrom, validTo };
    });
  }
  return createHash('sha256')
    .update(canonicalJson(judging as JsonValue))
    .digest('base64url');
}

/**
 * Whether settings changed since the checks ran. Proofs of keys that were handed over rest on no settings, and a closed
 * record stays as it was decided.
 */
export function areChecksOutdated(
  entity: OwnSettings & Pick<EntityRow, 'enrolment' | 'state'>,
  checkedSettings: unknown,
  authority: AuthorityDefaults,
  roles: readonly JudgingRole[],
): boolean {
  if (entity.enrolment === 'handed_over' || !LIVE_STATES.includes(entity.state)) return false;
  return checkedSettings !== settingsDigest(entity, authority, roles);
}
