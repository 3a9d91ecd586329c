/** The door for the federation endpoints of all authorities: found by host and path, as authorities come and go. */
import { randomUUID } from 'node:crypto';
import type { RetrieveConfiguration } from '../../enrolment/configuration-checks.ts';
import type { EnrolmentTools } from '../../enrolment/flow/step-subject.ts';
import { FederationError } from '../../federation/errors.ts';
import type { Clock } from '../../federation/time.ts';
import type { ServedEndpoint } from '../../issuance/authority-endpoints.ts';
import type { EntityCollections } from '../../issuance/companion/entity-collections.ts';
import type { ExtendedLists } from '../../issuance/companion/extended-lists.ts';
import type { SubordinateEvents } from '../../issuance/companion/subordinate-events.ts';
import type { ReadyAnswer, ReadyAnswers } from '../../issuance/ready-answers.ts';
import type { TrustMarkAnswers } from '../../issuance/trust-marks/trust-mark-answers.ts';
import type { Actor } from '../../registry/actor.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../registry/authorities/authority-directory.ts';
import type { ChangeContext } from '../../registry/change.ts';
import { boundedMethod, type ObserveRequest } from '../answered-request.ts';
import { toFederationErrorResponse } from '../federation-error-response.ts';
import { isOutage } from '../outage.ts';
import { admit, methodsOf } from './admission.ts';
import type { Caller } from './callers.ts';
import { answerCollection } from './collection.ts';
import { EndpointTable } from './endpoint-table.ts';
import { answerEnrolmentRequest } from './enrolment-request.ts';
import { Exchange } from './exchange.ts';
import { answerExtendedList } from './extended-list.ts';
import { answerFetch } from './fetch.ts';
import type { HotAnswers } from './hot-answers.ts';
import { answerList } from './list.ts';
import { keepHot } from './plain-door.ts';
import { preflightAnswer, publicAnswer } from './public-answer.ts';
import { answerResolve, type ResolveDependencies } from './resolve.ts';
import { answerSubordinateEvents } from './subordinate-events.ts';
import { answerSubordinateKeys } from './subordinate-keys.ts';
import { answerSubordinateRefresh } from './subordinate-refresh.ts';
import { answerTrustMarkRequest } from './trust-mark-request.ts';
import { answerTrustMarkStatus } from './trust-mark-status.ts';
import { answerTrustMark, answerTrustMarkList } from './trust-marks.ts';
import type { UsedAssertions } from './used-assertions.ts';

/** Whether the caches are known to follow the registry; see the change feed. */
export interface Freshness {
  isCurrent(): boolean;
  /** @throws StaleStateError when the database does not confirm our state in time */
  ensureCurrent(): Promise<void>;
}

/** What subordinates do here about themselves. */
export interface SubordinateDependencies {
  changeContext: (actor: Actor) => ChangeContext;
  retrieveConfiguration: RetrieveConfiguration;
  enrolmentTools: EnrolmentTools;
  /** Refuses a signed request that was used before, at whichever node. */
  used: Pick<UsedAssertions, 'use'>;
}

export interface FederationDependencies {
  directory: AuthorityDirectory;
  answers: ReadyAnswers;
  trustMarks: TrustMarkAnswers;
  extendedLists: ExtendedLists;
  subordinateEvents: SubordinateEvents;
  collections: EntityCollections;
  resolve: ResolveDependencies;
  subordinates: SubordinateDependencies;
  freshness: Freshness;
  /** Is told of what it may give again. */
  hot: HotAnswers;
  clock: Clock;
  observe: ObserveRequest;
  logError: (error: unknown, requestId: string) => void;
}

export interface EndpointRequest {
  served: ServedAuthority;
  exchange: Exchange;
  /** Who asks, as far as the endpoint wants to know. */
  caller: Caller;
}

type Answerer = (request: EndpointRequest, dependencies: FederationDependencies) => ReadyAnswer | Promise<ReadyAnswer>;

