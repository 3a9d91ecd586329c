/** The first scenes: a Trust Anchor and an Intermediate in one service, on the embedded database. */
import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';
import { type ApiClient, createApiClient } from '../../../src/cli/api-client.ts';
import { type AuthorityRecord, authorityKeySchema, authoritySchema } from '../../../src/cli/api-records.ts';
import { short } from '../narrator.ts';
import { freePorts, type Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import { INTERMEDIATE, TRUST_ANCHOR } from './cast.ts';
import { addOrganisation, approveEntity, enrolEntity } from './enrolment.ts';

/** What the later scenes have. */
export interface Federation {
  api: ApiClient;
  token: string;
  trustAnchor: AuthorityRecord;
  intermediate: AuthorityRecord;
  /** Public keys of the Trust Anchor, as everybody who trusts it has them. */
  anchorKeys: JSONWebKeySet;
  anchorKeysFile: string;
}

export async function startTrustAnchor(stage: Stage): Promise<Omit<Federation, 'intermediate'>> {
  const { narrator } = stage;
  narrator.scene('A Trust Anchor starts', 'One program, no database to install. Its keys are made on the first start.');
  const [port = 0] = await freePorts(1);
  const url = `http://localhost:${port}`;
  const settings = { PORT: String(port), HOLDFAST_DATA_DIR: stage.file('data') };
  await narrator.step(
    () => stage.serve('service', ['serve'], settings),
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
    () => settleTrustAnchor(api),
    ({ name }) => `it is named ${name} and given a metadata policy`,
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
async function settleTrustAnchor(api: ApiClient): Promise<AuthorityRecord> {
  const { items } = await api.list('authorities', {}, authoritySchema, { limit: Number.POSITIVE_INFINITY });
  const [first] = items;
  if (first === undefined) throw new StoryError('the first start made no authority');
  const body = { name: TRUST_ANCHOR.name, defaultMetadataPolicy: TRUST_ANCHOR.policy };
  const request = { method: 'PATCH', path: `authorities/${first.id}`, body, ifMatch: first.version } as const;
  return await api.send(request, authoritySchema);
}

async function readKeys(api: ApiClient, { id }: AuthorityRecord): Promise<JSONWebKeySet> {
  const answer = z.object({ items: z.array(authorityKeySchema) });
  const { items } = await api.send({ method: 'GET', path: `authorities/${id}/keys` }, answer);
  return { keys: items.filter(({ state }) => state === 'active').map(({ publicJwk }) => publicJwk) };
}

export async function addIntermediate(
  stage: Stage,
  { api, trustAnchor }: Pick<Federation, 'api' | 'trustAnchor'>,
): Promise<AuthorityRecord> {
  const { narrator } = stage;
  narrator.scene(
    'An Intermediate below it',
    'The same service operates a second authority with keys of its own. Being there is not enough:',
    'the Trust Anchor enrols it like any other entity, looks at the checks, and approves.',
  );
  const body = {
    entityIdentifier: `${trustAnchor.entityIdentifier}${INTERMEDIATE.path}`,
    name: INTERMEDIATE.name,
    authorityHints: [trustAnchor.entityIdentifier],
    defaultMetadataPolicy: INTERMEDIATE.policy,
  };
  const intermediate = await narrator.step(
    () => api.send({ method: 'POST', path: 'authorities', body }, authoritySchema),
    ({ name, entityIdentifier }) => `${name} at ${short(entityIdentifier)}`,
    'POST /api/v1/authorities',
  );
  const organisation = await addOrganisation(stage, api, {
    authority: trustAnchor,
    legalName: INTERMEDIATE.name,
    contact: 'registry@education.example',
  });
  const entity = await enrolEntity(stage, api, {
    organisation,
    entityIdentifier: intermediate.entityIdentifier,
    entityTypes: ['federation_entity'],
  });
  await approveEntity(stage, api, entity, 'agreement signed, keys compared');
  return intermediate;
}
