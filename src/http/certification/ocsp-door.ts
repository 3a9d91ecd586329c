/**
 * `/ca/{id}/ocsp`, which servers ask about the certificates of others, without the framework: by POST, or by GET with the
 * request in the path. @see RFC 6960 Appendix A.1, RFC 5019 §5, §6
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../federation/time.ts';
import type { OcspAnswer, OcspResponses } from '../../issuance/certificates/ocsp-responses.ts';
import { OcspError, type OcspErrorStatus, writeOcspError } from '../../pki/ocsp/ocsp-error.ts';
import { MAX_OCSP_REQUEST_BYTES } from '../../pki/ocsp/parse-ocsp-request.ts';
import { isRecordId } from '../../registry/record-id.ts';
import type { LogError } from '../error-response.ts';
import { matches } from '../federation/public-answer.ts';
import { isOutage } from '../outage.ts';
import { requestInPath } from './ocsp-request-path.ts';

export interface OcspDoorDependencies {
  responses: Pick<OcspResponses, 'ready' | 'answer'>;
  /** What the registry is known to hold; see the change feed. */
  state: { readonly seq: number; isCurrent(): boolean; ensureCurrent(): Promise<void> };
  clock: Clock;
  logError: LogError;
}

/** @returns false, and nothing is done, when the request is for the other doors */
export type OcspDoor = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

export function createOcspDoor(dependencies: OcspDoorDependencies): OcspDoor {
  const headersOf = createHeaders(dependencies);
  return (incoming, outgoing) => {
    const { method, url } = incoming;
    if (url === undefined || !url.startsWith(BEFORE_ID) || !url.startsWith(AFTER_ID, ID_END)) return false;
    const certificationAuthorityId = url.slice(BEFORE_ID.length, ID_END);
    if (!isRecordId(certificationAuthorityId)) return false;
    const exchange: Exchange = { incoming, outgoing, certificationAuthorityId, headersOf, ...dependencies };
    if (method === 'POST' && url.length === PATH_LENGTH) {
      readBody(exchange);
      return true;
    }
    if ((method !== 'GET' && method !== 'HEAD') || url[PATH_LENGTH] !== '/') return false;
    const request = requestInPath(url.slice(PATH_LENGTH + 1));
    if (request === undefined) refuse(exchange, 'malformedRequest');
    else answer(exchange, request);
    return true;
  };
}

const [BEFORE_ID, AFTER_ID] = ['/ca/', '/ocsp'];
const ID_END = BEFORE_ID.length + 36;
const PATH_LENGTH = ID_END + AFTER_ID.length;

const CONTENT_TYPE = 'application/ocsp-response';
/** Caches may keep an answer for less than clients may: those hear of a revocation only through them. */
const MAX_AGE_SECONDS = 60;

interface Exchange extends OcspDoorDependencies {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  certificationAuthorityId: string;
  headersOf: (answer: OcspAnswer, seq: number) => string[];
}

/** Nobody is heard whose body breaks off. */
function readBody(exchange: Exchange): void {
  const { incoming } = exchange;
  let [first, size]: [Buffer | undefined, number] = [undefined, 0];
  const others: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => {
    const before = size;
    size += chunk.length;
    if (size > MAX_OCSP_REQUEST_BYTES) {
      if (before <= MAX_OCSP_REQUEST_BYTES) refuseBody(exchange);
    } else if (first === undefined) first = chunk;
    else others.push(chunk);
  });
  incoming.on('end', () => {
    if (size > MAX_OCSP_REQUEST_BYTES) return;
    answer(
      exchange,
      others.length === 0 ? (first ?? Buffer.alloc(0)) : Buffer.concat([first ?? Buffer.alloc(0), ...others]),
    );
  });
  incoming.on('error', () => {});
}

/** The rest of a body that is too long is not waited for. */
function refuseBody({ outgoing }: Exchange): void {
  outgoing.writeHead(413, { connection: 'close', 'content-length': '0' }).end();
}