const ANSWERERS: Record<ServedEndpoint, Answerer> = {
  configuration: ({ served }, { answers }) => answers.entityConfiguration(served),
  fetch: answerFetch,
  list: answerList,
  resolve: answerResolve,
  trustMarkStatus: answerTrustMarkStatus,
  trustMarkList: answerTrustMarkList,
  trustMark: answerTrustMark,
  historicalKeys: ({ served }, { answers }) => answers.historicalKeys(served),
  extendedList: answerExtendedList,
  subordinateEvents: answerSubordinateEvents,
  collection: answerCollection,
  subordinateKeys: answerSubordinateKeys,
  subordinateRefresh: answerSubordinateRefresh,
  trustMarkRequest: answerTrustMarkRequest,
  enrolmentRequest: answerEnrolmentRequest,
};

/** @returns a function that answers requests to an authority's endpoint, and undefined for any other */
export function createFederationDoor(
  dependencies: FederationDependencies,
): (request: Request, environment?: unknown) => Response | Promise<Response> | undefined {
  const table = new EndpointTable(dependencies.directory);
  const { directory, freshness, hot, clock, observe, logError } = dependencies;
  const servedBy = (authorityId: string): ServedAuthority => {
    const served = directory.get(authorityId);
    if (served !== undefined) return served;
    throw new FederationError('subject_unknown', 'this authority was removed');
  };
  return (request, environment) => {
    const target = table.find(locationOf(request.url));
    if (target === undefined) return undefined;
    const { authorityId, endpoint } = target;
    if (request.method === 'OPTIONS') return preflightAnswer(methodsOf(servedBy(authorityId), endpoint));
    const begunAt = performance.now();
    const exchange = new Exchange(request, environment);
    let answeredBy: ServedAuthority | undefined;
    const answer = () => {
      const served = servedBy(authorityId);
      answeredBy = served;
      const answerTo = (caller: Caller) => ANSWERERS[endpoint]({ served, exchange, caller }, dependencies);
      const caller = admit(served, endpoint, exchange, dependencies);
      return caller instanceof Promise ? caller.then(answerTo) : answerTo(caller);
    };
    const isCurrent = () => freshness.isCurrent() && signingKid(directory.get(authorityId)) === signingKid(answeredBy);
    const told = (response: Response, isFault = false) => {
      const { status } = response;
      const durationMs = performance.now() - begunAt;
      const method = boundedMethod(request.method);
      observe({ door: 'federation', route: endpoint, method, status, isFault, durationMs });
      return exchange.complete(response);
    };
    const answered = (ready: ReadyAnswer) => told(publicAnswer(request, ready, clock.now()));
    const refused = (error: unknown) => told(refuse(error, logError), !isRefusal(error));
    try {
      const begun = freshness.isCurrent() ? answer() : undefined;
      if (begun !== undefined && !(begun instanceof Promise)) {
        if (exchange.headers === undefined) keepHot(hot, endpoint, environment, begun);
        return answered(begun);
      }
      return currentAnswer(begun, answer, { isCurrent, ensureCurrent: () => freshness.ensureCurrent() }).then(
        answered,
        refused,
      );
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

/** With another key all that was signed meanwhile is to be signed anew: the one before may have been revoked. */
function signingKid(served: ServedAuthority | undefined): string | undefined {
  return served?.keys.find(({ state }) => state === 'active')?.kid;
}

/** A refusal is the caller's news, an outage the feed's; anything else is ours to look at. */
function refuse(error: unknown, logError: FederationDependencies['logError']): Response {
  if (!isRefusal(error) && !isOutage(error)) logError(error, randomUUID());
  return toFederationErrorResponse(error);
}

/** Also 503, where others cannot be reached or a limit was met. */
function isRefusal(error: unknown): boolean {
  return error instanceof FederationError && error.wire !== 'server_error';
}

/** Host with its port, and path, of a request's URL, which is in its normal form; quicker than parsing it anew. */
function locationOf(url: string): string {
  const hostStart = url.indexOf('://') + 3;
  const queryStart = url.indexOf('?', hostStart);
  return queryStart === -1 ? url.slice(hostStart) : url.slice(hostStart, queryStart);
}
