/** The API behind nginx, with the very configuration of gateways/nginx: each request is asked about first. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { apiResourceSchema } from '../../../src/cli/offers/offer-records.ts';
import type { Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import { API } from './cast.ts';
import { addEnforcementPoint } from './enforcement-point.ts';
import type { Registry } from './registry.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const SITE = path.join(ROOT, 'gateways/nginx/holdfast.conf');

/** Debian keeps nginx where only root looks. */
const PATH = [process.env['PATH'], '/usr/sbin', '/usr/local/sbin'].join(path.delimiter);

/** What nginx says once its ports are open. */
const IS_READY = /using the "\w+" event method/;

export interface Gateway {
  /** Of the API, as partners call it. */
  url: string;
}

/** @throws StoryError with what to install */
export async function requireNginx(): Promise<void> {
  await promisify(execFile)('nginx', ['-v'], { env: { PATH } }).catch((cause: unknown) => {
    throw new StoryError('nginx is missing, which this story needs: apt-get install nginx-light', { cause });
  });
}

/** @param port of nginx, which is part of what tokens are for */
export async function startGateway(
  stage: Stage,
  registry: Registry,
  { record }: AuthorizationServer,
  port: number,
): Promise<Gateway> {
  const { narrator } = stage;
  narrator.scene(
    'An API behind a gateway that lets nobody through by itself',
    'nginx takes the client certificate and asks Holdfast before each request. The API sees admitted callers only.',
  );
  const apiId = await offerApi(stage, registry, record.id, port);
  const settings = { name: 'nginx', apiId, isTokenRequired: true, certificateHeader: 'nginx' };
  const { token } = await addEnforcementPoint(stage, registry, settings, 'asks for this API, with a token each time');
  const socket = stage.file('api.sock');
  const listen = await stage.write('resource-server.json', JSON.stringify({ listen: { path: socket } }));
  await narrator.step(
    () =>
      stage.start({
        name: 'resource-server',
        args: [path.join(ROOT, 'examples/perimeter/resource-server.ts'), listen],
      }),
    () => 'the API runs where nobody but nginx can connect',
    'node examples/perimeter/resource-server.ts',
  );
  const configuration = await nginxConfiguration(stage, registry, { port, token, socket });
  await narrator.step(
    () => {
      const args = ['-p', stage.dir, '-e', 'stderr', '-c', configuration];
      return stage.start({ name: 'nginx', command: 'nginx', args, ready: IS_READY }, { PATH });
    },
    () => `nginx serves https://localhost:${port}, over mTLS`,
    'nginx, gateways/nginx/holdfast.conf',
  );
  return { url: `https://localhost:${port}${API.path}` };
}

/** @returns the id of its record */
async function offerApi(
  { narrator }: Stage,
  { api, role }: Registry,
  authorizationServerId: string,
  port: number,
): Promise<string> {
  const { family, version: apiVersion, path: apiPath } = API;
  const endpoints = [`https://localhost:${port}${apiPath}`];
  const body = { authorizationServerId, family, apiVersion, endpoints, requiredRoles: [role.id] };
  const { id } = await narrator.step(
    () => api.send({ method: 'POST', path: 'api-resources', body }, apiResourceSchema),
    () => `API ${family} ${apiVersion} asks for the role ${role.name}`,
    'POST /api/v1/api-resources',
  );
  return id;
}

/** @returns the file */
async function nginxConfiguration(
  stage: Stage,
  { api, serverCa }: Registry,
  { port, token, socket }: { port: number; token: string; socket: string },
): Promise<string> {
  const { certificate, key } = await serverCa.issueToServer();
  const tokenFile = await stage.write('token.conf', `proxy_set_header Holdfast-Enforcement-Point "${token}";\n`);
  const site = withValues(await readFile(SITE, 'utf8'), {
    'server 127.0.0.1:8080;': `server 127.0.0.1:${api.serviceUrl.port};`,
    'server 127.0.0.1:9000;': `server unix:${socket};`,
    'listen 443 ssl;': `listen 127.0.0.1:${port} ssl;`,
    '/etc/nginx/tls/api.pem': await stage.write('api.pem', certificate),
    '/etc/nginx/tls/api.key': await stage.write('api.key', key),
    '/etc/nginx/holdfast-token.conf;': `${tokenFile};`,
  });
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${stage.file(`nginx-${kind}`)};`,
  );
  const lines = [
    // One process that runs as whoever watches, and can open the socket of the API.
    `daemon off; master_process off; pid ${stage.file('nginx.pid')}; error_log stderr notice;`,
    'events { }',
    `http { access_log off; ${folders.join(' ')} include ${await stage.write('holdfast.conf', site)}; }`,
  ];
  return await stage.write('nginx.conf', `${lines.join('\n')}\n`);
}

/** @throws StoryError where the file no longer has what is replaced */
function withValues(content: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce((changed, [value, replacement]) => {
    if (!changed.includes(value)) throw new StoryError(`${SITE} has no ${value}`);
    return changed.replace(value, () => replacement);
  }, content);
}
