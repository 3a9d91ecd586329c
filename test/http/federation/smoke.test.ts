import { expect, it } from 'vitest';
import { startTestService } from '../../support/service.ts';
it.each(['embedded', 'postgresql'] as const)('works on %s', async (kind) => {
  await using service = await startTestService(kind);
  const authority = await service.authority();
  const entity = await service.entity(await service.organisation(authority));
  const r = await service.ask(authority, 'fetch', { sub: entity.entityIdentifier });
  console.log(r.status, Object.fromEntries(r.headers), (await r.text()).slice(0, 100));
  for (const e of ['configuration', 'list', 'historicalKeys'] as const) { const a = await service.ask(authority, e); console.log(a.status, await a.text()); }
  const x = await service.ask(authority, 'resolve', { sub: authority.entityIdentifier, trust_anchor: authority.entityIdentifier }); console.log(x.status, await x.text());
  expect(service.failures).toEqual([]);
});
