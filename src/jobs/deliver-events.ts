/** Tells receivers of events: of each webhook one node, as long as it lives, sends what is due. */
import type { RegistryChange } from '../storage/change-feed.ts';
import { type EventDeliveryOptions, WebhookDrain } from './webhook-drain.ts';

/** One for each node. Whatever it remembers is nothing that another node would need. */
export class EventDeliveries {
  readonly #options: EventDeliveryOptions;
  readonly #drains = new Set<WebhookDrain>();

  constructor(options: EventDeliveryOptions) {
    this.#options = options;
  }

  /**
   * Delivers what a webhook is about until the signal is aborted, or until the webhook is paused or removed. Nobody else
   * may do so meanwhile.
   * @throws what the database fails with
   */
  async run(webhookId: string, signal: AbortSignal): Promise<void> {
    const drain = new WebhookDrain(this.#options, webhookId);
    this.#drains.add(drain);
    try {
      await drain.run(signal);
    } finally {
      this.#drains.delete(drain);
    }
  }

  /** To be called with what changed, once this node's caches follow it. */
  announce(changes: readonly Pick<RegistryChange, 'seq' | 'subjectKind' | 'subjectId'>[]): void {
    const seq = changes.at(-1)?.seq;
    if (seq === undefined) return;
    const webhookIds = new Set(
      changes.filter(({ subjectKind }) => subjectKind === 'webhook').map(({ subjectId }) => subjectId),
    );
    for (const drain of this.#drains) drain.announce(seq, webhookIds.has(drain.webhookId));
  }
}
