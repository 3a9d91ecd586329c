/** The first scenes: a Trust Anchor and an Intermediate in one service, on the embedded database. */
import { type AuthorityRecord, authoritySchema } from '../../../src/cli/api-records.ts';
import { type Deployment, startDeployment } from '../deployment.ts';
import { addOrganisation, approveEntity, enrolEntity } from '../enrolment.ts';
import { short } from '../narrator.ts';
import type { Stage } from '../stage.ts';
import { INTERMEDIATE, TRUST_ANCHOR } from './cast.ts';

/** What the later scenes have. */
export interface Federation extends Deployment {
  intermediate: AuthorityRecord;
}

export async function startTrustAnchor(stage: Stage): Promise<Deployment> {
  const { name, policy } = TRUST_ANCHOR;
  stage.narrator.scene(
    'A Trust Anchor starts',
    'One program, no database to install. Its keys are made on the first start.',
  );
  const told = `it is named ${name} and given a metadata policy`;
  return await startDeployment(stage, { name, defaultMetadataPolicy: policy }, told);
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
