/** The certification authority of the registry: a root of its own, kept apart, and the issuing one that it certified. */
import { randomBytes } from 'node:crypto';
import { type CertificationAuthorityRecord, certificationAuthoritySchema } from '../../../src/cli/ca/ca-records.ts';
import type { Deployment } from '../deployment.ts';
import type { Stage } from '../stage.ts';
import { StoryError } from '../story.ts';
import { ISSUING_CA, ROOT_CA } from './cast.ts';

export interface Certification {
  record: CertificationAuthorityRecord;
  /** Files, PEM: the root that everybody knows; the issuing one with the root above it. */
  root: string;
  chain: string;
}

export async function foundCertification(stage: Stage, { api, token }: Deployment): Promise<Certification> {
  const { narrator } = stage;
  const settings = { HOLDFAST_URL: api.serviceUrl.href, HOLDFAST_TOKEN: token };
  const folder = stage.file('offline-root');
  const root = stage.file('offline-root', 'root.pem');
  const passphrase = await stage.write('passphrase', `${randomBytes(18).toString('base64')}\n`);
  await narrator.step(
    () =>
      stage.mustRun(
        ['ca', 'init', ISSUING_CA, '--root', folder, '--root-name', ROOT_CA, '--passphrase-file', passphrase],
        settings,
      ),
    () => `${ROOT_CA}, kept apart, certified the issuing one`,
    'holdfast ca init --root …',
  );
  await narrator.step(
    () => stage.mustRun(['trust-list', 'add', root, '--purpose', 'transport', '--name', ROOT_CA], settings),
    () => `on the trust list: ${ROOT_CA}`,
    'holdfast trust-list add root.pem --purpose transport',
  );
  const { items } = await api.list('certification-authorities', {}, certificationAuthoritySchema, { limit: 2 });
  const [record] = items;
  if (record === undefined) throw new StoryError(`${ISSUING_CA} is not on record`);
  const chain = await (await fetch(record.urls.chain)).text();
  return { record, root, chain: await stage.write('chain.pem', chain) };
}
