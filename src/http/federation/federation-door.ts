/** The door for the federation endpoints of all authorities: found by host and path, as authorities come and go. */
import { randomUUID } from 'node:crypto';
import { FederationError } from '../../federation/errors.ts';
import type { Clock } from '../../federation/time.ts';
import {
  ENDPOINT_PATHS,
  FEDERATION_ENDPOINT_NAMES,
  type FederationEndpoint,
} from '../../issuance/authority-endpoints.ts';
import type { ReadyAnswer, ReadyAnswers } from '../../issuance/ready-answers.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import { federationMethodNotAllowed, toFederationErrorResponse } from '../federation-error-response.ts';
import { isOutage } from '../outage.ts';
import { Exchange } from './exchange.ts';
import { answerFetch } from './fetch.ts';
import { answerList } from './list.ts';
import { methodsOf, preflightAnswer, publicAnswer } from './public-answer.ts';
import { answerResolve, type ResolveDependencies } from './resolve.ts';

/** Whether the caches are known to follow the registry; see the change feed. */
export interface Freshness {
  isCurrent(): boolean;
  /** @throws StaleStateError when the database does not confirm our state in time */
  ensureCurrent(): Promise<void>;
}

export interface FederationDependencies {
  directory: AuthorityDirectory;
  answers: ReadyAnswers;
  resolve: ResolveDependencies;
  freshness: Freshness;
  clock: Clock;
  logError: (error: unknown, requestId: string) => void;
}

export interface EndpointRequest {
  served: ServedAuthority;
  exchange: Exchange;
}

type Answerer = (request: EndpointRequest, dependencies: FederationDependencies) => ReadyAnswer | Promise<ReadyAnswer>;

const ANSWERERS: Record<FederationEndpoint, Answerer> = {
  configuration: ({ served }, { answers }) => answers.entityConfiguration(served),
  fetch: answerFetch,
  list: answerList,
  resolve: answerResolve,
  historicalKeys: ({ served }, { answers }) => answers.historicalKeys(served),
};

/** @returns a function that answers requests to an authority's endpoint, and undefined for any other */
export function createFederationDoor(
  dependencies: FederationDependencies,
): (request: Request, environment?: unknown) => Response | Promise<Response> | undefined {
  const table = new EndpointTable(dependencies.directory);
  const { directory, freshness, clock, logError } = dependencies;
  return (request, environment) => {
    const target = table.find(locationOf(request.url));
    if (target === undefined) return undefined;
    const methods = methodsOf(target.endpoint);
    if (request.method === 'OPTIONS') return preflightAnswer(methods);
    if (!methods.includes(request.method)) return federationMethodNotAllowed(methods);
    const exchange = new Exchange(request, environment);
    const answer = () => {
      const served = directory.get(target.authorityId);
      if (served === undefined) throw new FederationError('subject_unknown', 'this authority was removed');
      return ANSWERERS[target.endpoint]({ served, exchange }, dependencies);
    };
    const answered = (ready: ReadyAnswer) => exchange.complete(publicAnswer(request, ready, clock.now()));
    const refused = (error: unknown) => exchange.complete(refuse(error, logError));
    try {
      const begun = freshness.isCurrent() ? answer() : undefined;
      if (begun !== undefined && !(begun instanceof Promise)) return answered(begun);
      return currentAnswer(begun, answer, freshness).then(answered, refused);
    } catch (error) {
      return refused(error);
    }
  };
}

/** What took its time counts only if our state is known to be current at its end, too; if not, it is made anew. */
async function currentAnswer(
  begun: Promise<ReadyAnswer> | undefined,
  answer: () => ReadyAnswer | Promise<ReadyAnswer>,
  freshness: Freshness,
): Promise<ReadyAnswer> {
  let ready = await begun;
  while (ready === undefined || !freshness.isCurrent()) {
    await freshness.ensureCurrent();
    ready = await answer();
  }
  return ready;
}

/** A refusal is the caller's news, an outage the feed's; anything else is ours to look at. */
function refuse(error: unknown, logError: FederationDependencies['logError']): Response {
  const isRefusal = error instanceof FederationError && error.wire !== 'server_error';
  if (!isRefusal && !isOutage(error)) logError(error, randomUUID());
  return toFederationErrorResponse(error);
}

/** Every endpoint of every authority by host and path, rebuilt when the authorities change. */
class EndpointTable {
  readonly #directory: AuthorityDirectory;
  #authorities: readonly ServedAuthority[] | undefined;
  #endpoints: ReadonlyMap<string, { authorityId: string; endpoint: FederationEndpoint }> = new Map();

  constructor(directory: AuthorityDirectory) {
    this.#directory = directory;
  }

  find(location: string): { authorityId: string; endpoint: FederationEndpoint } | undefined {
    if (this.#authorities !== this.#directory.all) this.#rebuild(this.#directory.all);
    return this.#endpoints.get(location) ?? this.#endpoints.get(location.replace(DEFAULT_PORT, '$1/'));
  }

  #rebuild(authorities: readonly ServedAuthority[]): void {
    this.#authorities = authorities;
    this.#endpoints = new Map(
      authorities.flatMap(({ authority }) =>
        FEDERATION_ENDPOINT_NAMES.map((endpoint) => [
          authority.location + ENDPOINT_PATHS[endpoint],
          { authorityId: authority.id, endpoint },
        ]),
      ),
    );
  }
}

/** Behind a proxy we do not know the scheme, and so not which of the two a client might as well have left out. */
const DEFAULT_PORT = /^([^/]+):(?:80|443)\//;

/** Host with its port, and path, of a request's URL, which is in its normal form; quicker than parsing it anew. */
function locationOf(url: string): string {
  const hostStart = url.indexOf('://') + 3;
  const queryStart = url.indexOf('?', hostStart);
  return queryStart === -1 ? url.slice(hostStart) : url.slice(hostStart, queryStart);
}
