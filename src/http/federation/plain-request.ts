/** Requests that consist of what they ask for and nothing else that an answer could depend on. */
import type { IncomingMessage } from 'node:http';

export interface PlainRequest {
  /** The Host header as received. */
  host: string;
  /** Path and query as received. */
  target: string;
}

/** `If-None-Match` and `Authorization`, which make the answer another one, and hardly any other header, are as long. */
const TELLING_LENGTH = 'if-none-match'.length;

/** A GET without conditions and credentials; undefined says nothing. */
export function plainRequestOf({ method, url, rawHeaders }: IncomingMessage): PlainRequest | undefined {
  if (method !== 'GET' || url === undefined) return undefined;
  let host: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === TELLING_LENGTH) return undefined;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return undefined;
    host = rawHeaders[index + 1];
  }
  return host === undefined ? undefined : { host, target: url };
}

/** The connection of a request, as the HTTP server hands it over besides. */
export function incomingOf(environment: unknown): IncomingMessage | undefined {
  if (typeof environment !== 'object' || environment === null || !('incoming' in environment)) return undefined;
  return environment.incoming as IncomingMessage;
}

/** Neither a second parameter nor bytes that two decoders could read differently. */
const PLAINLY_WRITTEN = /^(?:[\w.~:/-]|%[2-7][\dA-Fa-f])+$/;

/** The value of a parameter that stands alone in a query and is plainly written; undefined says nothing. */
export function soleParameter(query: string, name: string): string | undefined {
  if (!query.startsWith(`${name}=`)) return undefined;
  const value = query.slice(name.length + 1);
  return PLAINLY_WRITTEN.test(value) ? decodeURIComponent(value) : undefined;
}
