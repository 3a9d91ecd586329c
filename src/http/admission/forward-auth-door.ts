/**
 * `/api/v1/admission/http`, which gateways ask before each request: any method, and any path below it, since some send
 * those of the original request. Who asks is found by its own proof; what it asks for stands in its record.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission } from '../../admission/admission.ts';
import type { Clock } from '../../federation/time.ts';
import type { LogError } from '../error-response.ts';
import { enforcementPointOf, keepConnection } from './enforcement-point-caller.ts';
import { decided, type ForwardAuthAnswer, undecided } from './forward-auth-answer.ts';
import { forwardAuthQuestion } from './forward-auth-question.ts';

export interface ForwardAuthDependencies {
  admission: Pick<Admission, 'state' | 'ask'>;
  clock: Clock;
  logError: LogError;
}

/** @returns false, and nothing is done, when the request is for the other doors */
export type AdmissionDoor = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

export const FORWARD_AUTH_PATH = '/api/v1/admission/http';

/** Bodies are for others; those that may go on for longer end the connection instead. */
const MAX_IGNORED_BODY_BYTES = 64 * 1024;

export function createForwardAuthDoor(dependencies: ForwardAuthDependencies): AdmissionDoor {
  return (incoming, outgoing) => {
    if (!isForwardAuth(incoming.url)) return false;
    try {
      const answer = answerTo(incoming, dependencies);
      if (!(answer instanceof Promise)) send(answer, incoming, outgoing);
      else {
        const later = answer.catch((error: unknown) => failure(error, dependencies));
        later.then((found) => send(found, incoming, outgoing)).catch(() => outgoing.destroy());
      }
    } catch (error) {
      send(failure(error, dependencies), incoming, outgoing);
    }
    return true;
  };
}

/** @param url as received: a path, or a whole URL */
export function isForwardAuth(url: string | undefined): boolean {
  if (url === undefined) return false;
  const path = url.startsWith('/') ? url : url.replace(/^[a-z]+:\/\/[^/?#]*/i, '');
  if (!path.startsWith(FORWARD_AUTH_PATH)) return false;
  const next = path[FORWARD_AUTH_PATH.length];
  return next === undefined || next === '/' || next === '?';
}

function answerTo(
  incoming: IncomingMessage,
  { admission, clock }: ForwardAuthDependencies,
): ForwardAuthAnswer | Promise<ForwardAuthAnswer> {
  const point = enforcementPointOf(incoming, admission.state, clock.now());
  if (point === undefined) return undecided('enforcement_point_unknown');
  keepConnection(incoming);
  const { request, detail } = forwardAuthQuestion(incoming, point.certificateHeader);
  const decision = admission.ask(point, request);
  return decision instanceof Promise ? decision.then((later) => decided(later, detail)) : decided(decision, detail);
}

function failure(error: unknown, { logError }: ForwardAuthDependencies): ForwardAuthAnswer {
  logError(error, 'forward auth');
  return undecided('internal_error');
}

/** Whatever is left of the request's body is not waited for. */
export function send(
  { status, headers, body }: ForwardAuthAnswer,
  { method, headers: received }: IncomingMessage,
  outgoing: ServerResponse,
): void {
  const length = received['content-length'];
  const isLong = received['transfer-encoding'] !== undefined || Number(length ?? 0) > MAX_IGNORED_BODY_BYTES;
  outgoing.writeHead(status, isLong ? { ...headers, connection: 'close' } : headers);
  outgoing.end(method === 'HEAD' ? undefined : body);
}
