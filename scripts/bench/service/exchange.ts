/** A single request over HTTP, to know what a server answers before it is put under load. */
import { request } from 'node:http';

export interface Answer {
  status: number;
  /** In their order, as the server wrote them. */
  headers: [name: string, value: string][];
  body: Buffer;
}

export interface Target {
  port: number;
  /** Value of the Host header. */
  host: string;
}

const FORM = 'application/x-www-form-urlencoded';

/** @param form makes it a POST */
export async function exchange(
  { port, host }: Target,
  path: string,
  { headers, form }: { headers?: Record<string, string>; form?: string | undefined } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const options = {
    ...{ host: '127.0.0.1', port, path, agent: false, method: form === undefined ? 'GET' : 'POST' },
    headers: { ...(form !== undefined && { 'content-type': FORM }), ...headers, host },
  };
  const sent = request(options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.once('error', reject);
    response.once('end', () => {
      const { rawHeaders, statusCode = 0 } = response;
      const headers = rawHeaders.flatMap((name, index): [string, string][] =>
        index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? '']] : [],
      );
      resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
    });
  });
  sent.once('error', reject);
  sent.end(form);
  return await promise;
}

/** The body of a 200. @throws Error for any other answer */
export function bodyOf({ status, body }: Answer): string {
  if (status === 200) return body.toString('utf8');
  throw new Error(`answered with status ${status}: ${body.toString('utf8').slice(0, 500)}`);
}
