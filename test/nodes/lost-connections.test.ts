import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../support/cli.ts';
import { createTestDatabase } from '../support/databases.ts';
import { EnrolmentLoad, expectWholeRegistry } from '../support/enrolment-load.ts';
import { serveFederation } from '../support/federation-server.ts';
import { terminateConnections } from '../support/postgres-connections.ts';
import { organisationThrough, ServiceProcess, systemClock } from '../support/service-process.ts';

const ENTITIES = 40;
const CLIENTS = 6;
const CUTS = 5;

it('all connections to PostgreSQL cut again and again: no acknowledged change is lost, and the service recovers', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-cut-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const database = stack.use(await createTestDatabase('postgresql'));
  const port = await freePort();
  const baseUrl = `http://localhost:${port}`;
  const names = Array.from({ length: ENTITIES }, (_, index) => `rp-${index}`);
  const settings = Object.fromEntries(names.map((name) => [name, { superiors: [baseUrl] }]));
  const server = stack.use(await serveFederation(settings, { clock: systemClock }));
  const node = stack.use(await ServiceProcess.start({ port, baseUrl, dataDir: folder, databaseUrl: database.url }));
  const { body } = await node.api('GET', '/authorities');
  const organisationId = await organisationThrough(node, body.items[0].id);

  const identifiers = names.map((name) => server.federation.id(name));
  const load = new EnrolmentLoad(organisationId, identifiers);
  const running = load.run(node, CLIENTS);
  for (let cut = 1; cut <= CUTS; cut++) {
    await Promise.race([load.acknowledgements(cut * CLIENTS), running]);
    expect(await terminateConnections(database)).toBeGreaterThan(0);
  }
  await running;
  expect(new Set([...load.refusals, '503 temporarily_unavailable'])).toEqual(new Set(['503 temporarily_unavailable']));

  await expect.poll(async () => (await node.get(`${baseUrl}/readyz`)).status, { timeout: 10_000 }).toBe(200);
  const { entities, seq } = await expectWholeRegistry(node, load.acknowledged);
  process.stdout.write(
    `connections cut ${CUTS} times: ${load.count} acknowledgements, ${load.refusals.length} refusals, ${entities.length} entities and seq ${seq} on record\n`,
  );
  await load.finish(node, identifiers);
  await expectWholeRegistry(node, load.acknowledged);
  expect(load.acknowledged.size).toBe(ENTITIES);
}, 120_000);
