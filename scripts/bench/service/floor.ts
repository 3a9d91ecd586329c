/** A server that answers like another one, byte for byte in size, and does nothing else. */
import path from 'node:path';
import type { JWK } from 'jose';
import { startWorker } from './child-process.ts';
import { type Answer, exchange, type Target } from './exchange.ts';

export interface BareAnswer {
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
  /** The body is a JWT, and each answer signs its header and payload anew. */
  isSignedEachTime: boolean;
  /** As many bytes are signed with ES256 before each answer. */
  signsBytes?: boolean;
  /** It is 304, whatever is asked. */
  isUnchanged?: boolean;
  /** Asked by POST: the JWT in this parameter is verified with this key before each answer. */
  verifies?: { parameter: string; key: JWK } | undefined;
  /** Asked by POST with JSON, which is read and parsed before each answer. */
  json?: PostedJson | undefined;
}

export interface PostedJson {
  body: string;
  headers: Readonly<Record<string, string>>;
  /** What the JWT access token in its `token` is verified with. */
  token?: { key: JWK; issuer: string; audience: string };
}

/** A JWT that is asked about by POST, and the key that signed it. */
export interface PostedJwt {
  parameter: string;
  jwt: string;
  key: JWK;
}

/** How a server makes its body: text is written in another way than bytes, and may be signed for each answer. */
export type BodyKind = 'text' | 'bytes' | 'signed' | 'signed-bytes';

export interface BareServerStarted {
  port: number;
}

export interface LoadTarget extends Target {
  pid: number;
}

export type Floor = LoadTarget & AsyncDisposable;

/** Headers that Node adds to every answer by itself. */
const ADDED_BY_NODE = new Set(['date', 'connection', 'keep-alive', 'content-length']);

/**
 * Starts a bare server for the answer that another server gave.
 * @param like the other server
 * @param bodyAs how the other server makes its body
 * @param posted for a request by POST
 * @param json for one with JSON, with all of its headers
 * @throws Error when the answers differ in the size of their head or body, or in the number of headers
 */
export async function startFloor(
  like: Target,
  requestPath: string,
  bodyAs: BodyKind,
  posted?: PostedJwt,
  json?: PostedJson,
): Promise<Floor> {
  const question = json ? { form: json.body, headers: json.headers } : { form: posted && formOf(posted) };
  return await startLike(like, requestPath, question, (answer) => ({
    ...bareAnswer(answer, requestPath, bodyAs),
    verifies: posted && { parameter: posted.parameter, key: posted.key },
    json,
  }));
}

/** The same for a request with these header fields that is answered 304. */
export async function startUnchangedFloor(
  like: Target,
  requestPath: string,
  headers: Record<string, string>,
): Promise<Floor> {
  return await startLike(like, requestPath, { headers }, (answer) => {
    if (answer.status !== 304) throw new Error(`answered with status ${answer.status} instead of 304`);
    return { ...bareAnswer(answer, requestPath, 'text'), isUnchanged: true };
  });
}

async function startLike(
  like: Target,
  requestPath: string,
  question: Parameters<typeof exchange>[2],
  bare: (answer: Answer) => BareAnswer,
): Promise<Floor> {
  const answer = await exchange(like, requestPath, question);
  const worker = startWorker(path.join(import.meta.dirname, 'bare-server.ts'));
  try {
    const { port } = await worker.ask<BareServerStarted>(bare(answer));
    const floor = { port, host: like.host, pid: worker.pid };
    requireSameSize(answer, await exchange(floor, requestPath, question));
    return { ...floor, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
  } catch (error) {
    await worker[Symbol.asyncDispose]();
    throw error;
  }
}

/** What is posted about a JWT. */
export function formOf({ parameter, jwt }: Pick<PostedJwt, 'parameter' | 'jwt'>): string {
  return new URLSearchParams({ [parameter]: jwt }).toString();
}

function bareAnswer({ headers, body }: Answer, requestPath: string, bodyAs: BodyKind): BareAnswer {
  const own = headers.filter(([name]) => !ADDED_BY_NODE.has(name.toLowerCase()));
  return {
    path: requestPath.replace(/\?.*$/, ''),
    headers: Object.fromEntries(own),
    body: bodyAs === 'bytes' || bodyAs === 'signed-bytes' ? body : body.toString('utf8'),
    signsBytes: bodyAs === 'signed-bytes',
    isSignedEachTime: bodyAs === 'signed',
  };
}

function requireSameSize(wanted: Answer, given: Answer): void {
  const [ours, bare] = [wanted, given].map(({ status, headers, body }) => ({
    status,
    headers: headers.length,
    headBytes: headers.reduce((bytes, [name, value]) => bytes + name.length + value.length, 0),
    bodyBytes: body.length,
  }));
  if (JSON.stringify(ours) === JSON.stringify(bare)) return;
  throw new Error(`the floor answers ${JSON.stringify(bare)} where the service answers ${JSON.stringify(ours)}`);
}
