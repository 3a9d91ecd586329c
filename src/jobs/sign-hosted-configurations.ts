/** Signs Entity Configurations of hosted entities anew before half of their life is over, whether anybody asks or not. */
import type { Clock } from '../federation/time.ts';
import type { HostedConfigurations } from '../issuance/hosted-configurations.ts';
import { agedConfigurations } from '../registry/hosting/aged-configurations.ts';
import type { Db } from '../storage/connect.ts';

export interface HostedSigningOptions {
  db: Db;
  clock: Clock;
  configurations: Pick<HostedConfigurations, 'at'>;
  /** One entity's trouble does not hold up the others. */
  onError: (error: unknown, entityIdentifier: string) => void;
}

/** Read at a time. */
const PIECE = 100;

/**
 * One round: all that are due. Whoever asks meanwhile has them signed, too, and what is signed first is served by all
 * nodes, so it does no harm that several do this at once.
 */
export async function signHostedConfigurations(options: HostedSigningOptions, signal?: AbortSignal): Promise<void> {
  const { db, clock, configurations, onError } = options;
  const now = new Date(clock.now() * 1000);
  let after: string | undefined;
  do {
    const aged = await agedConfigurations(db, now, after, PIECE);
    for (const { location, entityIdentifier } of aged) {
      if (signal?.aborted === true) return;
      try {
        await configurations.at(location);
      } catch (error) {
        onError(error, entityIdentifier);
      }
    }
    after = aged.length < PIECE ? undefined : aged.at(-1)?.entityId;
  } while (after !== undefined);
}
