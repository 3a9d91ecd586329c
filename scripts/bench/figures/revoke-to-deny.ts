/** How soon real gateways refuse whom the registry suspended, or whose certificate it revoked: issue 6. */
import { GATEWAY_NAMES, type GatewayClient, type GatewayName } from '../../../test/support/gateways.ts';
import { Perimeter } from '../../../test/support/perimeter.ts';
import type { Bench } from '../bench.ts';
import { FULL_PLAN } from '../bench.ts';
import type { Figure, Measurement } from '../figure.ts';
import { percentile } from '../load/paced-load.ts';
import { createDatabase, postgres } from '../service/deployment.ts';

const TRIALS = 200;
const CONNECTION_KINDS = ['open', 'new'] as const;
const GIVE_UP_MS = 10_000;

export const revokeToDeny: Figure = {
  name: 'revoke_to_deny_p99',
  summary:
    'from the answer to a suspension or revocation at one of two nodes to the first refusal by nginx, HAProxy and Caddy that ask the other, on open and new connections, the worst p99',
  unit: 'ms',
  target: 1000,
  better: 'lower',
  async measure(bench) {
    bench.progress('starting two nodes on PostgreSQL, nginx, HAProxy and Caddy');
    const databaseUrl = await createDatabase((await bench.shared(postgres)).url, 'revoke_to_deny');
    await using perimeter = await Perimeter.start({ gateways: GATEWAY_NAMES, databaseUrl });
    return await measureTrials(bench, perimeter);
  },
};

async function measureTrials(bench: Bench, perimeter: Perimeter): Promise<Measurement> {
  const { rounds } = bench.plan;
  const trials = Math.ceil((TRIALS * Math.min(rounds, FULL_PLAN.rounds)) / FULL_PLAN.rounds);
  const waits = new Map<string, number[]>();
  for (let trial = 0; trial < trials; trial++) {
    const isSuspension = trial % 2 === 0;
    for (const [way, waitMs] of await measureTrial(perimeter, isSuspension)) {
      waits.set(way, [...(waits.get(way) ?? []), waitMs]);
    }
    if (isSuspension) await perimeter.changePartner('reinstate');
    else await perimeter.renewCertificate();
    if ((trial + 1) % 50 === 0) bench.progress(`${trial + 1} of ${trials} decisions`);
  }
  const all = [...waits.values()].flat();
  const p99s = [...waits].map(([way, times]) => [way, percentile(Float64Array.from(times), 0.99)] as const);
  return {
    value: Math.max(...p99s.map(([, p99]) => p99)),
    details: {
      trials: all.length,
      median: percentile(Float64Array.from(all), 0.5),
      worst: Math.max(...all),
      ...Object.fromEntries(p99s.map(([way, p99]) => [`p99 ${way}`, Math.round(p99 * 10) / 10])),
    },
  };
}

/** One decision, looked at through all gateways at once. @returns milliseconds to the first refusal, by gateway and connection */
async function measureTrial(perimeter: Perimeter, isSuspension: boolean): Promise<[way: string, waitMs: number][]> {
  using stack = new DisposableStack();
  const clients = GATEWAY_NAMES.flatMap((gateway) =>
    CONNECTION_KINDS.map((kind) => ({ gateway, kind, client: stack.use(perimeter.client(gateway)) })),
  );
  // Whoever is refused from the start would be quick afterwards.
  const openPorts = await Promise.all(clients.map(({ gateway, client }) => admitted(gateway, client)));
  if (isSuspension) await perimeter.changePartner('suspend');
  else await perimeter.revokeCertificate();
  const decidedAt = performance.now();
  return await Promise.all(
    clients.map(async ({ gateway, kind, client }, index): Promise<[string, number]> => {
      const openPort = kind === 'open' ? openPorts[index] : undefined;
      return [`${gateway} ${kind}`, await refusedAfter(client, openPort, decidedAt)];
    }),
  );
}

/** What was given back is known to the node that gateways ask within the second, too. @returns the port of the connection */
async function admitted(gateway: GatewayName, client: GatewayClient): Promise<number> {
  const since = performance.now();
  for (;;) {
    const { status, localPort } = await client.ask();
    if (status === 200) return localPort;
    if (performance.now() - since > GIVE_UP_MS) throw new Error(`${gateway} does not let the partner in: ${status}`);
  }
}

/** @param openPort of the connection that stays; undefined: each attempt has a new one */
async function refusedAfter(client: GatewayClient, openPort: number | undefined, decidedAt: number): Promise<number> {
  for (;;) {
    if (openPort === undefined) client.renew();
    const { status, localPort } = await client.ask();
    const waitMs = performance.now() - decidedAt;
    if (openPort !== undefined && localPort !== openPort) throw new Error('the connection did not stay open');
    if (status === 403) return waitMs;
    if (status !== 200) throw new Error(`answered with status ${status} instead of 200 or 403`);
    if (waitMs > GIVE_UP_MS) throw new Error(`still let in after ${waitMs} ms`);
  }
}
