import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../../src/config/config.ts';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import { addOrganisation } from '../../../../src/registry/organisations/add-organisation.ts';
import { transitionOrganisation } from '../../../../src/registry/organisations/transition-organisation.ts';
import type { ApiClient } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';
import { NOW_DATE } from '../../../support/registry.ts';
import { assignedRole, role } from '../../../support/roles.ts';

let api: Awaited<ReturnType<typeof startApi>>;
let anonymous: ApiClient;
let authority: Authority;
let other: Authority;
let bank: string;
let agency: string;

beforeAll(async () => {
  const { resolver } = loadConfig({}).config;
  const quotas = { ...resolver.quotas, anonymous: { units: 100 } };
  api = await startApi({ resolver: { ...resolver, quotas } });
  ({ anonymous } = api);
  authority = await api.service.authority();
  other = await api.service.authority();
  bank = await named('Banco 100% Exemplo', '13.353.236/0001-89');
  agency = await named('Exemplary Agency');
  await transitionOrganisation(api.service.context(), agency, 'suspend', 'by a test');
});
afterAll(() => api[Symbol.asyncDispose]());

async function named(legalName: string, number?: string): Promise<string> {
  const registration = number === undefined ? null : { number, register: 'CNPJ', country: 'BR' };
  const contacts = [{ type: 'incident', email: 'person@partner.example' }] as const;
  const { id } = await addOrganisation(api.service.context(), authority.id, { legalName, registration, contacts });
  await transitionOrganisation(api.service.context(), id, 'approve', 'a secret reason');
  return id;
}

const PATH = '/api/v1/directory/organisations';

interface Found {
  items: { id: string; status: string; legalName: string }[];
  next?: string;
}

async function find(query: Record<string, string>): Promise<Found> {
  const { status, body } = await anonymous.get(`${PATH}?${new URLSearchParams(query)}`);
  expect(status).toBe(200);
  return body as unknown as Found;
}

const idsOf = async (query: Record<string, string>) => (await find(query)).items.map(({ id }) => id);

describe('look-ups of organisations', () => {
  it('[F10] find by name, number, status, authority and role, without a token', async () => {
    const held = await role(api.service, authority, { name: 'DADOS' });
    await assignedRole(api.service, { id: bank, authorityId: authority.id }, { id: held.id });
    const upcoming = await role(api.service, authority, { name: 'PAGTO' });
    const validFrom = new Date(NOW_DATE.getTime() + 1000);
    await assignedRole(api.service, { id: bank, authorityId: authority.id }, { id: upcoming.id, validFrom });
    const finding: Record<string, string>[] = [
      { q: 'exempl' },
      { q: '100% EX' },
      { registrationNumber: ' 13.353.236/0001-89' },
      { authority: authority.id },
      { authority: authority.entityIdentifier },
      { role: 'DADOS' },
      { role: held.id },
      { q: 'banco', role: 'DADOS', status: 'active' },
    ];
    for (const query of finding) {
      expect(await idsOf(query), JSON.stringify(query)).toEqual([bank]);
    }
    const none: Record<string, string>[] = [
      { q: '1007' },
      { authority: other.id },
      { role: 'PAGTO' },
      { role: 'dados' },
      { status: 'revoked' },
    ];
    for (const query of none) expect(await idsOf(query)).toEqual([]);
    expect(await idsOf({ q: 'EXEMPL', status: 'suspended' })).toEqual([agency]);
  });

  it('[F10] read one, whatever became of it, with nothing of persons', async () => {
    const one = await anonymous.get(`${PATH}/${bank}`);
    expect([one.status, one.body]).toMatchObject([
      200,
      { id: bank, status: 'active', registration: { country: 'BR' }, roles: [{ name: 'DADOS' }] },
    ]);
    expect(JSON.stringify(one.body)).not.toMatch(/person|secret/);
    expect((await anonymous.get(`${PATH}/${agency}`)).body).toMatchObject({ status: 'suspended', roles: [] });
    const { id: pending } = await api.service.organisation(authority, 'pending');
    for (const id of [pending, NO_SUCH_ID]) {
      const { status, body } = await anonymous.get(`${PATH}/${id}`);
      expect([status, body]).toMatchObject([404, { code: 'not_found' }]);
    }
  });

  it('[F10] page by cursors that stay right while others come and go', async () => {
    const before = await Promise.all(['One', 'Two', 'Three', 'Four', 'Five'].map((name) => named(`Paged ${name}`)));
    const expected = before.toSorted();
    const first = await find({ q: 'paged', limit: '2' });
    const late = await named('Paged Late');
    await transitionOrganisation(api.service.context(), expected[0] ?? '', 'withdraw', 'by a test');
    const second = await find({ q: 'paged', limit: '2', cursor: first.next ?? '' });
    const third = await find({ q: 'paged', limit: '2', cursor: second.next ?? '' });
    const seen = [first, second, third].flatMap(({ items }) => items.map(({ id }) => id));
    expect(seen).toEqual([...expected, late]);
    expect(third.next).toBeUndefined();
  });

  it('refuse what they do not understand', async () => {
    for (const query of ['q=ab', 'status=pending', 'cursor=xyz', 'limit=0', 'tag=a', 'q=%00%00%00']) {
      const { status, body } = await anonymous.get(`${PATH}?${query}`);
      expect([status, body], query).toMatchObject([400, { code: 'validation_failed' }]);
    }
  });

  // Last: nothing is left of what an address may ask for.
  it('make addresses wait that ask for too much', async () => {
    for (let asked = 0; ; asked++) {
      const answer = await anonymous.get(`${PATH}/${NO_SUCH_ID}`);
      if (answer.status === 404 && asked < 200) continue;
      expect([answer.status, answer.body]).toMatchObject([429, { code: 'too_many_requests' }]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      return;
    }
  });
});
