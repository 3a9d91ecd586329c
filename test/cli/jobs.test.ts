import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KeyedJob, PeriodicJob } from '../../src/jobs/job-queue.ts';
import { ApiClient } from '../support/api-client.ts';
import { callHoldfast } from '../support/cli.ts';
import { startTestService, type TestService } from '../support/service.ts';

let service: TestService;
let admin: ApiClient;
let auditor: ApiClient;
let env: Record<string, string>;
const stack = new AsyncDisposableStack();
const failures = new Map<string, Error>();

function job(name: string): PeriodicJob {
  const run = async () => {
    const error = failures.get(name);
    if (error !== undefined) throw error;
  };
  return { name, everySeconds: 300, summary: `does ${name}`, run };
}

beforeAll(async () => {
  service = stack.use(await startTestService('embedded'));
  service.jobQueue.define({ periodic: [job('send_mails'), job('walk_collections')] });
  const { origin } = stack.use(await service.listen());
  const bearer = await service.bearer(['admin']);
  admin = new ApiClient(service.app, bearer);
  auditor = new ApiClient(service.app, await service.bearer(['auditor']));
  env = { HOLDFAST_URL: origin, HOLDFAST_TOKEN: bearer.authorization.replace('Bearer ', '') };
});
afterAll(() => stack.disposeAsync());

async function turn(): Promise<void> {
  await service.jobQueue.look();
  await service.jobQueue.idle();
}

it('shows how every job fares, in the API and at the command line', async () => {
  const before = await auditor.get('/api/v1/jobs/send_mails');
  expect(before.body).toMatchObject({ name: 'send_mails', state: 'waiting', lastStartedAt: null, failures: 0 });
  await turn();
  const { status, body } = await auditor.get('/api/v1/jobs');
  expect(status).toBe(200);
  expect(body.items).toMatchObject([
    { name: 'prune_expired', everySeconds: 3600 },
    { name: 'send_mails', everySeconds: 300, state: 'waiting', runningOn: null, lastError: null, heldHere: 0 },
    { name: 'walk_collections', lastSucceededAt: expect.stringMatching(/Z$/), nextRunAt: expect.stringMatching(/Z$/) },
  ]);
  const { exitCode, stdout } = await callHoldfast(['jobs'], { env });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/send_mails +waiting +5 min +\S+ \S+Z .* 0\n/);
});

it('lets an admin run one now, and an auditor not', async () => {
  expect((await auditor.post('/api/v1/jobs/send_mails/run')).body.code).toBe('role_missing');
  failures.set('send_mails', new Error('smtp://user:hunter2@relay is away'));
  const { exitCode, stdout } = await callHoldfast(['jobs', 'run', 'send_mails'], { env });
  expect([exitCode, stdout]).toEqual([0, 'send_mails runs next.\n']);
  await turn();
  const { body } = await admin.get('/api/v1/jobs/send_mails');
  expect(body).toMatchObject({ state: 'failing', failures: 1, lastError: 'Error; the log says more' });
  const shown = await callHoldfast(['jobs', 'send_mails'], { env });
  expect(shown.exitCode).toBe(1);
  expect(shown.stdout).toContain('does send_mails');
  expect(shown.stderr).toContain('failed at its last turn: send_mails');
  expect(JSON.stringify(body) + shown.stdout + shown.stderr).not.toContain('hunter2');
  failures.clear();
  expect((await admin.post('/api/v1/jobs/send_mails/run')).status).toBe(202);
  await turn();
  expect((await callHoldfast(['jobs', 'send_mails', '--json'], { env })).exitCode).toBe(0);
});

it('shows of what goes on all the time when a part of it last went well', async () => {
  let lastSucceededAt: Date | null = null;
  const deliverEvents: KeyedJob = {
    ...{ name: 'deliver_events', summary: 'delivers', keys: async () => [], run: async () => undefined },
    lastSucceededAt: async () => lastSucceededAt,
  };
  service.jobQueue.define({ keyed: [deliverEvents] });
  const before = await callHoldfast(['jobs'], { env });
  expect(before.stdout).toMatch(/deliver_events +waiting +always +0\n/);
  lastSucceededAt = new Date('2027-01-15T08:00:00Z');
  const { stdout } = await callHoldfast(['jobs'], { env });
  expect(stdout).toMatch(/deliver_events +waiting +always +2027-01-15 08:00:00Z .* +0\n/);
  const { body } = await auditor.get('/api/v1/jobs/deliver_events');
  expect(body).toMatchObject({ everySeconds: null, lastSucceededAt: '2027-01-15T08:00:00.000Z' });
});

it('does not know jobs that there are none', async () => {
  expect((await admin.get('/api/v1/jobs/nothing')).status).toBe(404);
  expect((await admin.post('/api/v1/jobs/nothing/run')).status).toBe(404);
  expect((await admin.get('/api/v1/jobs/NOT%20A%20NAME')).status).toBe(404);
});
