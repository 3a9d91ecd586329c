/** Answers about changes that are recorded but do not show at this node yet: success, and a header that says so. */
import type { MiddlewareHandler } from 'hono';
import type { Actor } from '../../registry/actor.ts';
import { StaleStateError } from '../../storage/change-feed.ts';
import type { ApiDependencies } from '../api/api-dependencies.ts';
import type { ApiEnv } from '../api/api-env.ts';

/** Seq of a change that is recorded and takes effect here once this node has caught up with it. */
export const PENDING_SEQ_HEADER = 'holdfast-pending-seq';

/**
 * To refuse what was done would be a lie, and lose what is told once, such as the secret of a token. A node that has
 * not caught up for a second answers nothing at its federation endpoints, rather than what was true before.
 */
export class PendingChanges {
  /** By the actor of the request, an object of its own for each. */
  readonly #seqs = new WeakMap<Actor, number>();

  /** Contexts in which a change does not fail only because it does not show here in time. */
  tolerate(changeContext: ApiDependencies['changeContext']): ApiDependencies['changeContext'] {
    return (actor, requestId) => {
      const context = changeContext(actor, requestId);
      const committed = async (seq: number): Promise<void> => {
        try {
          await context.committed(seq);
        } catch (error) {
          if (!(error instanceof StaleStateError)) throw error;
          this.#seqs.set(actor, seq);
        }
      };
      return { ...context, committed };
    };
  }

  /** Runs after authentication. */
  readonly tell: MiddlewareHandler<ApiEnv> = async (c, next) => {
    const actor: Actor = { ...c.get('actor') };
    c.set('actor', actor);
    await next();
    const seq = this.#seqs.get(actor);
    if (seq !== undefined) c.res.headers.set(PENDING_SEQ_HEADER, String(seq));
  };
}
