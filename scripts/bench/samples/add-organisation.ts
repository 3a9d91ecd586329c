/** The way in for the organisation whose entities a figure enrols. */
import type { BenchClient } from '../service/api-client.ts';

/** Adds an organisation to the only authority, and approves it. @returns its id */
export async function addOrganisation(client: BenchClient): Promise<string> {
  const added = await client.api<{ id: string }>('POST', 'organisations', {
    body: {
      authorityId: (await onlyAuthority(client)).id,
      legalName: 'Partner of the bench',
      registration: { number: '05123456', register: 'Companies House', country: 'GB' },
      contacts: [{ type: 'incident', email: 'incident@partner.example' }],
    },
  });
  const approval = { body: { reason: 'contract signed' }, ifMatch: added.etag };
  const approved = await client.api<{ id: string; state: string }>(
    'POST',
    `organisations/${added.body.id}/approve`,
    approval,
  );
  if (approved.body.state !== 'active') throw new Error(`the organisation is ${approved.body.state}`);
  return approved.body.id;
}

/** The authority that the first start made. */
export async function onlyAuthority(client: BenchClient): Promise<{ id: string; version: number }> {
  const { body } = await client.api<{ items: { id: string; version: number }[] }>('GET', 'authorities');
  const [authority, ...others] = body.items;
  if (authority === undefined || others.length > 0) throw new Error('there is no authority, or several');
  return authority;
}
