/** A perimeter as operators run it: the service, participants with certificates, real gateways, and an API behind them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { relyingParty } from './api-service.ts';
import { certificate, distinguishedName, ecKey, pem } from './certificates.ts';
import { freePort } from './cli.ts';
import { serveFederation } from './federation-server.ts';
import {
  type ClientSettings,
  type Gateway,
  GatewayClient,
  type GatewayName,
  startCaddy,
  startEchoApi,
  startHaproxy,
  startNginx,
} from './gateways.ts';
import { enrolThrough, ifMatch, organisationThrough, ServiceProcess, systemClock } from './service-process.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from './tls.ts';

/** A certificate for TLS clients, and its key. */
export interface ClientIdentity extends ClientSettings {
  certificate: string;
  key: string;
}

let made = 0;

export function clientIdentity(name: string): ClientIdentity {
  const key = ecKey();
  const plan = { key, subject: distinguishedName({ CN: name }), serial: [1, ++made >> 8, made & 0xff] };
  return {
    certificate: pem(certificate(plan)),
    key: key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

export interface PerimeterOptions {
  gateways: readonly GatewayName[];
  /** Of a migrated PostgreSQL: changes are then made at another node than the one that the gateways ask. */
  databaseUrl?: string;
}

export interface Participant {
  id: string;
  entityIdentifier: string;
  identity: ClientIdentity;
  /** Of the certificate. */
  credentialId: string;
}

type Echo = Awaited<ReturnType<typeof startEchoApi>>;

interface Parts {
  places: Places;
  points: Record<GatewayName, Point>;
  /** What is started before the service and ends after it. */
  stack: AsyncDisposableStack;
  api: Echo;
  gateways: ReadonlyMap<GatewayName, Gateway>;
  partner: Participant;
  other: Participant;
  startAsked: () => Promise<ServiceProcess>;
  asked: ServiceProcess;
  deciding: ServiceProcess | undefined;
}

export class Perimeter implements AsyncDisposable {
  readonly #parts: Parts;
  #asked: ServiceProcess | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#asked = parts.asked;
  }

  static async start({ gateways: names, databaseUrl }: PerimeterOptions): Promise<Perimeter> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-perimeter-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const places: Places = { folder, port: await freePort(), mtlsPort: await freePort(), databaseUrl };
    const setUp = await startNode(places);
    const { participants, points } = await fillRegistry(setUp, stack).finally(() => setUp[Symbol.asyncDispose]());
    const [partner, other] = participants;
    const startAsked = () =>
      startNode(places, { HOLDFAST_ADMISSION_SOCKETS: `${points.haproxy.id}=${socketOf(places)}` });
    const asked = await startAsked();
    const startDeciding = async () => startNode({ ...places, port: await freePort(), mtlsPort: await freePort() });
    try {
      const deciding = databaseUrl === undefined ? undefined : stack.use(await startDeciding());
      const api = stack.use(await startEchoApi());
      const gateways = new Map<GatewayName, Gateway>();
      for (const name of names) gateways.set(name, stack.use(await startGateway(name, places, api, points)));
      const parts = { places, points, api, gateways, partner, other, startAsked, asked, deciding };
      return new Perimeter({ ...parts, stack: stack.move() });
    } catch (error) {
      await asked[Symbol.asyncDispose]();
      throw error;
    }
  }

  get api(): Echo {
    return this.#parts.api;
  }

  get partner(): Participant {
    return this.#parts.partner;
  }

  get other(): Participant {
    return this.#parts.other;
  }

  /** Where changes are made. */
  get deciding(): ServiceProcess {
    const node = this.#parts.deciding ?? this.#asked;
    if (node === undefined) throw new Error('the service is stopped');
    return node;
  }

  /** One in front of a gateway; the partner unless told otherwise. */
  client(name: GatewayName, settings: ClientSettings = this.partner.identity): GatewayClient {
    const gateway = this.#parts.gateways.get(name);
    if (gateway === undefined) throw new Error(`${name} was not started`);
    return new GatewayClient(gateway.port, settings);
  }

  /** Resolves with the answer. */
  async changePartner(transition: 'suspend' | 'reinstate'): Promise<void> {
    await change(this.deciding, `/entities/${this.partner.id}/${transition}`, { reason: 'by the test' });
  }

  /** Resolves with the answer. */
  async revokeCertificate(): Promise<void> {
    const body = { reasonCode: 'key_compromise', reason: 'by the test' };
    await change(this.deciding, `/credentials/${this.partner.credentialId}/revoke`, body);
  }

  /** The partner has another certificate from now on, with another key. */
  async renewCertificate(): Promise<void> {
    const identity = clientIdentity('partner');
    const credentialId = await register(this.deciding, this.partner.id, identity);
    Object.assign(this.partner, { identity, credentialId });
  }

  /** The canary of the service knocks at each gateway from now on. */
  async knockAtGateways(): Promise<void> {
    for (const [name, { port }] of this.#parts.gateways) {
      const path = `/enforcement-points/${this.#parts.points[name].id}`;
      const etag = ifMatch(await this.deciding.api('GET', path));
      const canaryUrl = `https://localhost:${port}/`;
      const { status, text } = await this.deciding.api('PATCH', path, { canaryUrl }, etag);
      if (status !== 200) throw new Error(`PATCH ${path} answered with status ${status}: ${text}`);
    }
  }

  /** An nginx whose configuration lost the line by which it asks; the canary knocks there as well. @returns its name */
  async startCarelessNginx(): Promise<string> {
    const { places, api, points, stack } = this.#parts;
    const settings = { folder: join(places.folder, 'careless'), apiPort: api.port, ...OWN_TLS };
    const holdfast = { port: places.port, token: points.nginx.token ?? '' };
    const { port } = stack.use(await startNginx(settings, holdfast, { asks: false }));
    const { body } = await this.deciding.api('GET', '/authorities');
    const fields = { name: 'careless', canaryUrl: `https://localhost:${port}/` };
    await change(this.deciding, '/enforcement-points', { authorityId: body.items[0].id, ...fields });
    return fields.name;
  }

  /** The service that the gateways ask keeps all connections, and answers nothing until it goes on. */
  pause(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#asked !== undefined) process.kill(this.#asked.pid, signal);
  }

  /** Ends the service that the gateways ask. */
  async stop(): Promise<void> {
    await this.#asked?.[Symbol.asyncDispose]();
    this.#asked = undefined;
  }

  async restart(): Promise<void> {
    this.#asked = await this.#parts.startAsked();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The gateways first, so that nothing holds on to the service; its data last.
    for (const gateway of this.#parts.gateways.values()) await gateway[Symbol.asyncDispose]();
    await this.stop();
    await this.#parts.stack.disposeAsync();
  }
}

interface Places {
  folder: string;
  port: number;
  mtlsPort: number;
  databaseUrl: string | undefined;
}

const socketOf = ({ folder }: Places): string => join(folder, 'haproxy.sock');

async function startNode(
  { folder, port, mtlsPort, databaseUrl }: Places,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(cert, TEST_TLS_CERTIFICATE);
  await writeFile(key, TEST_TLS_KEY);
  const tls = { HOLDFAST_MTLS_CERT_FILE: cert, HOLDFAST_MTLS_KEY_FILE: key, HOLDFAST_EXTRA_CA_FILE: cert };
  const [canaryCert, canaryKey] = [join(folder, 'canary.pem'), join(folder, 'canary.key')];
  await writeFile(canaryCert, CANARY.certificate);
  await writeFile(canaryKey, CANARY.key);
  const canary = {
    ...{ HOLDFAST_CANARY_CERT_FILE: canaryCert, HOLDFAST_CANARY_KEY_FILE: canaryKey },
    ...{ HOLDFAST_CANARY_ALLOW: 'localhost', HOLDFAST_CANARY_INTERVAL_SECONDS: '5' },
  };
  return await ServiceProcess.start({
    ...{ port, baseUrl: 'http://localhost:8080', dataDir: join(folder, 'data'), databaseUrl },
    environment: { ...tls, ...canary, HOLDFAST_MTLS_PORT: String(mtlsPort), ...environment },
  });
}

const CADDY = clientIdentity('caddy');
/** Of the participant that is always suspended. */
const CANARY = clientIdentity('canary');
const OWN_TLS = { certificate: TEST_TLS_CERTIFICATE, key: TEST_TLS_KEY };

interface Point {
  id: string;
  token: string | null;
}

async function fillRegistry(
  node: ServiceProcess,
  stack: AsyncDisposableStack,
): Promise<{ participants: [Participant, Participant]; points: Record<GatewayName, Point> }> {
  const { body } = await node.api('GET', '/authorities');
  const [{ id: authorityId, entityIdentifier }] = body.items;
  const superior = { entityIdentifier };
  const rp = relyingParty(superior);
  const settings = { partner: rp, other: rp, canary: rp };
  const server = stack.use(await serveFederation(settings, { clock: systemClock }));
  const organisationId = await organisationThrough(node, authorityId);
  const enrol = async (name: string, identity = clientIdentity(name)): Promise<Participant> => {
    const { identifier } = server.federation.entity(name);
    const { id } = await enrolThrough(node, organisationId, identifier);
    return { id, entityIdentifier: identifier, identity, credentialId: await register(node, id, identity) };
  };
  const point = async (name: GatewayName, fields: object): Promise<Point> => {
    const { id, token } = await change(node, '/enforcement-points', { authorityId, name, ...fields });
    return { id, token };
  };
  const canary = await enrol('canary', CANARY);
  await change(node, `/entities/${canary.id}/suspend`, { reason: 'always, so that it is refused' });
  return {
    participants: [await enrol('partner'), await enrol('other')],
    points: {
      nginx: await point('nginx', { certificateHeader: 'nginx' }),
      haproxy: await point('haproxy', { certificateHeader: 'rfc9440', hasToken: false }),
      caddy: await point('caddy', {
        ...{ certificateHeader: 'caddy', hasToken: false, clientCertificate: CADDY.certificate },
      }),
    },
  };
}

async function register(node: ServiceProcess, entityId: string, identity: ClientIdentity): Promise<string> {
  const body = { usage: 'transport', certificate: identity.certificate };
  const { id } = await change(node, `/entities/${entityId}/credentials`, body);
  return id;
}

/** @throws Error unless it was done */
async function change(node: ServiceProcess, path: string, body: object) {
  const { status, text, body: answered } = await node.api('POST', path, body);
  if (status !== 200 && status !== 201) throw new Error(`POST ${path} answered with status ${status}: ${text}`);
  return answered;
}

async function startGateway(
  name: GatewayName,
  places: Places,
  api: Echo,
  points: Record<GatewayName, Point>,
): Promise<Gateway> {
  const settings = { folder: join(places.folder, name), apiPort: api.port, ...OWN_TLS };
  if (name === 'nginx') return await startNginx(settings, { port: places.port, token: points.nginx.token ?? '' });
  if (name === 'haproxy') return await startHaproxy(settings, { socket: socketOf(places) });
  const identity = { clientCertificate: CADDY.certificate, clientKey: CADDY.key };
  return await startCaddy(settings, { mtlsPort: places.mtlsPort, ca: TEST_TLS_CERTIFICATE, ...identity });
}
