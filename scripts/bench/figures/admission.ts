/** Decisions about who is admitted, over what the HTTP server itself can do with the same questions. */
import type { Bench } from '../bench.ts';
import type { Figure, Measurement } from '../figure.ts';
import { compareServers } from '../load/compare-servers.ts';
import { percentile, sendPaced } from '../load/paced-load.ts';
import { subordinateIdentifier } from '../samples/registry-records.ts';
import {
  ADMISSION_HEADERS,
  ADMISSION_PATH,
  type AdmissionDeployment,
  admissionDeployment,
  requireAllowed,
} from '../service/admission-deployment.ts';
import { startFloor } from '../service/floor.ts';

/** Of the 100,000, drawn evenly: questions that a load generator holds ready. */
const ASKED = 20_000;
/** To sign tokens takes longer. */
const ASKED_WITH_TOKEN = 4_000;
/** As gateways ask: over many connections, on none before the last answer. */
const GATEWAY_LOAD = { connections: 64, pipelining: 1 } as const;
const PER_SECOND = 1_000;

export const admission: Figure = {
  name: 'admission',
  summary:
    'decisions a second about random certificates of 100,000, as PEM, over a Hono handler that parses the same JSON and answers as much',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const deployment = await bench.shared(admissionDeployment);
    return await compareWithFloor(bench, deployment, questions(deployment, ASKED).map(asPem));
  },
};

export const admissionToken: Figure = {
  name: 'admission_token',
  summary:
    'the same with a JWT access token (ES256, bound to the certificate), over a handler that verifies it with jose as well',
  unit: 'ratio',
  target: 0.7,
  better: 'higher',
  async measure(bench) {
    const deployment = await bench.shared(admissionDeployment);
    const bodies: string[] = [];
    for (const shown of questions(deployment, ASKED_WITH_TOKEN)) {
      bodies.push(JSON.stringify({ certificate: shown.pem, token: await deployment.token(shown) }));
    }
    return await compareWithFloor(bench, deployment, bodies, deployment.tokenKey);
  },
};

export const admissionP99: Figure = {
  name: 'admission_p99',
  summary: `p99 of decisions about random certificates of 100,000 at ${PER_SECOND} a second`,
  unit: 'ms',
  target: 10,
  better: 'lower',
  async measure(bench) {
    const deployment = await bench.shared(admissionDeployment);
    const { port, host } = deployment;
    const bodies = questions(deployment, ASKED).map(asPem);
    const count = Math.ceil(bench.plan.rounds * bench.plan.roundSeconds * PER_SECOND);
    const requests = Array.from({ length: count }, () => ({
      path: ADMISSION_PATH,
      body: bodies[Math.floor(Math.random() * bodies.length)] ?? '',
    }));
    const load = { port, host, headers: ADMISSION_HEADERS, perSecond: PER_SECOND };
    await sendPaced({ ...load, requests: requests.slice(0, 2 * PER_SECOND) });
    bench.progress(`asking ${count} times`);
    const { statuses, latenciesMs } = await sendPaced({ ...load, requests });
    if (statuses.get(200) !== count) throw new Error(`answered with ${JSON.stringify([...statuses])}`);
    return {
      value: percentile(latenciesMs, 0.99),
      details: { median: percentile(latenciesMs, 0.5), worst: percentile(latenciesMs, 1), requests: count },
    };
  },
};

type Shown = AdmissionDeployment['certificates'][number];

function questions({ certificates }: AdmissionDeployment, count: number): Shown[] {
  // The load takes answers of one size only, and names of the first organisations are shorter.
  const alike = certificates.filter(({ entityIdentifier }) => entityIdentifier > subordinateIdentifier(10_000));
  const step = Math.floor(alike.length / count);
  return alike.filter((_, index) => index % step === 0).slice(0, count);
}

function asPem({ pem: certificate }: Shown): string {
  return JSON.stringify({ certificate });
}

async function compareWithFloor(
  bench: Bench,
  deployment: AdmissionDeployment,
  jsonBodies: readonly string[],
  token?: AdmissionDeployment['tokenKey'],
): Promise<Measurement> {
  const { port, host, pid: serverPid, memoryBytes } = deployment;
  const [body = ''] = jsonBodies;
  await requireAllowed(deployment, body);
  const headers = ADMISSION_HEADERS;
  const json = { body, headers, ...(token && { token }) };
  await using floor = await startFloor(deployment, ADMISSION_PATH, 'text', undefined, json);
  const { 'content-type': _, ...sent } = headers;
  const load = { host, paths: jsonBodies.map(() => ADMISSION_PATH), jsonBodies, headers: sent, ...GATEWAY_LOAD };
  // A second of warming up is less than one question about each; nobody runs a service for one question about each.
  const once = jsonBodies.map((body) => ({ path: ADMISSION_PATH, body }));
  await sendPaced({ port, host, headers, perSecond: 4 * PER_SECOND, requests: once });
  const measured = await compareServers(
    bench,
    { port, serverPid, ...load },
    { port: floor.port, serverPid: floor.pid, ...load },
  );
  return { ...measured, details: { ...measured.details, memoryMegabytes: memoryBytes / 1e6 } };
}
