import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Entity } from '../../src/registry/entities/entity.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { callHoldfast } from '../support/cli.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
let entity: Entity;
let env: Record<string, string>;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  service = stack.use(await startTestService('embedded'));
  entity = await service.entity(await service.organisation(await service.authority()));
  const { origin } = stack.use(await service.listen());
  const { authorization } = await service.bearer(['auditor']);
  env = { HOLDFAST_URL: origin, HOLDFAST_TOKEN: authorization.replace('Bearer ', '') };
});
afterAll(() => stack.disposeAsync());

describe('holdfast events', () => {
  it('[F50] shows what happened, for people and for machines, and where to go on', async () => {
    await transitionEntity(service.context(), entity.id, 'suspend', { reason: 'x', reasonCode: 'security_incident' });
    const { exitCode, stdout, stderr } = await callHoldfast(['events', '--type', 'entity.*'], { env });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`entity.suspended  ${entity.entityIdentifier} (security_incident)`);
    const args = ['events', '--type', 'entity.*', '--limit', '1'];
    expect((await callHoldfast(args, { env })).stderr).toMatch(/--after evt_\d+_0/);
    const { items, next } = JSON.parse((await callHoldfast([...args, '--json'], { env })).stdout);
    expect(items).toMatchObject([{ type: 'entity.added', id: next }]);
    expect((await callHoldfast(['events', '--type', 'nothing'], { env })).exitCode).toBe(1);
  });
});

describe('holdfast status', () => {
  it('[F11] shows one, all, or what changed', async () => {
    const one = await callHoldfast(['status', entity.id], { env });
    expect([one.exitCode, one.stdout]).toEqual([0, 'suspended\n']);
    const unknown = await callHoldfast(['status', '../whoami'], { env });
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining('no participant')]);
    const all = await callHoldfast(['status'], { env });
    const seq = await service.seq();
    expect(all.stdout).toMatch(new RegExp(`entity +${entity.id} +suspended\\s+next: --since ${seq}\\n$`));
    await transitionEntity(service.context(), entity.id, 'reinstate', 'x');
    const since = await callHoldfast(['status', '--since', String(seq), '--json'], { env });
    expect(JSON.parse(since.stdout)).toEqual({
      items: [{ kind: 'entity', id: entity.id, status: 'active', seq: seq + 1 }],
      nextSeq: seq + 1,
    });
    expect((await callHoldfast(['status', entity.id, '--since', '1'], { env })).exitCode).toBe(2);
  });
});
