/** The gateways of gateways/ as operators run them, in front of an API, with the service that they ask. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GATEWAY_NAMES, type GatewayName, missingGateways } from '../support/gateways.ts';
import { clientIdentity, Perimeter } from '../support/perimeter.ts';

const missing = process.env.CI === 'true' ? [] : missingGateways();
const tried = GATEWAY_NAMES.filter((name) => !missing.includes(name));
const STRANGER = clientIdentity('stranger');
/** What a participant gets while Holdfast is stopped, and while it answers too late. */
const WITHOUT_HOLDFAST: Record<GatewayName, { down: number; paused: number }> = {
  nginx: { down: 500, paused: 500 },
  haproxy: { down: 403, paused: 403 },
  caddy: { down: 502, paused: 504 },
};
const WEBSOCKET_KEY = ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='];

let perimeter: Perimeter;
beforeAll(async () => {
  perimeter = await Perimeter.start({ gateways: tried });
}, 240_000);
afterAll(() => perimeter?.[Symbol.asyncDispose]());

const derOf = (chain: string) => chain.replaceAll(/-----[^-]+-----|\s/g, '');

/** What a client may make up, each form of the certificate of another participant among it. */
function forged(): string[] {
  const { certificate } = perimeter.other.identity;
  return [
    ['Client-Cert', `:${derOf(certificate)}:`],
    ['client_cert', `:${derOf(certificate)}:`],
    ['Client-Cert-Chain', `:${derOf(certificate)}:`],
    ['X-SSL-Client-Cert', encodeURIComponent(certificate)],
    ['X-SSL-Client-Cert', derOf(certificate)],
    ['X-Forwarded-Client-Cert', `Cert="${encodeURIComponent(certificate)}"`],
    ['X-Forwarded-Tls-Client-Cert', derOf(certificate)],
    ['Holdfast-Participant', 'https://forged.example'],
    ['holdfast_participant', 'https://forged.example'],
    ['Holdfast-Roles', 'forged'],
    ['holdfast_on-behalf_of', 'forged'],
    ['X-Ssl_Client-Cert', derOf(certificate)],
    ['X-FORWARDED_Tls-Client_Cert', derOf(certificate)],
    ['Holdfast-On-Behalf-Of', '019baf5e-0000-7000-8000-00000000000a'],
    ['Holdfast-Organisation', 'forged'],
    ['Holdfast-Enforcement-Point', 'hfep_forged'],
  ].flat();
}

