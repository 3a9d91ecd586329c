/** The service of a story, on the embedded database, as a person starts it for the first time. */
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { type ApiClient, createApiClient } from '../../src/cli/api-client.ts';
import { type AuthorityRecord, authorityKeySchema, authoritySchema } from '../../src/cli/api-records.ts';
import type { KnownAuthority } from './federation-client.ts';
import { short } from './narrator.ts';
import { freePorts, type Stage } from './stage.ts';
import { StoryError } from './story.ts';

export interface Deployment {
  /** As the first admin. */
  api: ApiClient;
  token: string;
  trustAnchor: AuthorityRecord;
  /** Public keys of the Trust Anchor, as everybody who trusts it has them. */
  anchorKeys: JSONWebKeySet;
  anchorKeysFile: string;
}

/**
 * @param settings of the authority that the first start makes
 * @param told what they are, for whoever watches
 * @param environment more settings of the service
 */
export async function startDeployment(
  stage: Stage,
  settings: object,
  told: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Deployment> {
  const { narrator } = stage;
  const [port = 0] = await freePorts(1);
  const url = `http://localhost:${port}`;
  await narrator.step(
    () => {
      const own = { PORT: String(port), HOLDFAST_DATA_DIR: stage.file('data') };
      return stage.serve('service', ['serve'], { ...environment, ...own });
    },
    () => `the service runs at ${url}`,
    'holdfast serve',
  );
  const token = await narrator.step(
    () => claimToken(stage, url),
    () => 'the first admin comes in by the single-use token file',
    'holdfast token claim --name demo',
  );
  const api = createApiClient({ serviceUrl: new URL(url), token });
  const trustAnchor = await narrator.step(
    () => settleTrustAnchor(api, settings),
    () => told,
    'PATCH /api/v1/authorities/{id}',
  );
  const anchorKeys = await readKeys(api, trustAnchor);
  const anchorKeysFile = await stage.write('anchor-keys.json', JSON.stringify(anchorKeys, null, 2));
  const kids = anchorKeys.keys.map(({ kid = '' }) => short(kid)).join(', ');
  narrator.tell(`its key ${kids} goes to the partners out of band, who pin it`);
  return { api, token, trustAnchor, anchorKeys, anchorKeysFile };
}

async function claimToken(stage: Stage, url: string): Promise<string> {
  const tokenFile = stage.file('data', 'first-admin-token');
  const secret = await stage.mustRun(['token', 'claim', '--name', 'demo', '--token-file', tokenFile], {
    HOLDFAST_URL: url,
  });
  return secret.trim();
}

/** The authority that the first start made, for this service's own URL. */
async function settleTrustAnchor(api: ApiClient, settings: object): Promise<AuthorityRecord> {
  const { items } = await api.list('authorities', {}, authoritySchema, { limit: Number.POSITIVE_INFINITY });
  const [first] = items;
  if (first === undefined) throw new StoryError('the first start made no authority');
  const path = `authorities/${first.id}`;
  return await api.send({ method: 'PATCH', path, body: settings, ifMatch: first.version }, authoritySchema);
}

async function readKeys(api: ApiClient, { id }: AuthorityRecord): Promise<JSONWebKeySet> {
  const answer = z.object({ items: z.array(authorityKeySchema) });
  const { items } = await api.send({ method: 'GET', path: `authorities/${id}/keys` }, answer);
  return { keys: items.filter(({ state }) => state === 'active').map(({ publicJwk }) => publicJwk) };
}

/** The Trust Anchor as those know it who pinned its keys. */
export function anchorOf({ trustAnchor, anchorKeys }: Pick<Deployment, 'trustAnchor' | 'anchorKeys'>): KnownAuthority {
  return { entityIdentifier: trustAnchor.entityIdentifier, endpoints: trustAnchor.endpoints, keys: anchorKeys };
}
