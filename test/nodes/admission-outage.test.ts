/** Two nodes on one PostgreSQL, and what one of them answers while the network between them is broken. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addCredential } from '../../src/registry/credentials/add-credential.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { connectDatabase } from '../../src/storage/connect.ts';
import { ApiClient, type Body } from '../support/api-client.ts';
import { BREAKS, type BreakableNetwork, startBreakableNetwork } from '../support/breakable-network.ts';
import { clientCertificate } from '../support/credentials.ts';
import { createTestDatabase } from '../support/databases.ts';
import { type TestPoint, testPoint } from '../support/evidence.ts';
import { TestService } from '../support/service.ts';

const MAX_STALENESS_SECONDS = 10;
const OUTAGE_SECONDS = 30;

let stack: AsyncDisposableStack;
let network: BreakableNetwork;
/** Where partners are suspended. */
let deciding: TestService;
/** Which gateways ask. */
let asked: TestService;
let origin: string;
let authority: Awaited<ReturnType<TestService['authority']>>;
let auditor: ApiClient;

beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const database = await createTestDatabase('postgresql');
  deciding = stack.use(await TestService.start(database, {}));
  authority = await deciding.authority();
  auditor = new ApiClient(deciding.app, await deciding.bearer(['auditor']));
  network = stack.use(await startBreakableNetwork(database.url ?? ''));
  asked = stack.use(await TestService.start(await connectDatabase({ url: network.url }), {}));
  ({ origin } = stack.use(await asked.listen()));
});
afterAll(() => stack.disposeAsync());

interface Answer {
  decision: string;
  reasons: string[];
  seq: number;
  lifeMs: number;
}

describe.each(BREAKS)('[F44] with the network to the database broken, connections %s', (how) => {
  it('answers go on as long as they may, then all are denied, and all of it is on record', async () => {
    const { certificate } = clientCertificate();
    const entity = await deciding.entity(await deciding.organisation(authority));
    await addCredential(deciding.context(), entity.id, { usage: 'transport', material: { certificate } });
    const strict = await testPoint(deciding, authority, { maxStalenessSeconds: MAX_STALENESS_SECONDS });
    const patient = await testPoint(deciding, authority, { maxStalenessSeconds: 2 * OUTAGE_SECONDS });
    await expect.poll(async () => asked.admission.state.seq === (await deciding.seq())).toBe(true);

    const denied: string[] = [];
    const ask = async ({ token }: TestPoint): Promise<Answer> => {
      const response = await fetch(`${origin}/api/v1/admission`, {
        ...{ method: 'POST', body: JSON.stringify({ certificate }) },
        headers: { 'holdfast-enforcement-point': token, 'content-type': 'application/json' },
      });
      expect(response.status).toBe(200);
      const { decision, reasons, seq, validUntil, evaluatedAt } = (await response.json()) as Body;
      if (decision === 'deny' && token === strict.token) denied.push(reasons.join());
      return { decision, reasons, seq, lifeMs: Date.parse(validUntil) - Date.parse(evaluatedAt) };
    };
    /** What the gateway hears that asks before each request. */
    const pass = async (): Promise<[number, string | null]> => {
      const der = certificate.replaceAll(/-----[A-Z ]+-----|\s/g, '');
      const headers = { 'holdfast-enforcement-point': strict.token, 'client-cert': `:${der}:` };
      const response = await fetch(`${origin}/api/v1/admission/http`, { headers });
      const reason = response.headers.get('holdfast-reason');
      if (response.status === 403) denied.push(String(reason));
      return [response.status, reason];
    };

    network.break(how);
    const { seq } = asked.admission.state;
    await transitionEntity(deciding.context(), entity.id, 'suspend', 'breach');
    const suspendedAt = await deciding.seq();
    expect(suspendedAt).toBeGreaterThan(seq);

    asked.monotonic.aheadMs += (MAX_STALENESS_SECONDS - 2) * 1000;
    const late = await ask(strict);
    expect(late).toMatchObject({ decision: 'allow', seq });
    expect(late.lifeMs).toBeLessThanOrEqual(2_000);
    expect(await pass()).toEqual([200, null]);

    asked.monotonic.aheadMs += 2_000;
    expect(await ask(strict)).toMatchObject({ decision: 'deny', reasons: ['state_stale'], seq, lifeMs: 0 });
    asked.monotonic.aheadMs += (OUTAGE_SECONDS - MAX_STALENESS_SECONDS) * 1000;
    expect(await ask(strict)).toMatchObject({ decision: 'deny', reasons: ['state_stale'], seq });
    expect(await pass()).toEqual([403, 'state_stale']);
    expect(await ask(patient)).toMatchObject({ decision: 'allow', seq });
    // The service saves each second, also while nothing can be saved.
    const saving = asked.evidence.save();
    if (how === 'ended') await saving;

    network.mend();
    let back = await ask(strict);
    while (back.reasons[0] === 'state_stale') back = await ask(strict);
    expect(back).toMatchObject({ decision: 'deny', reasons: ['suspended'], seq: suspendedAt });
    expect(await pass()).toEqual([403, 'suspended']);
    expect(await ask(patient)).toMatchObject({ decision: 'deny', reasons: ['suspended'], seq: suspendedAt });

    await saving;
    await asked.evidence.save();
    const query = new URLSearchParams({ enforcementPointId: strict.id, decision: 'deny' });
    const { items } = (await auditor.get(`/api/v1/decisions?${query}`)).body;
    const logged = items.flatMap(({ reasons, count }: Body) => Array<string>(count).fill(reasons.join()));
    expect(logged.sort()).toEqual(denied.sort());
    expect(denied).toEqual(expect.arrayContaining(['state_stale', 'suspended']));
    // Both points asked for the first time while it was broken.
    for (const change of [seq, suspendedAt]) {
      const { points } = (await auditor.get(`/api/v1/propagation/${change}`)).body;
      for (const { id } of [strict, patient]) {
        const shown = points.find((each: { enforcementPointId: string }) => each.enforcementPointId === id);
        expect(shown.lagMs).toEqual(expect.any(Number));
      }
    }

    await transitionEntity(deciding.context(), entity.id, 'reinstate', 'mended');
    await expect.poll(async () => (await ask(strict)).decision).toBe('allow');
  });
});
