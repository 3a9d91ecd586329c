/** What middleware leaves for the handlers of the API. */
import type { JsonValue } from '../../federation/json.ts';
import type { Actor } from '../../registry/actor.ts';

export interface ApiEnv {
  Variables: {
    requestId: string;
    /** Who asks; present on every operation that needs a token. */
    actor: Actor;
    /** The body as strictly parsed, before its schema; present on every operation that takes one. */
    body: JsonValue;
  };
}
