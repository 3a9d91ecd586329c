import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Authority } from '../../src/registry/authorities/authority.ts';
import { connectDatabase } from '../../src/storage/connect.ts';
import { decisionChains, decisions } from '../../src/storage/schema/decisions.ts';
import { callHoldfast } from '../support/cli.ts';
import { copyMigratedDataDirectory } from '../support/databases.ts';
import { knownPoint, tamperWithDecisions, testPoint } from '../support/evidence.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

let service: TestService;
let authority: Authority;
/** For commands that talk to the service, and those that open its database. */
let env: Record<string, string>;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  service = stack.use(await startTestService('postgresql'));
  authority = await service.authority();
  const point = knownPoint(service, await testPoint(service, authority, { name: 'payments' }));
  for (let second = 0; second < 3; second++) {
    await service.admission.ask(point, { certificate: 'none' });
    service.clock.advance(86_400);
    await service.evidence.save();
  }
  const { origin } = stack.use(await service.listen());
  const { authorization } = await service.bearer(['auditor']);
  env = { HOLDFAST_URL: origin, HOLDFAST_TOKEN: authorization.replace('Bearer ', '') };
  env['HOLDFAST_DATABASE_URL'] = service.database.url ?? '';
});
afterAll(() => stack.disposeAsync());

it('[F45] lists decisions for people and for machines', async () => {
  const args = ['decisions', '--point', 'payments', '--reason', 'certificate_missing'];
  const { exitCode, stdout } = await callHoldfast(args, { env });
  expect(exitCode).toBe(0);
  expect(stdout.match(/deny +certificate_missing/g)).toHaveLength(3);
  expect(stdout.match(/ payments +\d+$/gm)).toHaveLength(3);
  const json = JSON.parse((await callHoldfast([...args, '--limit', '1', '--json'], { env })).stdout);
  expect(json).toMatchObject({ items: [{ decision: 'deny', authorityId: authority.id }], next: expect.any(String) });
  const none = await callHoldfast(['decisions', 'list', '--reason', 'suspended'], { env });
  expect([none.exitCode, none.stdout]).toEqual([0, '(none)\n']);
});

it('[F45] prunes as the owner, verifies what is left, and tells with its exit code that somebody tampered with it', async () => {
  const before = new Date((service.clock.now() - 2.5 * 86_400) * 1000).toISOString();
  const pruned = await callHoldfast(['decisions', 'prune', '--before', before], { env });
  expect([pruned.exitCode, pruned.stdout]).toEqual([0, '1 rows deleted\n']);
  expect((await callHoldfast(['decisions', 'prune', '--before', 'never'], { env })).exitCode).toBe(2);
  const whole = await callHoldfast(['decisions', 'verify', '--json'], { env });
  expect([whole.exitCode, JSON.parse(whole.stdout)]).toMatchObject([0, { verdict: 'whole', rows: 2, prunedRows: 1 }]);
  await tamperWithDecisions(service.database, (db) =>
    db.update(decisions).set({ decision: 'allow' }).where(eq(decisions.ordinal, 1)),
  );
  const tampered = await callHoldfast(['decisions', 'verify'], { env });
  expect([tampered.exitCode, tampered.stdout]).toEqual([1, expect.stringMatching(/✗ \S+ 1 {2}changed/)]);
  expect(await service.db.$count(decisionChains)).toBe(1);
});

it('[F45] says what to do where the service has its embedded database open', async () => {
  using folder = new TemporaryFolder();
  const HOLDFAST_DATA_DIR = folder.at('data');
  await copyMigratedDataDirectory(HOLDFAST_DATA_DIR);
  await using _service = await connectDatabase({ dataDir: HOLDFAST_DATA_DIR });
  for (const args of [['verify'], ['prune', '--before', '2026-01-01']]) {
    const { exitCode, stderr } = await callHoldfast(['decisions', ...args], { env: { HOLDFAST_DATA_DIR } });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining('Stop the service, repeat the command')]);
  }
});
