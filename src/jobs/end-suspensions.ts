/** Reinstates what was suspended until a moment that has come, also while no node was running. */
import type { ChangeContext } from '../registry/change.ts';
import { transitionEntity } from '../registry/entities/transition-entity.ts';
import { dueSuspensions } from '../registry/life-cycle/due-suspensions.ts';
import { transitionOrganisation } from '../registry/organisations/transition-organisation.ts';
import { RegistryError } from '../registry/registry-error.ts';

export interface SuspensionEnds {
  /** Acts for the service itself, at the present moment. */
  changeContext: () => ChangeContext;
  /** One record's trouble does not hold up the others. */
  onError: (error: unknown, recordId: string) => void;
  pageSize?: number;
}

/** Looked up at once. */
const PAGE_SIZE = 500;

/**
 * Somebody who looked at the record meanwhile, or another node, has decided: then its version is another, and it is left
 * alone. What may not become active, for want of a contact, stays suspended and is tried again; the findings tell of it.
 */
export async function endSuspensions(
  { changeContext, onError, pageSize = PAGE_SIZE }: SuspensionEnds,
  signal?: AbortSignal,
): Promise<void> {
  const { db, now } = changeContext();
  for await (const { kind, id, version, until } of dueSuspensions(db, now, pageSize)) {
    if (signal?.aborted === true) return;
    const reinstate = kind === 'organisation' ? transitionOrganisation : transitionEntity;
    const reason = `the suspension was to end at ${until.toISOString()}`;
    try {
      await reinstate(changeContext(), id, 'reinstate', { reason, reasonCode: 'period_ended' }, version);
    } catch (error) {
      if (!(error instanceof RegistryError)) onError(error, id);
    }
  }
}
