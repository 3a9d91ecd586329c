/** The door for `/participants`, before the framework: large answers that lie ready, and many questions whether they changed. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { GzipMember } from '../../issuance/participants/deflated-pieces.ts';
import type { ParticipantsDocument, PublishedParticipants } from '../../issuance/participants/participants-document.ts';
import type { AuthorityDirectory } from '../../registry/authorities/authority-directory.ts';
import { invalidField, RegistryError } from '../../registry/registry-error.ts';
import { prefersGzip } from '../accepted-encoding.ts';
import { boundedMethod, type ObserveRequest } from '../answered-request.ts';
import { type LogError, toProblemResponse } from '../error-response.ts';
import { matches } from '../federation/public-answer.ts';
import { isOutage } from '../outage.ts';
import { HttpProblem } from '../problem.ts';

export interface ParticipantsDoorDependencies {
  document: Pick<ParticipantsDocument, 'current'>;
  /** What the registry is known to hold; see the change feed. */
  state: { readonly seq: number; isCurrent(): boolean; ensureCurrent(): Promise<void> };
  directory: Pick<AuthorityDirectory, 'get' | 'find'>;
  /** Whether a host name, without port, is that of hosted entities: there is nothing else. */
  isHosting: (hostname: string) => boolean;
  observe: ObserveRequest;
  logError: LogError;
}

/** @returns whether the request was for this door, which then answers it */
export type ParticipantsDoor = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

export const PARTICIPANTS_PATH = '/participants';

/** How long others may keep it, in seconds: so much later they see what changed. */
export const PARTICIPANTS_MAX_AGE_SECONDS = 5;

const METHODS = 'GET, HEAD, OPTIONS';

/** Whoever takes it uncompressed has it decompressed while he reads; more at a time wait for another time. */
const MAX_INFLATING = 32;

/** For so long a connection may stand still meanwhile; whoever reads slowly goes on. */
const MAX_PAUSE_MS = 10_000;

