/** EST over TLS, at the ports of the service as it opens them. */
import { once } from 'node:events';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { loadConfig } from '../../src/config/config.ts';
import { parseDer } from '../../src/pki/der.ts';
import { openEntrance } from '../../src/start-entrance.ts';
import { freePort } from './cli.ts';
import type { TestService } from './service.ts';
import { TemporaryFolder } from './temporary-folder.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from './tls.ts';

/** What a client connects with: a certificate and its key, PEM. */
export interface TlsIdentity {
  cert: string;
  key: string;
}

const TEST_IDENTITY: TlsIdentity = { cert: TEST_TLS_CERTIFICATE, key: TEST_TLS_KEY };

export interface EstAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface EstQuestion {
  /** Behind `/.well-known/est/`. */
  path: string;
  /** PKCS#10 in DER, sent as base64; a text is sent as it is. Without it the question is a GET. */
  body?: Uint8Array | string;
  code?: string;
  identity?: TlsIdentity;
  contentType?: string;
  /** At the port without TLS. */
  isPlain?: boolean;
}

export class EstServer implements AsyncDisposable {
  readonly url: string;
  readonly #ports: { plain: number; mtls: number };
  readonly #stack: AsyncDisposableStack;

  private constructor(ports: { plain: number; mtls: number }, stack: AsyncDisposableStack) {
    this.url = `https://localhost:${ports.mtls}`;
    this.#ports = ports;
    this.#stack = stack;
  }

  /** @param shown what it shows to clients, whom it asks for a certificate */
  static async open({ app }: TestService, shown: TlsIdentity = TEST_IDENTITY): Promise<EstServer> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(new TemporaryFolder());
    const ports = { plain: await freePort(), mtls: await freePort() };
    const { config } = loadConfig({
      PORT: String(ports.plain),
      HOLDFAST_MTLS_PORT: String(ports.mtls),
      HOLDFAST_MTLS_CERT_FILE: folder.write('cert.pem', shown.cert),
      HOLDFAST_MTLS_KEY_FILE: folder.write('key.pem', shown.key),
    });
    const entrance = stack.use(await openEntrance(config));
    entrance.admit(app);
    return new EstServer(ports, stack.move());
  }

  async ask({ path, body, code, identity, contentType, isPlain = false }: EstQuestion): Promise<EstAnswer> {
    const content = typeof body === 'string' || body === undefined ? body : Buffer.from(body).toString('base64');
    const headers: OutgoingHttpHeaders = {
      ...(content !== undefined && { 'content-type': contentType ?? 'application/pkcs10' }),
      ...(code !== undefined && { authorization: `Basic ${Buffer.from(`anybody:${code}`).toString('base64')}` }),
    };
    const method = content === undefined ? 'GET' : 'POST';
    const options = { host: '127.0.0.1', path: `/.well-known/est/${path}`, method, headers, agent: false };
    const asked = isPlain
      ? request({ ...options, port: this.#ports.plain })
      : requestTls({ ...options, ...identity, port: this.#ports.mtls, ca: TEST_TLS_CERTIFICATE });
    asked.end(content);
    const [response] = await once(asked, 'response');
    const text = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode, headers: response.headers, text };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** DER of the certificates in signed data of CMS, base64. */
export function certificatesOf(base64: string): Uint8Array[] {
  const [, content] = parseDer(Buffer.from(base64, 'base64')).children;
  const certificates = content?.children[0]?.children.find(({ tag }) => tag === 0xa0);
  return certificates?.children.map(({ bytes }) => bytes) ?? [];
}
