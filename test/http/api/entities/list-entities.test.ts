import { afterAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../../support/api-client.ts';
import { NO_SUCH_ID, startApi } from '../../../support/api-service.ts';

const api = await startApi();
afterAll(() => api[Symbol.asyncDispose]());

const PATH = '/api/v1/entities';
const { service } = api;
const [ours, theirs] = [await service.authority(), await service.authority()];
const [one, two] = [await service.organisation(ours), await service.organisation(ours)];
const active = await service.entity(one);
const suspended = await service.entity(one, {}, 'suspended');
const other = await service.entity(two);
const foreign = await service.entity(await service.organisation(theirs), { entityIdentifier: active.entityIdentifier });

const idsIn = async (query: string, client = api.auditor): Promise<string[]> =>
  (await client.get(`${PATH}${query}`)).body.items.map(({ id }: { id: string }) => id);

describe('200', () => {
  it('lists and filters', async () => {
    expect(await idsIn('')).toEqual([active.id, suspended.id, other.id, foreign.id]);
    expect(await idsIn(`?authorityId=${theirs.id}`)).toEqual([foreign.id]);
    expect(await idsIn(`?organisationId=${one.id}`)).toEqual([active.id, suspended.id]);
    expect(await idsIn('?state=suspended')).toEqual([suspended.id]);
    const identifier = encodeURIComponent(active.entityIdentifier);
    expect(await idsIn(`?entityIdentifier=${identifier}`)).toEqual([active.id, foreign.id]);
    expect(await idsIn('?entityIdentifier=nobody')).toEqual([]);
  });

  it('shows the outcome of each check, and leaves what they saw to the single record', async () => {
    const { body } = await api.auditor.get(`${PATH}?organisationId=${two.id}`);
    const { evidence, findings: _, ...single } = (await api.auditor.get(`${PATH}/${other.id}`)).body;
    expect(evidence).toMatchObject(other.evidence);
    expect(body.items).toEqual([single]);
    expect(body.items[0].checks).toEqual([expect.objectContaining({ outcome: 'passed' })]);
  });

  it('pages through all, each once', async () => {
    const ids: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { body } = await api.auditor.get(`${PATH}?limit=1${cursor && `&cursor=${cursor}`}`);
      ids.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.next;
    }
    expect(ids).toEqual([active.id, suspended.id, other.id, foreign.id]);
  });

  it("shows the stricter of an entity's and its organisation's state as what counts", async () => {
    await api.approver.post(`/api/v1/organisations/${two.id}/suspend`, { reason: 'x' });
    const { body } = await api.auditor.get(`${PATH}/${other.id}`);
    expect([body.state, body.effectiveState]).toEqual(['active', 'suspended']);
  });

  it('finds by Entity Type, and by a text in identifier, name or description, in whatever case', async () => {
    const found = await service.authority();
    const owner = await service.organisation(found);
    const metadata = { openid_provider: { organization_name: 'Universität Köln', description: '100% _real' } };
    const provider = await service.entity(owner, { metadata, verifiedEntityTypes: ['openid_provider'] });
    const party = await service.entity(owner);
    const find = (query: Record<string, string>) =>
      idsIn(`?${new URLSearchParams({ authorityId: found.id, ...query })}`);
    expect(await find({ entityType: 'openid_provider' })).toEqual([provider.id]);
    expect(await find({ entityType: 'openid_relying_party' })).toEqual([party.id]);
    expect(await find({ entityType: 'openid' })).toEqual([]);
    for (const text of ['univerSITÄT', 'köln', '100% _', new URL(provider.entityIdentifier).hostname.toUpperCase()]) {
      expect([text, await find({ text })]).toEqual([text, [provider.id]]);
    }
    expect(await find({ text: '100_' })).toEqual([]);
    expect(await find({ text: 'köln', entityType: 'openid_relying_party' })).toEqual([]);
  });
});

describe('400', () => {
  it.each([
    ['organisationId=1', '/query/organisationId'],
    ['entityIdentifier=%00', '/query/entityIdentifier'],
    ['limit=-1', '/query/limit'],
    ['text=ab', '/query/text'],
    ['text=a%00bc', '/query/text'],
    ['entityType=%0A', '/query/entityType'],
  ])('refuses ?%s', async (query, pointer) => {
    expect(refusalOf(await api.auditor.get(`${PATH}?${query}`))).toBe(`400 validation_failed ${pointer}`);
  });
});

describe('404', () => {
  it('knows no such entity', async () => {
    expect(refusalOf(await api.auditor.get(`${PATH}/${NO_SUCH_ID}`))).toBe('404 not_found');
  });
});
