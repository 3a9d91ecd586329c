/** A single request over HTTP, to know what a server answers before it is put under load. */
import { get } from 'node:http';

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

export async function exchange(
  { port, host }: Target,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = get({ host: '127.0.0.1', port, path, headers: { ...headers, host }, agent: false }, (response) => {
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
  request.once('error', reject);
  return await promise;
}

/** The body of a 200. @throws Error for any other answer */
export function bodyOf({ status, body }: Answer): string {
  if (status === 200) return body.toString('utf8');
  throw new Error(`answered with status ${status}: ${body.toString('utf8').slice(0, 500)}`);
}
