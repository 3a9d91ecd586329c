/** Answers requests for an Entity Configuration and for challenges of enrolments, and for nothing else. @see OIDFED §9 */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { CHALLENGE_PATH } from '../../enrolment/domain-challenge.ts';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { FreshConfiguration } from './fresh-configuration.ts';

const ALLOWED_METHODS = ['GET', 'HEAD'];

export interface WellKnownOptions {
  /** For how long others may take the configuration that they got for the one that stands here, in seconds. */
  maxAgeSeconds: number;
  /** A file with challenges of enrolments, one a line; there need not be one. */
  challengeFile: string;
}

export function createWellKnownListener(
  fresh: FreshConfiguration,
  { maxAgeSeconds, challengeFile }: WellKnownOptions,
): RequestListener {
  return (request, response) => {
    const headers = { 'Cache-Control': `public, max-age=${maxAgeSeconds}` };
    if (isFor(request, CHALLENGE_PATH)) {
      answerChallenge(challengeFile, request, response).catch(() => response.destroy());
      return;
    }
    answer(fresh, headers, request, response).catch(() => {
      if (!response.headersSent)
        refuse(response, 503, 'temporarily_unavailable', 'no configuration is fit to be served');
      else response.destroy();
    });
  };
}

function isFor({ url = '/' }: IncomingMessage, path: string): boolean {
  return url.split('?')[0] === path;
}

/** The file as it is at this moment: whoever proves a domain puts it there while this runs. */
async function answerChallenge(file: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const challenges = await readFile(file).catch(() => undefined);
  if (challenges === undefined) return refuse(response, 404, 'not_found', 'no challenge is shown here');
  if (!ALLOWED_METHODS.includes(request.method ?? '')) return refuseMethod(response);
  response.writeHead(200, {
    ...{ 'Cache-Control': 'no-store', 'Content-Type': 'text/plain; charset=utf-8' },
    'Content-Length': challenges.length,
  });
  response.end(request.method === 'HEAD' ? undefined : challenges);
}

async function answer(
  fresh: FreshConfiguration,
  headers: Record<string, string>,
  { method = '', url: target = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { jwt, url } = await fresh.current();
  if (URL.parse(target, url)?.pathname !== new URL(url).pathname) {
    return refuse(response, 404, 'not_found', 'only an Entity Configuration is served here');
  }
  if (!ALLOWED_METHODS.includes(method)) return refuseMethod(response);
  const length = Buffer.byteLength(jwt);
  response.writeHead(200, { ...headers, 'Content-Type': MEDIA_TYPE.entityStatement, 'Content-Length': length });
  response.end(method === 'HEAD' ? undefined : jwt);
}

function refuseMethod(response: ServerResponse): void {
  response.setHeader('Allow', ALLOWED_METHODS.join(', '));
  refuse(response, 405, 'invalid_request', 'use GET');
}

/** The error body of §8.9. */
function refuse(response: ServerResponse, status: number, error: string, error_description: string): void {
  const body = JSON.stringify({ error, error_description });
  response.writeHead(status, { 'Content-Type': MEDIA_TYPE.json, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
