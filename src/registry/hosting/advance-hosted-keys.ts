/** Takes the steps of a hosted entity's keys that are due: the announced one signs, a retired one is listed no more. */
import { authorise } from '../actor.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { readEntity } from '../entities/read-entity.ts';
import { isKeptHere } from './hosted-entity.ts';
import {
  changeRegistered,
  dropUnregistered,
  hostedKeysOf,
  hostingChanged,
  keyIn,
  lockHosting,
  retired,
  signing,
  updateHostedKey,
} from './hosted-key.ts';

export interface AdvancedKeys {
  /** Whether none of its keys can sign its configuration: the one that did is not registered any more. */
  needsKey: boolean;
}

/** @throws RegistryError not_found, role_missing, not_hosted, illegal_transition */
export async function advanceHostedKeys(context: ChangeContext, entityId: string): Promise<AdvancedKeys> {
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  const { now } = context;
  return await changeRegistry(context, async (tx, record) => {
    const before = await lockHosting(tx, entityId);
    const { entity, hosted } = before;
    const keys = await dropUnregistered(tx, before);
    let isChanged = keys.length < before.keys.length;
    const [present, announced] = [keyIn(keys, 'active'), keyIn(keys, 'announced')];
    if (announced !== undefined && isKeptHere(announced) && isPast(announced.activateAfter, now)) {
      if (present !== undefined) await updateHostedKey(tx, retired(present, now));
      await updateHostedKey(tx, signing(announced, hosted));
      isChanged = true;
    }
    for (const key of keys.filter(({ state, removeAfter }) => state === 'retired' && isPast(removeAfter, now))) {
      await updateHostedKey(tx, { ...key, state: 'removed' });
      await changeRegistered(tx, entity, { removeKid: key.kid }, now);
      isChanged = true;
    }
    if (isChanged) record({ ...(await hostingChanged(tx, before, 'entity.advance_hosted_keys')) });
    const signs = (await hostedKeysOf(tx, entityId)).some(({ state }) => state === 'active');
    return { needsKey: hosted.mode === 'signed_here' && !signs };
  });
}

function isPast(moment: Date | null, now: Date): boolean {
  return moment !== null && moment <= now;
}
