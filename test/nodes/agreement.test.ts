/** Two nodes on one database, and everything that they say about one subordinate. */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointUrl } from '../../src/issuance/authority-endpoints.ts';
import { freePort } from '../support/cli.ts';
import { createTestDatabase } from '../support/databases.ts';
import { serveFederation } from '../support/federation-server.ts';
import { enrolThrough, organisationThrough, ServiceProcess, systemClock } from '../support/service-process.ts';
import {
  type AskEndpoint,
  CHANGES_OF_STATE,
  expectedSurfaces,
  type SubordinateSurfaces,
  type SurveyedSubordinate,
  subordinateSurfaces,
} from '../support/subordinate-surfaces.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

/** Within this time after its answer a change through one node shows at the other. */
const LIMIT_MS = 1000;

const stack = new AsyncDisposableStack();
let first: ServiceProcess;
let second: ServiceProcess;
let baseUrl: string;

beforeAll(async () => {
  const database = stack.use(await createTestDatabase('postgresql'));
  const folder = stack.use(new TemporaryFolder());
  const ports = [await freePort(), await freePort()];
  baseUrl = `http://localhost:${ports[0]}`;
  const start = async (port = 0) => {
    const dataDir = folder.at(String(port));
    const masterKeyFile = folder.at('keys', 'master-key');
    return stack.use(await ServiceProcess.start({ port, baseUrl, dataDir, masterKeyFile, databaseUrl: database.url }));
  };
  [first, second] = await Promise.all([start(ports[0]), start(ports[1])]);
});

afterAll(() => stack.disposeAsync());

const asker = (node: ServiceProcess): AskEndpoint => {
  return async (endpoint, parameters) => {
    const url = endpointUrl(baseUrl, endpoint);
    const isPosted = endpoint === 'trustMarkStatus';
    const answer = isPosted
      ? await node.post(url, parameters)
      : await node.get(`${url}?${new URLSearchParams(parameters)}`);
    const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
    return new Response(answer.text, { status: answer.status, headers });
  };
};

async function seqOf(node: ServiceProcess): Promise<number> {
  return JSON.parse((await node.get(`${baseUrl}/readyz`)).text).seq;
}

interface Seen extends SubordinateSurfaces {
  /** Last change that the node showed before it was asked, and afterwards. */
  seqs: [number, number];
}

async function look(node: ServiceProcess, subordinate: SurveyedSubordinate): Promise<Seen> {
  const before = await seqOf(node);
  const surfaces = await subordinateSurfaces(asker(node), subordinate);
  return { ...surfaces, seqs: [before, await seqOf(node)] };
}

/** Looks until the node says this at one seq. @returns when it did, and the seq */
async function agreement(
  node: ServiceProcess,
  subordinate: SurveyedSubordinate,
  expected: SubordinateSurfaces,
): Promise<{ at: number; seq: number }> {
  const since = performance.now();
  for (;;) {
    const seen = await look(node, subordinate);
    const at = performance.now();
    const [seq] = seen.seqs;
    if (isDeepStrictEqual(seen, { ...expected, seqs: [seq, seq] })) return { at, seq };
    if (at - since > 5 * LIMIT_MS) expect(seen).toEqual({ ...expected, seqs: [seq, seq] });
  }
}

describe('two nodes', () => {
  it('say the same at all endpoints after each change, at the same seq, within a second of its answer', async () => {
    const rp = { superiors: [baseUrl], metadata: { openid_relying_party: { client_name: 'Shop' } } };
    const server = stack.use(await serveFederation({ rp }, { clock: systemClock }));
    const sub = server.federation.id('rp');
    const [authority] = (await first.api('GET', '/authorities')).body.items;
    const { id } = await enrolThrough(first, await organisationThrough(first, authority.id), sub);
    const trustMarkType = `${baseUrl}/marks/member`;
    const type = { authorityId: authority.id, trustMarkType, name: 'Member' };
    const { body: created } = await first.api('POST', '/trust-mark-types', type);
    expect((await first.api('POST', '/trust-marks', { typeId: created.id, subject: sub })).status).toBe(201);
    const given = await asker(first)('trustMark', { trust_mark_type: trustMarkType, sub });
    const subordinate = { authority: baseUrl, sub, trustMarkType, trustMark: await given.text() };
    const registered = expectedSurfaces(true, 'registration');
    await Promise.all([first, second].map((node) => agreement(node, subordinate, registered)));
    for (const { transition, isActive, lastEvent } of CHANGES_OF_STATE) {
      const changed = await first.api('POST', `/entities/${id}/${transition}`, { reason: 'by a test' });
      const answeredAt = performance.now();
      expect(changed.status).toBe(200);
      const expected = expectedSurfaces(isActive, lastEvent);
      const [here, there] = await Promise.all([look(first, subordinate), agreement(second, subordinate, expected)]);
      expect(here).toEqual({ ...expected, seqs: [there.seq, there.seq] });
      const passedMs = there.at - answeredAt;
      process.stdout.write(`two nodes: ${transition} shows at all endpoints after ${passedMs.toFixed(1)} ms\n`);
      expect(passedMs).toBeLessThan(LIMIT_MS);
    }
  });
});
