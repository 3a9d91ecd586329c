/** Answers requests for an Entity Configuration, and for nothing else. @see OIDFED §9 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { MEDIA_TYPE } from '../../federation/media-types.ts';
import type { FreshConfiguration } from './fresh-configuration.ts';

const ALLOWED_METHODS = ['GET', 'HEAD'];

/** @param maxAgeSeconds for how long others may take what they got for what stands here, in seconds */
export function createWellKnownListener(fresh: FreshConfiguration, maxAgeSeconds: number): RequestListener {
  return (request, response) => {
    const headers = { 'Cache-Control': `public, max-age=${maxAgeSeconds}` };
    answer(fresh, headers, request, response).catch(() => {
      if (!response.headersSent)
        refuse(response, 503, 'temporarily_unavailable', 'no configuration is fit to be served');
      else response.destroy();
    });
  };
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
  if (!ALLOWED_METHODS.includes(method)) {
    response.setHeader('Allow', ALLOWED_METHODS.join(', '));
    return refuse(response, 405, 'invalid_request', 'use GET');
  }
  const length = Buffer.byteLength(jwt);
  response.writeHead(200, { ...headers, 'Content-Type': MEDIA_TYPE.entityStatement, 'Content-Length': length });
  response.end(method === 'HEAD' ? undefined : jwt);
}

/** The error body of §8.9. */
function refuse(response: ServerResponse, status: number, error: string, error_description: string): void {
  const body = JSON.stringify({ error, error_description });
  response.writeHead(status, { 'Content-Type': MEDIA_TYPE.json, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
