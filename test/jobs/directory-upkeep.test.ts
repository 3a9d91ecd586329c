import { afterAll, beforeAll, expect, it } from 'vitest';
import { DirectoryUpkeep } from '../../src/jobs/directory-upkeep.ts';
import { readEntity } from '../../src/registry/entities/read-entity.ts';
import { listFindings } from '../../src/registry/life-cycle/list-findings.ts';
import { transitionOrganisation } from '../../src/registry/organisations/transition-organisation.ts';
import { entityFindings } from '../../src/storage/schema/entity-findings.ts';
import { actor, NOW_DATE, openRegistry, type TestRegistry } from '../support/registry.ts';

let registry: TestRegistry;
beforeAll(async () => {
  registry = await openRegistry('embedded');
});
afterAll(() => registry[Symbol.asyncDispose]());

it('takes findings each time, and reviews configurations soon after the start and then once a day', async () => {
  const authority = await registry.authority();
  const closed = await registry.organisation(authority);
  await registry.entity(closed);
  await transitionOrganisation(registry.context(), closed.id, 'withdraw', 'x');
  const metadata = {
    openid_relying_party: { redirect_uris: ['https://rp.example/cb'], client_registration_types: ['automatic'] },
  };
  const evidence = { claims: { authority_hints: [], metadata }, digest: 'd' };
  const { id } = await registry.entity(await registry.organisation(authority), { evidence });
  let minutes = 0;
  const upkeep = new DirectoryUpkeep({
    changeContext: () => registry.context(actor(), { now: new Date(NOW_DATE.getTime() + minutes * 60_000) }),
    identifiers: { allowHttp: false },
    onError: (error) => {
      throw error;
    },
  });
  const kinds = async () => (await readEntity(registry.db, actor(), id)).findings.map(({ kind }) => kind);
  await upkeep.run();
  const { items } = await listFindings(registry.db, actor(), {}, { limit: 10 });
  expect(items.map(({ kind }) => kind)).toEqual(['owner_closed']);
  expect(await kinds()).toEqual([]);
  minutes = 30;
  await upkeep.run();
  expect(await kinds()).toEqual(['hint_dropped']);
  await registry.db.delete(entityFindings);
  minutes = 30 + 24 * 60 - 1;
  await upkeep.run();
  expect(await kinds()).toEqual([]);
  minutes = 30 + 24 * 60;
  await upkeep.run();
  expect(await kinds()).toEqual(['hint_dropped']);
});
