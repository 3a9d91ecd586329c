import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepDates } from '../../../src/jobs/keep-dates.ts';
import { listApiResources, readApiResource } from '../../../src/registry/api-resources/read-api-resource.ts';
import { updateApiResource } from '../../../src/registry/api-resources/update-api-resource.ts';
import type { Authority } from '../../../src/registry/authorities/authority.ts';
import {
  listAuthorizationServers,
  readAuthorizationServer,
} from '../../../src/registry/authorization-servers/read-authorization-server.ts';
import { recordPassedDates } from '../../../src/registry/offers/record-passed-dates.ts';
import { DATABASE_KINDS } from '../../support/databases.ts';
import { apiResource, authorizationServer } from '../../support/offers.ts';
import { actor, NOW_DATE, openRegistry, outcome, type TestRegistry } from '../../support/registry.ts';

const hours = (count: number) => new Date(NOW_DATE.getTime() + count * 3_600_000);

describe.each(DATABASE_KINDS)('F07 dates that act by themselves, on %s', (kind) => {
  let registry: TestRegistry;
  let authority: Authority;
  beforeEach(async () => {
    registry = await openRegistry(kind);
    authority = await registry.authority();
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  const round = (now: Date) =>
    keepDates({
      changeContext: () => registry.context(actor(), { now }),
      onError: (error) => {
        throw error;
      },
    });
  const actionsAfter = async (seq: number) => (await registry.auditAfter(seq)).map(({ action }) => action);

  it('F07 past retiresAt leaves the lists of what is offered, and stays in history', async () => {
    const { id, authorizationServerId } = await apiResource(registry, authority, { retiresAt: hours(1) });
    const listed = async (now: Date, state?: 'retired') => {
      const filter = { authorityId: authority.id, ...(state && { state }) };
      return (await listApiResources(registry.db, actor(), filter, { limit: 10 }, now)).items.map((api) => api.id);
    };
    expect([await listed(hours(0)), await listed(hours(0), 'retired')]).toEqual([[id], []]);
    expect([await listed(hours(1)), await listed(hours(1), 'retired')]).toEqual([[], [id]]);
    const seq = await registry.seq();
    await round(hours(1));
    expect(await actionsAfter(seq)).toEqual(['api_resource.retire']);
    expect((await readApiResource(registry.db, actor(), id)).retiresAt).toEqual(hours(1));
    expect((await readAuthorizationServer(registry.db, actor(), authorizationServerId)).retiresAt).toBeNull();
  });

  it('F07 each step of an authorization server is written down once, also by two nodes, also when all is late', async () => {
    const dates = { deprecatedAt: hours(1), retiresAt: hours(3) };
    const server = await authorizationServer(registry, authority, dates);
    const seq = await registry.seq();
    await round(hours(0));
    await Promise.all([round(hours(1)), round(hours(1))]);
    await round(hours(2));
    expect(await actionsAfter(seq)).toEqual(['authorization_server.deprecate']);
    await Promise.all([round(hours(900)), round(hours(900))]);
    expect(await actionsAfter(seq)).toEqual(['authorization_server.deprecate', 'authorization_server.retire']);
    const [, row] = await registry.auditAfter(seq);
    expect(row).toMatchObject({
      subjectId: server.id,
      before: { state: 'deprecated' },
      after: { state: 'retired', retiresAt: hours(3).toISOString() },
    });
    const filter = { authorityId: authority.id };
    const list = await listAuthorizationServers(registry.db, actor(), filter, { limit: 10 }, hours(900));
    expect(list.items).toEqual([]);
  });

  it('F07 the record keeps its version: nobody who looked at it before has to look again', async () => {
    const { id, version } = await apiResource(registry, authority, { deprecatedAt: hours(1) });
    await round(hours(1));
    const update = updateApiResource(registry.context(), id, { retiresAt: hours(9) }, version);
    expect(await outcome(update)).toBe('done');
  });

  it('F07 a date that is put off is written down, too', async () => {
    const { id } = await apiResource(registry, authority, { retiresAt: hours(1) });
    await round(hours(1));
    await updateApiResource(registry.context(), id, { retiresAt: hours(5) });
    const seq = await registry.seq();
    await round(hours(2));
    await round(hours(5));
    expect(await actionsAfter(seq)).toEqual(['api_resource.return', 'api_resource.retire']);
  });

  it('F07 a certification ends by the clock, with one event; a new one ends anew', async () => {
    const certified = (to: Date) => ({ status: 'certified', uri: null, from: null, to }) as const;
    const { id } = await apiResource(registry, authority, { certification: certified(hours(1)) });
    const seq = await registry.seq();
    await round(hours(0));
    await Promise.all([round(hours(1)), round(hours(1))]);
    await round(hours(2));
    expect(await actionsAfter(seq)).toEqual(['api_resource.certification_end']);
    await updateApiResource(registry.context(), id, { certification: certified(hours(4)) });
    await round(hours(3));
    await round(hours(4));
    expect((await actionsAfter(seq)).filter((action) => action === 'api_resource.certification_end')).toHaveLength(2);
  });

  it('F07 a node whose clock is behind takes nothing back', async () => {
    await authorizationServer(registry, authority, { retiresAt: hours(1) });
    await round(hours(1));
    const seq = await registry.seq();
    await round(new Date(hours(1).getTime() - 60_000));
    expect(await actionsAfter(seq)).toEqual([]);
  });

  it('F07 is for the service alone', async () => {
    const context = registry.context(actor({ roles: ['registrar'] }));
    expect(await outcome(recordPassedDates(context))).toBe('role_missing');
  });
});