describe.each(
  GATEWAY_NAMES.map((name) => [missing.includes(name) ? `${name} (is not installed here)` : name, name] as const),
)('[F41] %s', (_, name) => {
  const test = missing.includes(name) ? it.skip : it;

  test('lets a participant in, and tells what is behind who it is', async () => {
    using partner = perimeter.client(name);
    const { status, body, localPort } = await partner.ask('/accounts?a=b', ['content-type', 'text/plain'], 'POST');
    expect(status).toBe(200);
    const headers = Object.fromEntries(JSON.parse(body));
    expect(headers).toMatchObject({
      'holdfast-participant': perimeter.partner.entityIdentifier,
      'holdfast-application': perimeter.partner.id,
      'holdfast-seq': expect.stringMatching(/^\d+$/),
      'holdfast-valid-until': expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await partner.ask()).localPort).toBe(localPort);
  });

  test('believes nothing of this that a client makes up', async () => {
    using partner = perimeter.client(name);
    const { status, body } = await partner.ask('/', forged());
    expect(status).toBe(200);
    const headers: [string, string][] = JSON.parse(body);
    const told = headers.filter(([key]) => /holdfast|client.cert/.test(key) && !/seq|valid/.test(key));
    const isKnown = ([key, value]: [string, string]) =>
      value === '' || ['holdfast-participant', 'holdfast-application', 'holdfast-organisation'].includes(key);
    expect(told.filter((header) => !isKnown(header))).toEqual([]);
    expect(headers.filter(([key]) => key === 'holdfast-participant')).toEqual([
      ['holdfast-participant', perimeter.partner.entityIdentifier],
    ]);
    expect(body).not.toContain('forged');
    for (const [settings, refused] of [
      [{}, 401],
      [STRANGER, 403],
    ] as const) {
      using forger = perimeter.client(name, settings);
      const before = perimeter.api.requests;
      expect((await forger.ask('/', forged())).status).toBe(refused);
      expect(perimeter.api.requests).toBe(before);
    }
  });

  test.each([
    ['h2c', ['connection', 'Upgrade, HTTP2-Settings', 'upgrade', 'h2c', 'http2-settings', 'AAMAAABkAARAAAAAAAIAAAAA']],
    ['a WebSocket', ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-version', '13', ...WEBSOCKET_KEY]],
  ])('opens no tunnel for %s', async (_protocol, asking) => {
    using partner = perimeter.client(name);
    const { status, body } = await partner.ask('/', asking);
    expect(status).toBe(200);
    const headers: Record<string, string> = Object.fromEntries(JSON.parse(body));
    expect(headers).not.toHaveProperty('upgrade');
    expect(headers['connection'] ?? '').not.toMatch(/upgrade/i);
  });

  test('tells who it is, also where a client declares that to be between it and the gateway', async () => {
    using partner = perimeter.client(name);
    const told = ['Participant', 'Application', 'Organisation', 'Seq', 'Valid-Until', 'On-Behalf-Of', 'Roles'];
    const connection = told.map((header) => `Holdfast-${header}`).join(', ');
    const plain = Object.fromEntries(JSON.parse((await partner.ask('/')).body));
    const { status, body } = await partner.ask('/', ['connection', `keep-alive, ${connection}, X-Ssl-Client-Cert`]);
    expect(status).toBe(200);
    const headers = Object.fromEntries(JSON.parse(body));
    const ofHoldfast = (all: object) => Object.keys(all).filter((header) => header.startsWith('holdfast-'));
    expect(ofHoldfast(headers).sort()).toEqual(ofHoldfast(plain).sort());
    expect(headers).toMatchObject({ 'holdfast-participant': perimeter.partner.entityIdentifier });
  });

  test('refuses strangers, and who has no certificate', async () => {
    using stranger = perimeter.client(name, STRANGER);
    expect(await stranger.ask()).toMatchObject({ status: 403, reason: 'unknown_participant' });
    using nobody = perimeter.client(name, {});
    expect(await nobody.ask()).toMatchObject({ status: 401, reason: 'certificate_missing' });
  });

  test('refuses who was suspended: on the open connection, on a new one, and with a resumed session', async () => {
    using open = perimeter.client(name);
    using old = perimeter.client(name, { ...perimeter.partner.identity, maxVersion: 'TLSv1.2' });
    const before = await open.ask();
    const beforeOld = await old.ask();
    expect([before.status, beforeOld.status]).toEqual([200, 200]);
    await perimeter.changePartner('suspend');
    try {
      expect(await open.ask()).toMatchObject({ status: 403, reason: 'suspended', localPort: before.localPort });
      open.renew();
      const renewed = await open.ask();
      expect(renewed).toMatchObject({ status: 403, reason: 'suspended', isSessionReused: false });
      old.renew({ resumes: true });
      const resumed = await old.ask();
      expect(resumed).toMatchObject({ status: 403, reason: 'suspended', isSessionReused: true });
      expect(resumed.localPort).not.toBe(beforeOld.localPort);
    } finally {
      await perimeter.changePartner('reinstate');
    }
    expect((await open.ask()).status).toBe(200);
    old.renew({ resumes: true });
    expect(await old.ask()).toMatchObject({ status: 200, isSessionReused: true });
  });

  test('makes no hole of giant and broken headers: they reach nobody behind it, nor Holdfast', async () => {
    using partner = perimeter.client(name);
    const values = ['A'.repeat(7000), ':::', '%00%', '"', '{', 'ÿ'];
    const names = [...new Set(forged().filter((_text, index) => index % 2 === 0))];
    // Had Holdfast heard of any of them, it would have refused.
    for (const value of values) {
      for (const header of names) {
        const { status, body } = await partner.ask('/', [header, value]);
        expect([header, value.slice(0, 9), status]).toEqual([header, value.slice(0, 9), 200]);
        const told: [string, string][] = JSON.parse(body);
        expect(told).toContainEqual(['holdfast-participant', perimeter.partner.entityIdentifier]);
        expect(told.map(([, text]) => text)).not.toContain(value);
      }
    }
    const before = perimeter.api.requests;
    for (const settings of [{}, STRANGER]) {
      for (const value of values) {
        using forger = perimeter.client(name, settings);
        const { status } = await forger.ask(
          '/',
          forged().map((text, index) => (index % 2 === 0 ? text : value)),
        );
        expect([400, 401, 403, 431]).toContain(status);
      }
    }
    expect(perimeter.api.requests).toBe(before);
  });

  test('lets nobody in while Holdfast is slow or down, and everybody again once it is back', async () => {
    // As the README tells operators.
    expect((await outage()).get(name)).toEqual({ ...WITHOUT_HOLDFAST[name], resumed: 200, back: 200 });
  });

  test('[B1] refuses the canary of the service', async () => {
    expect((await canaryTrials()).get(name)).toMatchObject({ outcome: 'refused', status: 403 });
  });
});

const withNginx = missing.includes('nginx') ? it.skip : it;
withNginx('[B1] the canary is let in by an nginx that does not ask any more, and that is an alarm', async () => {
  expect((await canaryTrials()).get('careless')).toMatchObject({ outcome: 'admitted', status: 200 });
  const alarms = perimeter.deciding.log.split('\n').filter((line) => line.includes('let in: it was answered with'));
  expect(alarms.map((line) => JSON.parse(line))).toEqual(
    expect.arrayContaining([expect.objectContaining({ enforcementPoint: 'careless' })]),
  );
  expect(new Set(alarms.map((line) => JSON.parse(line).enforcementPoint))).toEqual(new Set(['careless']));
});

interface Outage {
  paused: number;
  resumed: number;
  down: number;
  back: number;
}

let seenInOutage: Promise<Map<GatewayName, Outage>> | undefined;

/** What each gateway answers a participant while Holdfast is stopped, and afterwards; once for all of them. */
function outage(): Promise<Map<GatewayName, Outage>> {
  seenInOutage ??= beGone();
  return seenInOutage;
}

async function beGone(): Promise<Map<GatewayName, Outage>> {
  const clients = tried.map((name) => perimeter.client(name));
  const statuses = () => Promise.all(clients.map(async (client) => (await client.ask()).status));
  try {
    expect(await statuses()).toEqual(tried.map(() => 200));
    const before = perimeter.api.requests;
    perimeter.pause('SIGSTOP');
    const paused = await statuses().finally(() => perimeter.pause('SIGCONT'));
    expect(perimeter.api.requests).toBe(before);
    const resumed = await statuses();
    const between = perimeter.api.requests;
    await perimeter.stop();
    const down = await statuses();
    expect(perimeter.api.requests).toBe(between);
    await perimeter.restart();
    const back = await statuses();
    const of = (all: readonly number[], at: number) => all[at] ?? Number.NaN;
    return new Map(
      tried.map((name, at) => [
        name,
        { paused: of(paused, at), resumed: of(resumed, at), down: of(down, at), back: of(back, at) },
      ]),
    );
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
}

let knocked: ReturnType<typeof knock> | undefined;

/** What the report says of the canary's last trial at each enforcement point that has one; it knocks once for all tests. */
function canaryTrials(): ReturnType<typeof knock> {
  knocked ??= knock();
  return knocked;
}

async function knock(): Promise<Map<string, { outcome: string; status: number }>> {
  const expected = tried.length + (tried.includes('nginx') ? 1 : 0);
  if (tried.includes('nginx')) await perimeter.startCarelessNginx();
  await perimeter.knockAtGateways();
  for (;;) {
    const { body } = await perimeter.deciding.api('GET', '/propagation/latest');
    const trials = body.points.filter(({ canary }: { canary: object | null }) => canary);
    if (trials.length === expected) {
      return new Map(trials.map(({ name, canary }: { name: string; canary: never }) => [name, canary]));
    }
    await pause(100);
  }
}
