/** How long it takes to move a federation of 10,000 entities into a registry. */
import type { Bench } from '../bench.ts';
import type { Figure, Measurement } from '../figure.ts';
import { readable } from '../rounds.ts';
import { type ExportDocument, federationDocument } from '../samples/federation-document.ts';
import { TRUST_ANCHOR } from '../samples/registry-records.ts';
import { ADMIN_ENVIRONMENT, ADMIN_TOKEN, BenchClient } from '../service/api-client.ts';
import { createDatabase, postgres } from '../service/deployment.ts';
import { startHoldfast } from '../service/holdfast-process.ts';
import { runDirectory } from '../service/run-directory.ts';

const ENTITIES = 10_000;

export const import10k: Figure = {
  name: 'import_10k',
  summary: 'import of 10,000 entities with keys, roles and credentials, from the request to the answer',
  unit: 's',
  target: 60,
  better: 'lower',
  async measure(bench: Bench): Promise<Measurement> {
    const databaseUrl = await createDatabase((await bench.shared(postgres)).url, 'bench_import');
    const dataDir = `${runDirectory()}/data-import`;
    await using service = await startHoldfast({
      ...{ baseUrl: TRUST_ANCHOR, dataDir, databaseUrl, environment: ADMIN_ENVIRONMENT },
    });
    using client = new BenchClient(service, 1);
    const authority = await exportedAuthority(client);
    bench.progress(`making up ${readable(ENTITIES)} entities`);
    const body: ExportDocument = await federationDocument(ENTITIES, authority);
    bench.progress(`importing ${readable(ENTITIES)} entities`);
    const begunAt = performance.now();
    const { summary } = (await client.api<Outcome>('POST', 'imports', { body })).body;
    const seconds = (performance.now() - begunAt) / 1000;
    if (summary.entities?.added !== ENTITIES) throw new Error(`imported ${JSON.stringify(summary)}`);
    const records = Object.values(summary).reduce((sum, { added }) => sum + added, 0);
    return { value: seconds, details: { records, megabytes: Buffer.byteLength(JSON.stringify(body)) / 1e6 } };
  },
};

interface Outcome {
  summary: Record<string, { added: number }>;
}

/** As the first start made it. */
async function exportedAuthority(client: BenchClient) {
  const { body } = await client.get('/api/v1/export', { authorization: `Bearer ${ADMIN_TOKEN}` });
  const lines = body.toString('utf8').trim().split('\n');
  const found = lines.map((line) => JSON.parse(line)).find(({ kind }) => kind === 'authorities');
  if (found === undefined) throw new Error('the export has no authority');
  return found.record;
}
