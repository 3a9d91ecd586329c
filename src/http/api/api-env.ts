/** What middleware leaves for the handlers of the API. */
import type { JsonValue } from '../../federation/json.ts';
import type { Actor } from '../../registry/actor.ts';

export interface ApiEnv {
  Variables: {
    requestId: string;
    /** The path as OpenAPI writes it; undefined where there is none. */
    route: string | undefined;
    /** Who asks; present on every operation that needs a token. */
    actor: Actor;
    /** The body as strictly parsed, before its schema; present on every operation that takes one. */
    body: JsonValue;
    /** The same as it came. */
    bodyBytes: Uint8Array;
  };
}
