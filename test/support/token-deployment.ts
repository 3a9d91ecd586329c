/** A deployment whose new keys are made in a PKCS#11 token: SoftHSM2, which can be unplugged. */
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSoftToken, type SoftToken } from '../../scripts/bench/service/soft-token.ts';
import { freePort } from './cli.ts';
import { ifMatch, organisationThrough, ServiceProcess } from './service-process.ts';

interface Place {
  folder: string;
  port: number;
  /** Where the service finds the package pkcs11js. */
  nodePath: string;
}

export async function placeForToken(nodePath: string): Promise<Place> {
  return { folder: await mkdtemp(path.join(tmpdir(), 'holdfast-pkcs11-')), port: await freePort(), nodePath };
}

/** A token, a folder for data, and names under which nodes of one deployment are reached. */
export class TokenDeployment implements AsyncDisposable {
  readonly token: SoftToken;
  readonly folder: string;
  readonly dataDir: string;
  readonly port: number;
  protected readonly stack = new AsyncDisposableStack();
  readonly #nodePath: string;

  constructor({ folder, port, nodePath }: Place) {
    this.folder = folder;
    this.dataDir = path.join(folder, 'data');
    this.port = port;
    this.#nodePath = nodePath;
    this.stack.defer(() => rm(folder, { recursive: true, force: true }));
    this.token = createSoftToken(folder);
  }

  get baseUrl(): string {
    return `http://localhost:${this.port}`;
  }

  get hostedBaseUrl(): string {
    return `http://hosted.localhost:${this.port}`;
  }

  /** What a node needs to know about the token. */
  get tokenSettings(): Record<string, string> {
    const { module, label, pin, environment } = this.token;
    const token = { HOLDFAST_PKCS11_MODULE: module, HOLDFAST_PKCS11_TOKEN: label, HOLDFAST_PKCS11_PIN: pin };
    const hosting = { HOLDFAST_HOSTED_BASE_URL: this.hostedBaseUrl };
    return { ...environment, ...hosting, NODE_PATH: this.#nodePath, HOLDFAST_KEY_CUSTODY: 'pkcs11', ...token };
  }

  async start(
    environment: Record<string, string>,
    { port = this.port, databaseUrl }: { port?: number; databaseUrl?: string | undefined } = {},
  ): Promise<ServiceProcess> {
    const masterKeyFile = path.join(this.folder, 'master-key');
    const { baseUrl, dataDir } = this;
    const node = await ServiceProcess.start({ port, baseUrl, dataDir, masterKeyFile, databaseUrl, environment });
    this.stack.defer(() => node.kill());
    return node;
  }

  /** Adds an entity whose configuration is published here. */
  async host(node: ServiceProcess): Promise<HostedHere> {
    const organisationId = await organisationThrough(node, await authorityOf(node));
    const entityIdentifier = `${this.hostedBaseUrl}/clinic`;
    const hosting = { metadata: { openid_relying_party: { client_name: 'Clinic' } } };
    const added = await node.api('POST', '/entities', { organisationId, entityIdentifier, hosting });
    const { id } = added.body;
    const approved = await node.api('POST', `/entities/${id}/approve`, { reason: 'looks good' }, ifMatch(added));
    if (approved.status !== 200) throw new Error(`not approved: ${approved.text}`);
    return { id, entityIdentifier };
  }

  async unplug(): Promise<void> {
    await rename(this.token.tokenDir, `${this.token.tokenDir}-away`);
  }

  async plugIn(): Promise<void> {
    await rename(`${this.token.tokenDir}-away`, this.token.tokenDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack.disposeAsync();
  }
}

export interface HostedHere {
  id: string;
  entityIdentifier: string;
}

/** Id of the authority that was made first. */
export async function authorityOf(node: ServiceProcess): Promise<string> {
  const { body } = await node.api('GET', '/authorities');
  return body.items[0].id;
}
