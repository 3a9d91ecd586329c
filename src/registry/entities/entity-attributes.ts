/** What an entity is for: its name among people, whether it is live, where it runs, and for whom it acts. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import type { EntityMode } from '../../storage/schema/entities.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { invalidField } from '../registry-error.ts';
import type { EntityRow } from './entity.ts';

export const ENTITY_MODES = ['live', 'test'] as const satisfies readonly EntityMode[];

export interface EntityAttributes {
  /** Short, for people; null: its Entity Identifier has to do. */
  name: string | null;
  mode: EntityMode;
  /** Where it runs, such as `production` or `sandbox`; its credentials count there and nowhere else. */
  environment: string;
  /** The organisation that it acts for as a provider; null: its own. */
  onBehalfOf: string | null;
}

export const USUAL_ENVIRONMENT: Readonly<Record<EntityMode, string>> = { live: 'production', test: 'sandbox' };

/** The attributes of a new entity, with what is usual for those not given. */
export function attributesWithDefaults(given: Partial<EntityAttributes>): EntityAttributes {
  const { name = null, mode = 'live', onBehalfOf = null } = given;
  return { name, mode, environment: given.environment ?? USUAL_ENVIRONMENT[mode], onBehalfOf };
}

/** Where its credentials count. */
export function isSamePlace(
  one: Pick<EntityAttributes, 'mode' | 'environment'>,
  other: Pick<EntityAttributes, 'mode' | 'environment'>,
): boolean {
  return one.mode === other.mode && one.environment === other.environment;
}

/** An approval is for one mode and one environment. @throws RegistryError validation_failed */
export function requireSamePlace(before: EntityRow, after: EntityAttributes): void {
  if (before.state === 'pending') return;
  for (const member of ['mode', 'environment'] as const) {
    if (after[member] === before[member]) continue;
    throw invalidField(`/${member}`, `was approved as ${before[member]}; withdraw the entity and enrol it anew`);
  }
}

/**
 * Holds the organisation still until the transaction ends.
 * @throws RegistryError validation_failed unless it is another active organisation of the same authority
 */
export async function requireRepresentable(
  tx: Tx,
  { authorityId, organisationId }: Pick<EntityRow, 'authorityId' | 'organisationId'>,
  onBehalfOf: string,
): Promise<void> {
  const field = '/onBehalfOf';
  if (onBehalfOf === organisationId) throw invalidField(field, 'is its own organisation; leave it out');
  const [represented] = await tx
    .select({ authorityId: organisations.authorityId, state: organisations.state })
    .from(organisations)
    .where(eq(organisations.id, onBehalfOf))
    .for('share');
  if (represented?.authorityId !== authorityId) throw invalidField(field, 'is no organisation of this authority');
  if (represented.state !== 'active') throw invalidField(field, `is ${represented.state}; it must be active first`);
}
