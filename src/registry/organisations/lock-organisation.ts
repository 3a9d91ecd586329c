/** Takes hold of an organisation's record until the transaction ends. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { notFound } from '../actor.ts';
import type { Organisation } from './organisation.ts';

/** @throws RegistryError not_found */
export async function lockOrganisation(tx: Tx, organisationId: string): Promise<Organisation> {
  const [organisation] = await tx
    .select()
    .from(organisations)
    .where(eq(organisations.id, organisationId))
    .for('update');
  if (organisation === undefined) throw notFound('organisation', organisationId);
  return organisation;
}
