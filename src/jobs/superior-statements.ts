/** What superiors say about our authorities now: ours directly, others over HTTP. @see OIDFED §8.1 */
import { FederationError } from '../federation/errors.ts';
import type { EntityIdentifier } from '../federation/identifiers.ts';
import type { EntityStatement } from '../federation/statement/entity-statement.ts';
import type { ValidationOptions } from '../federation/statement/validate-statement.ts';
import type { Clock } from '../federation/time.ts';
import { Deadline } from '../outbound/deadline.ts';
import { createHttpStatementSource, type HttpGet } from '../resolver/http-statement-source.ts';
import { StatementCache } from '../resolver/statement-cache.ts';
import { createStatementSource, type OwnAuthorities } from '../resolver/statement-source.ts';

/**
 * A superior's validated Subordinate Statement about one of our authorities.
 * @throws FederationError when there is none, or it cannot be had
 */
export type ReadSuperiorStatement = (
  superior: EntityIdentifier,
  authority: EntityIdentifier,
  signal?: AbortSignal,
) => Promise<EntityStatement>;

export interface SuperiorStatementsOptions {
  outbound: HttpGet;
  ownAuthorities: OwnAuthorities;
  clock: Clock;
  allowHttp: boolean;
  understoodClaims?: ReadonlySet<string>;
}

const LOOK_TIMEOUT_MS = 20_000;
/** Authorities that look at the same superior share its configuration; what we wait for is seen soon. */
const MAX_FRESH_SECONDS = 60;

export function createSuperiorStatements(options: SuperiorStatementsOptions): ReadSuperiorStatement {
  const { outbound, ownAuthorities, clock, allowHttp, understoodClaims } = options;
  const validation = (): ValidationOptions => ({ now: clock.now(), allowHttp, understoodClaims });
  const cache = new StatementCache({ clock, maxFreshSeconds: MAX_FRESH_SECONDS });
  const remote = createHttpStatementSource({ outbound, cache, validation });
  return async (superior, authority, outer) => {
    using deadline = new Deadline({
      timeoutMs: LOOK_TIMEOUT_MS,
      expired: () => new FederationError('timed_out', `${superior} did not answer within ${LOOK_TIMEOUT_MS / 1000} s`),
      outer,
    });
    const { signal } = deadline;
    const source = createStatementSource({ ownAuthorities, remote, validation, onDependency: () => {} });
    const configuration = await source.entityConfiguration(superior, signal);
    return await source.subordinateStatement(configuration, authority, signal);
  };
}
