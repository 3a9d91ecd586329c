import { hash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { sql } from 'drizzle-orm';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { composeCanary } from '../../src/compose-canary.ts';
import { createInstruments } from '../../src/compose-measured.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { Canary, CanaryReport } from '../../src/jobs/knock-as-canary.ts';
import { createLog } from '../../src/observability/log.ts';
import { addCredential } from '../../src/registry/credentials/add-credential.ts';
import { transitionEntity } from '../../src/registry/entities/transition-entity.ts';
import { readMeasures } from '../../src/registry/measures/read-measures.ts';
import { canaryTrials } from '../../src/storage/schema/canary-trials.ts';
import { ApiClient } from '../support/api-client.ts';
import { armoured, ecKey } from '../support/certificates.ts';
import { clientCertificate } from '../support/credentials.ts';
import { testPoint } from '../support/evidence.ts';
import { startTestService } from '../support/service.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from '../support/tls.ts';

const service = await startTestService('embedded');
afterAll(() => service[Symbol.asyncDispose]());

const ALERTS = new URL('../../observability/prometheus/holdfast-alerts.yaml', import.meta.url);

/** A gateway that answers as a test says, and what it was shown. */
const gateway = { status: 403, reason: 'suspended', shown: [] as string[] };
const server = createServer({
  cert: TEST_TLS_CERTIFICATE,
  key: TEST_TLS_KEY,
  requestCert: true,
  rejectUnauthorized: false,
});
server.on('request', (request, response) => {
  const { fingerprint256 } = (request.socket as TLSSocket).getPeerCertificate();
  gateway.shown.push(fingerprint256);
  const reason = gateway.reason === '' ? {} : { 'holdfast-reason': gateway.reason };
  response.writeHead(gateway.status, { location: 'https://elsewhere.example/', ...reason });
  // A body that never ends must not hide the status.
  response.write('x');
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
const canaryUrl = `https://localhost:${(server.address() as AddressInfo).port}/payments`;

const authority = await service.authority();
const entity = await service.entity(await service.organisation(authority));
const key = ecKey();
const { certificate } = clientCertificate(key);
await addCredential(service.context(), entity.id, { usage: 'transport', material: { certificate } });
const point = await testPoint(service, authority, { canaryUrl });
await testPoint(service, authority);

const alarms: CanaryReport[] = [];
const unclear: CanaryReport[] = [];

function canaryOf(settings: Record<string, string> = { HOLDFAST_CANARY_ALLOW: 'localhost' }): Canary {
  const parsed = new X509Certificate(certificate);
  const pkcs8 = key.privateKey.export({ format: 'der', type: 'pkcs8' });
  const log = {
    ...createLog('silent'),
    canaryAdmitted: (report: CanaryReport) => alarms.push(report),
    canaryUnclear: (report: CanaryReport) => unclear.push(report),
  };
  return composeCanary({
    instruments: createInstruments(),
    ...{ config: loadConfig(settings).config, db: service.db, log, extraCas: [TEST_TLS_CERTIFICATE] },
    clientCertificate: {
      ...{ certificate, key: armoured('PRIVATE KEY', pkcs8) },
      x5tS256: hash('sha256', parsed.raw, 'base64url'),
    },
    state: () => service.admission.state,
  });
}

/** One round in which everybody has his turn. */
async function knock(canary = canaryOf()) {
  await service.db.execute(sql`DELETE FROM canary_turns`);
  await canary.run();
  const auditor = new ApiClient(service.app, await service.bearer(['auditor']));
  const { body } = await auditor.get('/api/v1/propagation/latest');
  const shown = body.points.find(
    ({ enforcementPointId }: { enforcementPointId: string }) => enforcementPointId === point.id,
  );
  return shown?.canary;
}

beforeEach(async () => {
  Object.assign(gateway, { status: 403, reason: 'suspended' });
  for (const list of [gateway.shown, alarms, unclear]) list.length = 0;
});

it('[B1] says so instead of knocking while its participant is not suspended', async () => {
  expect(await knock()).toMatchObject({ outcome: 'unclear', status: null, detail: expect.stringContaining('active') });
  expect(gateway.shown).toEqual([]);
  await transitionEntity(service.context(), entity.id, 'suspend', 'always, so that it is refused');
  expect(await knock()).toMatchObject({ outcome: 'refused', status: 403 });
  expect(gateway.shown).toEqual([new X509Certificate(certificate).fingerprint256]);
});

it.each([
  { status: 401, outcome: 'refused' },
  { status: 200, outcome: 'admitted' },
  { status: 302, outcome: 'admitted' },
  { status: 404, outcome: 'unclear' },
  { status: 502, outcome: 'unclear' },
])('[B1] takes $status for $outcome', async ({ status, outcome }) => {
  gateway.status = status;
  expect(await knock()).toMatchObject({ outcome, status });
  expect(alarms.map(({ enforcementPoint }) => enforcementPoint)).toEqual(outcome === 'admitted' ? [point.name] : []);
  expect(unclear).toHaveLength(outcome === 'unclear' ? 1 : 0);
  // What `/metrics` shows, and alerts look at.
  const { canary } = await readMeasures(service.db);
  expect(canary).toEqual([{ authority: authority.entityIdentifier, name: point.name, outcome }]);
});

it('[B1] is a metric of each enforcement point, which an alert looks at', async () => {
  gateway.status = 200;
  await knock();
  const [text, { groups }] = [await service.metrics(), parse(readFileSync(ALERTS, 'utf8'))];
  const labels = `authority="${authority.entityIdentifier}",enforcement_point="${point.name}"`;
  const outcomes = ['refused', 'admitted', 'unclear'].map((outcome) => {
    const [, value] = text.split(`holdfast_canary_outcome{${labels},outcome="${outcome}"} `);
    return value?.split('\n')[0];
  });
  expect(outcomes).toEqual(['0', '1', '0']);
  const alert = groups[0].rules.find((rule: { alert: string }) => rule.alert === 'HoldfastCanaryAdmitted');
  expect(alert).toMatchObject({ labels: { severity: 'critical' } });
  expect(alert.expr).toBe('max by (authority, enforcement_point) (holdfast_canary_outcome{outcome="admitted"}) == 1');
});

it.each([
  { status: 401, reason: '' },
  { status: 401, reason: 'certificate_missing' },
  { status: 403, reason: 'environment_mismatch, role_missing' },
  { status: 403, reason: 'not_suspended\u00ff' },
])('[B1] learns nothing from $status with the reason "$reason"', async (answer) => {
  Object.assign(gateway, answer);
  const seen = answer.reason === '' ? 'nothing' : answer.reason.replace('\u00ff', '?');
  const detail = `refused with ${answer.status}, but Holdfast-Reason does not say suspended: ${seen}`;
  expect(await knock()).toMatchObject({ outcome: 'unclear', status: answer.status, detail });
  expect(unclear).toHaveLength(1);
  Object.assign(gateway, { status: 403, reason: 'environment_mismatch, suspended, token_missing' });
  expect(await knock()).toMatchObject({ outcome: 'refused' });
});

it('[B1] goes to private addresses only as the operator says', async () => {
  const trial = await knock(canaryOf({ HOLDFAST_OUTBOUND_ALLOW: 'localhost' }));
  expect(trial).toMatchObject({ outcome: 'unclear', detail: expect.stringContaining('HOLDFAST_CANARY_ALLOW') });
  expect(gateway.shown).toEqual([]);
});

it('[B1] knocks once each time, however many nodes there are', async () => {
  const before = await service.db.$count(canaryTrials);
  await service.db.execute(sql`DELETE FROM canary_turns`);
  const nodes = [canaryOf(), canaryOf(), canaryOf()];
  await Promise.all(nodes.map((node) => node.run()));
  await Promise.all(nodes.map((node) => node.run()));
  expect(gateway.shown).toHaveLength(1);
  expect(await service.db.$count(canaryTrials)).toBe(before + 1);
});
