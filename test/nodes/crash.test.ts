import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withAuditChain } from '../../src/registry/audit/read-chain.ts';
import { verifyAuditChain } from '../../src/registry/audit/verify-chain.ts';
import { connectDatabase } from '../../src/storage/connect.ts';
import { freePort } from '../support/cli.ts';
import { copyMigratedDataDirectory, createTestDatabase, DATABASE_KINDS } from '../support/databases.ts';
import { EnrolmentLoad, expectWholeRegistry } from '../support/enrolment-load.ts';
import { serveFederation } from '../support/federation-server.ts';
import { organisationThrough, ServiceProcess, systemClock } from '../support/service-process.ts';

/** More of them: `CRASH_ROUNDS=10 npm test -- test/nodes/crash.test.ts` */
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? '1');
const ENTITIES_A_ROUND = 30;
const CLIENTS = 6;

describe.each(DATABASE_KINDS)('a service on the %s database', (kind) => {
  it(
    'killed while clients enrol and approve has all that it acknowledged, and no change by half',
    async () => {
      await using stack = new AsyncDisposableStack();
      const folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-'));
      stack.defer(() => rm(folder, { recursive: true, force: true }));
      const database = kind === 'postgresql' ? stack.use(await createTestDatabase(kind)) : undefined;
      if (kind === 'embedded') await copyMigratedDataDirectory(folder);
      const port = await freePort();
      const baseUrl = `http://localhost:${port}`;
      const start = () => ServiceProcess.start({ port, baseUrl, dataDir: folder, databaseUrl: database?.url });
      const names = Array.from({ length: ROUNDS * ENTITIES_A_ROUND }, (_, index) => `rp-${index}`);
      const server = stack.use(
        await serveFederation(Object.fromEntries(names.map((name) => [name, { superiors: [baseUrl] }])), {
          clock: systemClock,
        }),
      );

      let node = await start();
      stack.defer(() => node.kill());
      const { body } = await node.api('GET', '/authorities');
      const organisationId = await organisationThrough(node, body.items[0].id);
      const acknowledged: EnrolmentLoad['acknowledged'] = new Map();
      for (let round = 0; round < ROUNDS; round++) {
        const identifiers = names.splice(0, ENTITIES_A_ROUND).map((name) => server.federation.id(name));
        const load = new EnrolmentLoad(organisationId, identifiers);
        const running = load.run(node, CLIENTS);
        await load.acknowledgements(5 + Math.floor(Math.random() * (ENTITIES_A_ROUND - 5)));
        await node.kill();
        await running;
        expect(load.acknowledged.size).toBeLessThan(ENTITIES_A_ROUND);
        expect(load.refusals).toEqual([]);

        node = await start();
        const before = new Map([...acknowledged, ...load.acknowledged]);
        const { entities, seq } = await expectWholeRegistry(node, before);
        process.stdout.write(
          `${kind}: killed after ${load.count} acknowledgements, ${entities.length} entities and seq ${seq} on record\n`,
        );
        await load.finish(node, identifiers);
        for (const [entityIdentifier, entity] of load.acknowledged) acknowledged.set(entityIdentifier, entity);
        await expectWholeRegistry(node, acknowledged);
      }
      expect(acknowledged.size).toBe(ROUNDS * ENTITIES_A_ROUND);

      await node.kill();
      const { db } = database ?? stack.use(await connectDatabase({ dataDir: folder }));
      expect((await withAuditChain(db, verifyAuditChain)).findings).toEqual([]);
    },
    60_000 + ROUNDS * 60_000,
  );
});
