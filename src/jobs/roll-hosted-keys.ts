/** Moves the keys of hosted entities along: what is announced for long enough signs, what signed is dropped in time. */
import type { ChangeContext } from '../registry/change.ts';
import { advanceHostedKeys } from '../registry/hosting/advance-hosted-keys.ts';
import type { GenerateHostedKey } from '../registry/hosting/hosted-entity.ts';
import { dueHostedEntities } from '../registry/hosting/read-hosting.ts';
import { rollHostedKey } from '../registry/hosting/roll-hosted-key.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Db } from '../storage/connect.ts';

export interface HostedKeyRollsOptions {
  db: Db;
  /** Acts for the service itself, at the present moment. */
  changeContext: () => ChangeContext;
  generateKey: GenerateHostedKey;
  /** One entity's trouble does not hold up the others. */
  onError: (error: unknown, entityId: string) => void;
}

/** The others follow in the next rounds. */
const ENTITIES_A_ROUND = 100;

/** Verbs decide under a lock of the entity, so a race with another node that is lost is no error. */
export async function rollHostedKeys(options: HostedKeyRollsOptions, signal?: AbortSignal): Promise<void> {
  const { db, changeContext, generateKey, onError } = options;
  for (const entityId of await dueHostedEntities(db, changeContext().now, ENTITIES_A_ROUND)) {
    if (signal?.aborted === true) return;
    try {
      const { needsKey } = await advanceHostedKeys(changeContext(), entityId);
      const reason = 'no key of it was left that its superior lists';
      const roll = { reason, isOnlyWithoutSigner: true };
      if (needsKey) await rollHostedKey(changeContext(), entityId, roll, generateKey);
    } catch (error) {
      if (!(error instanceof RegistryError)) onError(error, entityId);
    }
  }
}