/** Most answers lie ready. */
function answer(exchange: Exchange, request: Buffer): void {
  const { responses, state, certificationAuthorityId, logError } = exchange;
  const ready = state.isCurrent() ? responses.ready(certificationAuthorityId, request.toString('latin1')) : undefined;
  if (ready !== undefined) {
    send(exchange, ready, state.seq);
    return;
  }
  const later = madeAnswer(exchange, request).then(
    ({ made, seq }) => send(exchange, made, seq),
    (error: unknown) => {
      if (error instanceof OcspError) refuse(exchange, error.status);
      // An outage is the change feed's news: whoever asks does not fill the log with it.
      else if (isOutage(error)) refuse(exchange, 'tryLater');
      else {
        logError(error, 'ocsp');
        refuse(exchange, 'internalError');
      }
    },
  );
  later.catch(() => exchange.outgoing.destroy());
}

async function madeAnswer(
  { responses, state, certificationAuthorityId }: Exchange,
  request: Buffer,
): Promise<{ made: OcspAnswer; seq: number }> {
  for (;;) {
    await state.ensureCurrent();
    // Taken before anything is read: the answer may know more, never less.
    const { seq } = state;
    const made = await responses.answer(certificationAuthorityId, request);
    // What took its time counts only if our state is known to be current at its end, too.
    if (state.isCurrent()) return { made, seq };
  }
}

function send({ incoming, outgoing, headersOf }: Exchange, made: OcspAnswer, seq: number): void {
  const headers = headersOf(made, seq);
  if (incoming.method !== 'POST' && isUnchanged(incoming, made)) {
    outgoing.writeHead(304, headers.slice(UNCHANGED_FROM)).end();
    return;
  }
  outgoing.writeHead(200, headers);
  outgoing.end(made.body);
}

function isUnchanged({ headers }: IncomingMessage, { etag, hasNonce }: OcspAnswer): boolean {
  const ifNoneMatch = headers['if-none-match'];
  return ifNoneMatch !== undefined && !hasNonce && matches(ifNoneMatch, etag);
}

/** In a successful HTTP response, as clients expect it. @see RFC 6960 Appendix A.2 */
function refuse({ outgoing }: Exchange, status: OcspErrorStatus): void {
  const body = writeOcspError(status);
  const headers = ['content-type', CONTENT_TYPE, 'content-length', String(body.length)];
  outgoing.writeHead(200, [...headers, 'cache-control', 'no-store', ...ALWAYS]);
  outgoing.end(body);
}

const ALWAYS = ['x-content-type-options', 'nosniff'];
/** The first two header fields are of the body. */
const UNCHANGED_FROM = 4;

/** They stay the same for a second at least, and an answer goes out thousands of times in one. */
function createHeaders({ clock }: Pick<OcspDoorDependencies, 'clock'>) {
  const known = new WeakMap<OcspAnswer, { seq: number; at: number; headers: string[] }>();
  return (made: OcspAnswer, seq: number): string[] => {
    const at = clock.now();
    const earlier = known.get(made);
    if (earlier !== undefined && earlier.seq === seq && earlier.at === at) return earlier.headers;
    const headers = writtenHeaders(made, seq, at);
    known.set(made, { seq, at, headers });
    return headers;
  };
}

/** @see RFC 5019 §6.2 */
function writtenHeaders(made: OcspAnswer, seq: number, now: number): string[] {
  const { body, thisUpdate, nextUpdate, hasNonce } = made;
  const ofBody = ['content-type', CONTENT_TYPE, 'content-length', String(body.length)];
  const ofAll = ['x-registry-seq', String(seq), ...ALWAYS];
  if (hasNonce) return [...ofBody, 'cache-control', 'no-store', ...ofAll];
  const maxAge = Math.max(0, Math.min(MAX_AGE_SECONDS, nextUpdate - now));
  return [
    ...ofBody,
    ...['cache-control', `public, max-age=${maxAge}, no-transform, must-revalidate`],
    ...['etag', made.etag],
    ...['last-modified', new Date(thisUpdate * 1000).toUTCString()],
    ...['expires', new Date((now + maxAge) * 1000).toUTCString()],
    ...ofAll,
  ];
}
