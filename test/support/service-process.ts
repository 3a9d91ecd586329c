/** The service as operators run it: `holdfast serve`, a process of its own on a database that outlives it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

const ROOT = join(import.meta.dirname, '../..');
const NODE = join(ROOT, 'node_modules/.bin/node');
const BIN = join(ROOT, 'src/cli/main.ts');

const ADMIN_TOKEN = 'a-token-for-tests-of-32-bytes-at-least';

export interface ServiceProcessSettings {
  port: number;
  /** Shared by the nodes of a deployment; requests name its host, whichever node they go to. */
  baseUrl: string;
  dataDir: string;
  masterKeyFile?: string;
  /** Of a migrated PostgreSQL; the embedded database without it. */
  databaseUrl?: string | undefined;
  /** Further variables. */
  environment?: Readonly<Record<string, string>>;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** An answer of the API, its body parsed. */
export interface ApiAnswer extends Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a body is read by tests that know what they asked for
  body: any;
}

/**
 * @example
 * await using node = await ServiceProcess.start({ port, baseUrl: `http://localhost:${port}`, dataDir });
 * const { body } = await node.api('POST', '/organisations', { authorityId, legalName: 'Partner' });
 */
export class ServiceProcess implements AsyncDisposable {
  /** What it said when it was ready. */
  readonly ready: { authorities: { entityIdentifier: string }[]; masterKeyFile: string; isMasterKeyNew: boolean };
  readonly baseUrl: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });
  #log = '';

  private constructor(
    child: ChildProcess,
    closed: Promise<unknown>,
    { port, baseUrl }: ServiceProcessSettings,
    ready: ServiceProcess['ready'],
  ) {
    this.#child = child;
    this.#closed = closed;
    this.#port = port;
    this.baseUrl = baseUrl;
    this.ready = ready;
  }

  /** @throws Error with what it said instead, if it ends before it is ready */
  static async start(settings: ServiceProcessSettings): Promise<ServiceProcess> {
    const { port, baseUrl, dataDir, masterKeyFile, databaseUrl, environment } = settings;
    const inherited = Object.entries(process.env).filter(([name]) => !/^(HOLDFAST_|PORT$|NODE_OPTIONS$)/.test(name));
    const child = spawn(NODE, [BIN, 'serve', '--json'], {
      env: {
        ...Object.fromEntries(inherited),
        PORT: String(port),
        HOLDFAST_BASE_URL: baseUrl,
        HOLDFAST_DATA_DIR: dataDir,
        HOLDFAST_ADMIN_TOKEN: ADMIN_TOKEN,
        HOLDFAST_LOG_LEVEL: 'error',
        ...(masterKeyFile === undefined ? {} : { HOLDFAST_MASTER_KEY_FILE: masterKeyFile }),
        ...(databaseUrl === undefined ? {} : { HOLDFAST_DATABASE_URL: databaseUrl }),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close');
    const complaints = text(child.stderr);
    const said: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      said.push(line);
      const { ready } = JSON.parse(line);
      if (ready === undefined) continue;
      const service = new ServiceProcess(child, closed, settings, ready);
      child.stdout.on('data', (chunk) => {
        service.#log += chunk;
      });
      return service;
    }
    throw new Error(`the service ended before it was ready: ${said.join('\n')}${await complaints}`);
  }

  /** What it logged since it was ready. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** Asks this node for a URL of the deployment. Rejects when the connection fails. */
  get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
    const { host, pathname, search } = new URL(url);
    return this.#send({ method: 'GET', path: `${pathname}${search}`, headers: { host, ...headers } });
  }

  /** Posts a form to a URL of the deployment, at this node. Rejects when the connection fails. */
  post(url: string, form: Record<string, string>): Promise<Answer> {
    const { host, pathname } = new URL(url);
    const headers = { host, 'content-type': 'application/x-www-form-urlencoded' };
    return this.#send({ method: 'POST', path: pathname, headers }, new URLSearchParams(form).toString());
  }

  /** Asks the API of this node as an admin. Rejects when the connection fails. */
  async api(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const answer = await this.#send(
      {
        method,
        path: `/api/v1${path}`,
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          ...(content === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      },
      content,
    );
    return { ...answer, body: answer.text === '' ? undefined : JSON.parse(answer.text) };
  }

  async #send(options: RequestOptions, content?: string): Promise<Answer> {
    const sent = request({ host: '127.0.0.1', port: this.#port, agent: this.#agent, ...options });
    sent.end(content);
    const [response] = await once(sent, 'response');
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  }

  /** Ends it as a power failure would: with SIGKILL. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#agent.destroy();
    this.#child.kill(signal);
    await this.#closed;
  }
}

/** Enrols and approves what publishes itself under the authority, each step through the API. */
export async function enrolThrough(
  node: ServiceProcess,
  organisationId: string,
  entityIdentifier: string,
): Promise<{ id: string }> {
  const enrolled = await node.api('POST', '/entities', { organisationId, entityIdentifier });
  return { id: await approveThrough(node, 'entities', enrolled) };
}

/** An active organisation of the authority. */
export async function organisationThrough(node: ServiceProcess, authorityId: string): Promise<string> {
  const added = await node.api('POST', '/organisations', {
    authorityId,
    legalName: 'Partner',
    contacts: [{ type: 'incident', email: 'ops@partner.example' }],
  });
  return await approveThrough(node, 'organisations', added);
}

/** @param added the answer that showed the new record */
async function approveThrough(
  node: ServiceProcess,
  kind: 'entities' | 'organisations',
  added: ApiAnswer,
): Promise<string> {
  if (added.status !== 201) throw new Error(`not added: ${added.text}`);
  const { id } = added.body;
  const approved = await node.api('POST', `/${kind}/${id}/approve`, { reason: 'looks good' }, ifMatch(added));
  if (approved.status !== 200) throw new Error(`not approved: ${approved.text}, as added: ${added.text}`);
  return id;
}

/** For a change of the record as it was answered. */
export function ifMatch({ headers }: ApiAnswer): Record<string, string> {
  return { 'if-match': String(headers.etag) };
}

/** Tells the real time, as the process does. */
export const systemClock = { now: (): number => Math.floor(Date.now() / 1000) };
