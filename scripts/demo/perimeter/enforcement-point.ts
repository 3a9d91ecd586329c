/** Those who ask for admission, each with a record and a secret of its own. */
import { z } from 'zod';
import type { Deployment } from '../deployment.ts';
import type { Stage } from '../stage.ts';

const enforcementPointSchema = z.looseObject({ id: z.string(), name: z.string(), token: z.string() });

export type EnforcementPoint = z.infer<typeof enforcementPointSchema>;

/** @param settings of the record. @param told what it may ask */
export async function addEnforcementPoint(
  { narrator }: Stage,
  { api, trustAnchor }: Deployment,
  settings: object,
  told: string,
): Promise<EnforcementPoint> {
  const body = { authorityId: trustAnchor.id, ...settings };
  return await narrator.step(
    () => api.send({ method: 'POST', path: 'enforcement-points', body }, enforcementPointSchema),
    ({ name }) => `${name} ${told}`,
    'POST /api/v1/enforcement-points',
  );
}
