/** Takes hold of an organisation's record until the transaction ends. */
import { eq } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { notFound } from '../actor.ts';
import type { OrganisationRow } from './organisation.ts';

/** Records that refer to it may be written meanwhile, its parent among them. @throws RegistryError not_found */
export async function lockOrganisation(tx: Tx, organisationId: string): Promise<OrganisationRow> {
  const [organisation] = await tx
    .select()
    .from(organisations)
    .where(eq(organisations.id, organisationId))
    .for('no key update');
  if (organisation === undefined) throw notFound('organisation', organisationId);
  return organisation;
}

/** What belongs to the organisation changed: whoever saw it before looks again. */
export async function nextVersion(tx: Tx, { id, version }: OrganisationRow): Promise<void> {
  await tx
    .update(organisations)
    .set({ version: version + 1 })
    .where(eq(organisations.id, id));
}