const EVERYBODY = { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' };

const COMMON = Object.entries({
  ...EVERYBODY,
  'access-control-expose-headers': 'ETag, X-Registry-Seq, Retry-After',
  'cache-control': `public, max-age=${PARTICIPANTS_MAX_AGE_SECONDS}`,
  'x-content-type-options': 'nosniff',
  vary: 'Accept-Encoding',
}).flat();

/** One of the two forms of a document, with names and values of header fields by turns: made once for many answers. */
interface Form {
  etag: string;
  unchanged: readonly string[];
  whole: readonly string[];
}

interface Forms {
  seq: number;
  member: GzipMember;
  gzip: Form;
  plain: Form;
}

function formsOf({ seq }: PublishedParticipants, member: GzipMember): Forms {
  const form = (etag: string, length: number, coding: readonly string[]): Form => {
    const unchanged = [...COMMON, 'etag', etag, 'x-registry-seq', String(seq)];
    const described = ['content-type', 'application/json', 'content-length', String(length), ...coding];
    return { etag, unchanged, whole: [...unchanged, ...described] };
  };
  return {
    ...{ seq, member },
    gzip: form(`"${member.digest}-gzip"`, member.length, ['content-encoding', 'gzip']),
    plain: form(`"${member.digest}"`, member.plainLength, []),
  };
}

/** What most answers have in common with the one before. */
class LastAnswer {
  inflating = 0;
  #forms: Forms | undefined;
  #accepted: { header: string | undefined; isGzip: boolean } = { header: undefined, isGzip: false };

  forms(published: PublishedParticipants, member: GzipMember): Forms {
    if (this.#forms?.member !== member || this.#forms.seq !== published.seq) this.#forms = formsOf(published, member);
    return this.#forms;
  }

  prefersGzip(header: string | undefined): boolean {
    if (header !== this.#accepted.header) this.#accepted = { header, isGzip: prefersGzip(header) };
    return this.#accepted.isGzip;
  }
}

export function createParticipantsDoor(dependencies: ParticipantsDoorDependencies): ParticipantsDoor {
  const { state, isHosting, observe } = dependencies;
  const last = new LastAnswer();
  return (incoming, outgoing) => {
    const { url = '', method = '' } = incoming;
    if (!url.startsWith(PARTICIPANTS_PATH)) return false;
    if (url.length > PARTICIPANTS_PATH.length && url[PARTICIPANTS_PATH.length] !== '?') return false;
    if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') return false;
    if (isHosting(hostnameOf(incoming))) return false;
    const begunAt = performance.now();
    const told = () => {
      const { statusCode: status } = outgoing;
      const durationMs = performance.now() - begunAt;
      observe({ door: 'public', route: PARTICIPANTS_PATH, method: boundedMethod(method), status, durationMs });
    };
    if (method === 'OPTIONS') {
      outgoing.writeHead(204, PREFLIGHT).end();
      told();
      return true;
    }
    const answer = (published: PublishedParticipants) => {
      send({ incoming, outgoing, last }, last.forms(published, memberFor(url, published, dependencies)));
      told();
    };
    const refuse = (error: unknown) => {
      refusal(outgoing, error, dependencies.logError).then(told, () => outgoing.destroy());
    };
    try {
      const published = state.isCurrent() ? dependencies.document.current(state.seq) : currentOf(dependencies);
      if (published instanceof Promise) published.then(answer).catch(refuse);
      else answer(published);
    } catch (error) {
      refuse(error);
    }
    return true;
  };
}

const PREFLIGHT = {
  ...EVERYBODY,
  allow: METHODS,
  'access-control-allow-methods': METHODS,
  'access-control-allow-headers': 'If-None-Match',
  'access-control-max-age': '86400',
};

function hostnameOf({ headers }: IncomingMessage): string {
  return (headers.host ?? '').toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}

/** @throws StaleStateError */
async function currentOf({
  document,
  state,
}: Pick<ParticipantsDoorDependencies, 'document' | 'state'>): Promise<PublishedParticipants> {
  for (;;) {
    await state.ensureCurrent();
    const published = await document.current(state.seq);
    if (state.isCurrent()) return published;
  }
}

/** @throws RegistryError validation_failed, not_found */
function memberFor(
  url: string,
  published: PublishedParticipants,
  { directory }: Pick<ParticipantsDoorDependencies, 'directory'>,
): GzipMember {
  if (url.length === PARTICIPANTS_PATH.length) return published.all;
  let authority: string | undefined;
  for (const [name, value] of new URLSearchParams(url.slice(PARTICIPANTS_PATH.length + 1))) {
    if (name !== 'authority') throw invalidField('/query', 'has a parameter that is not known here');
    if (authority !== undefined) throw invalidField('/query/authority', 'is there twice');
    authority = value;
  }
  if (authority === undefined) return published.all;
  const served = directory.get(authority) ?? directory.find(authority);
  if (served === undefined) throw new RegistryError('not_found', 'no authority here has this id or Entity Identifier');
  return published.of(served.authority.id);
}

interface Exchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  last: LastAnswer;
}

/** @throws HttpProblem temporarily_unavailable */
function send({ incoming, outgoing, last }: Exchange, { member, gzip, plain }: Forms): void {
  const { headers, method } = incoming;
  const isGzip = last.prefersGzip(headers['accept-encoding']);
  const { etag, unchanged, whole } = isGzip ? gzip : plain;
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && (ifNoneMatch === etag || matches(ifNoneMatch, etag))) {
    outgoing.writeHead(304, [...unchanged]).end();
    return;
  }
  if (!isGzip && method === 'GET' && last.inflating >= MAX_INFLATING) {
    const detail = 'too many take it uncompressed at the moment; send Accept-Encoding: gzip';
    throw new HttpProblem('temporarily_unavailable', detail, { 'retry-after': '1' });
  }
  outgoing.writeHead(200, [...whole]);
  if (method === 'HEAD') outgoing.end();
  else if (isGzip) sendChunks(outgoing, member);
  else inflate(outgoing, member, last);
}

/** Chunks are those of the document, and most of them of the next one too: whoever reads slowly holds up little memory. */
function sendChunks(outgoing: ServerResponse, { chunks }: GzipMember): void {
  outgoing.cork();
  for (const chunk of chunks) outgoing.write(chunk);
  outgoing.end();
}

function inflate(outgoing: ServerResponse, { chunks }: GzipMember, last: LastAnswer): void {
  last.inflating++;
  // Nobody keeps a place by reading nothing.
  outgoing.setTimeout(MAX_PAUSE_MS, () => outgoing.destroy());
  // Whoever goes away early is no error.
  pipeline(Readable.from(chunks, { objectMode: false }), createGunzip(), outgoing, () => {
    last.inflating--;
  });
}

/** As the API refuses. */
async function refusal(outgoing: ServerResponse, error: unknown, logError: LogError): Promise<void> {
  const requestId = randomUUID();
  const response = toProblemResponse(error, requestId, isOutage(error) ? () => {} : logError);
  const body = Buffer.from(await response.arrayBuffer());
  const headers = Object.fromEntries(response.headers);
  outgoing
    .writeHead(response.status, {
      ...headers,
      ...EVERYBODY,
      'x-request-id': requestId,
      'content-length': String(body.length),
    })
    .end(outgoing.req.method === 'HEAD' ? undefined : body);
}
