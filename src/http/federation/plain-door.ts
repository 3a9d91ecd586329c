/** The door for plain requests whose answers lie ready: they are most of all, and need none of the framework. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServedEndpoint } from '../../issuance/authority-endpoints.ts';
import type { ReadyAnswer, ReadyAnswers, SignedAnswer } from '../../issuance/ready-answers.ts';
import type { AuthorityDirectory } from '../../registry/authorities/authority-directory.ts';
import { authenticationOf } from '../../registry/authorities/endpoint-authentication.ts';
import { EndpointTable } from './endpoint-table.ts';
import type { FederationDependencies } from './federation-door.ts';
import type { HotAnswer, HotAnswers } from './hot-answers.ts';
import { incomingOf, type PlainRequest, plainRequestOf, soleParameter } from './plain-request.ts';
import { publicHeaders } from './public-answer.ts';

/** @returns the endpoint that was answered for; undefined, and nothing is done, when the request is for the other doors */
export type PlainDoor = (incoming: IncomingMessage, outgoing: ServerResponse) => ServedEndpoint | undefined;

/** Gives what the federation door would give. */
export function createPlainDoor({
  directory,
  answers,
  hot,
  freshness,
  clock,
}: Pick<FederationDependencies, 'directory' | 'answers' | 'hot' | 'freshness' | 'clock'>): PlainDoor {
  const table = new EndpointTable(directory);
  const readyAnswer = (request: PlainRequest): HotAnswer | undefined => {
    const { host, target } = request;
    const queryStart = target.indexOf('?');
    if (queryStart === -1) return hot.get(questionOf(request));
    const found = table.find(host + target.slice(0, queryStart));
    if (found?.endpoint !== 'fetch') return hot.get(questionOf(request));
    const answer = readyStatement(found.authorityId, target.slice(queryStart + 1), { directory, answers });
    return answer && { endpoint: 'fetch', answer };
  };
  return (incoming, outgoing) => {
    const request = plainRequestOf(incoming);
    if (request === undefined || !freshness.isCurrent()) return undefined;
    const ready = readyAnswer(request);
    if (ready === undefined) return undefined;
    outgoing.writeHead(200, publicHeaders(ready.answer, clock.now()));
    outgoing.end(ready.answer.body);
    return ready.endpoint;
  };
}

/** Statements are looked up where they lie, by their subject: there may be more of them than are asked for in a second. */
function readyStatement(
  authorityId: string,
  query: string,
  { directory, answers }: { directory: AuthorityDirectory; answers: ReadyAnswers },
): SignedAnswer | undefined {
  const served = directory.get(authorityId);
  if (served === undefined || authenticationOf(served.authority, 'fetch') === 'required') return undefined;
  const subject = soleParameter(query, 'sub');
  const ready = subject === undefined ? undefined : answers.readyStatement(served, subject);
  return ready?.etag === undefined ? ready : undefined;
}

/** Keeps what anybody gets who asks the same, as far as it is not found as quickly where it lies. */
export function keepHot(hot: HotAnswers, endpoint: ServedEndpoint, environment: unknown, answer: ReadyAnswer): void {
  if (endpoint === 'fetch' || answer.etag !== undefined || answer.status !== undefined) return;
  const incoming = incomingOf(environment);
  const request = incoming && plainRequestOf(incoming);
  if (request !== undefined) hot.keep(questionOf(request), { endpoint, answer });
}

function questionOf({ host, target }: PlainRequest): string {
  return `${host} ${target}`;
}
