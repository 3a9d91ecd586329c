import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLookup, type NameResolutionOptions } from '../../src/outbound/name-resolution.ts';
import { type DnsServer, serveDns } from '../support/dns-server.ts';
import { failureOf, testClient } from '../support/outbound.ts';
import { httpResponse, type RawAnswer, serveRaw } from '../support/raw-server.ts';

/** Far more than the system's resolver looks up at a time, few enough for the buffer of the server's socket. */
const MANY = 64;

const NEVER = new AbortController().signal;
const answerAndClose: RawAnswer = (socket) => socket.end(httpResponse(200, { connection: 'close' }, 'x'));

let folder: string;
let hostsFile: string;
let server: DnsServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-names-'));
  hostsFile = join(folder, 'hosts');
  const lines = [
    '127.0.0.2 overridden.example',
    '::1 overridden.example',
    '10.0.0.1 inside.example localhost sub.localhost',
  ];
  await writeFile(hostsFile, lines.join('\n'));
});

beforeEach(async () => {
  server = await serveDns({
    'partner.example': ['127.0.0.3', '127.0.0.4', '::1'],
    'ipv6.example': ['::1'],
    'mixed.example': ['10.0.0.1', '127.0.0.2', 'fd00::1'],
    'private.example': ['10.0.0.1', 'fd00::1'],
    'loopback.example': ['127.0.0.1'],
    'empty.example': [],
    'overridden.example': ['192.0.2.1'],
    'failing.example': 'failing',
    'half.example': 'silent for IPv6',
    'dead.example': 'silent',
  });
  return () => server[Symbol.asyncDispose]();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function lookupOf(options: NameResolutionOptions = {}) {
  return createLookup({ hostsFile, nameServers: [server.address], ...options });
}

async function addressesOf(name: string, options: NameResolutionOptions = {}): Promise<string[]> {
  return (await lookupOf(options)(name, NEVER)).map(({ address }) => address);
}

describe('names', () => {
  it('have the addresses of both families in turn, so that neither hides the other', async () => {
    expect(await addressesOf('partner.example')).toEqual(['127.0.0.3', '::1', '127.0.0.4']);
    expect(await addressesOf('ipv6.example')).toEqual(['::1']);
    expect(await addressesOf('PARTNER.Example.')).toHaveLength(3);
  });

  it.each([
    ['nowhere.example', 'ENOTFOUND'],
    ['empty.example', 'ENODATA'],
    ['failing.example', 'ESERVFAIL'],
    ['a..b', 'EBADNAME'],
  ])('without addresses are refused: %s', async (name, code) => {
    const failure = await failureOf(lookupOf()(name, NEVER));
    expect([failure.reason, failure.message]).toEqual(['connection_failed', `${name} could not be resolved (${code})`]);
  });

  it.each(['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'sub.localhost'])(
    'below localhost are loopback, whatever DNS and the hosts file say: %s',
    async (name) => {
      expect(await addressesOf(name)).toEqual(['127.0.0.1', '::1']);
      expect(server.names).toEqual([]);
    },
  );

  it('of the hosts file have its addresses and no others', async () => {
    expect(await addressesOf('overridden.example')).toEqual(['127.0.0.2', '::1']);
    expect(await addressesOf('Overridden.Example.')).toEqual(['127.0.0.2', '::1']);
    expect(server.names).toEqual([]);
    expect(await addressesOf('partner.example')).toHaveLength(3);
  });

  it('are not resolved past a hosts file that cannot be read', async () => {
    const failure = await failureOf(lookupOf({ hostsFile: folder })('partner.example', NEVER));
    expect([failure.reason, server.names]).toEqual(['connection_failed', []]);
    expect(failure.message).toContain('the hosts file cannot be read: EISDIR');
  });

  it('are not looked up below search domains', async () => {
    await failureOf(lookupOf()('nowhere', NEVER));
    expect(new Set(server.names)).toEqual(new Set(['nowhere']));
  });
});

describe('name servers that do not answer', () => {
  it('are given up after their time', async () => {
    const failure = await failureOf(lookupOf({ timeoutMs: 50, tries: 1 })('dead.example', NEVER));
    expect([failure.reason, failure.message]).toEqual([
      'timed_out',
      'no name server answered for dead.example in time',
    ]);
  });

  it('are left alone with the signal, whose reason the lookup fails with', async () => {
    const controller = new AbortController();
    const lookup = lookupOf()('dead.example', controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(lookup).rejects.toBe(reason);
    await expect(lookupOf()('dead.example', controller.signal)).rejects.toBe(reason);
  });

  it('for one family do not keep back the addresses of the other', async () => {
    await using http = await serveRaw(answerAndClose);
    await using client = testClient({ allowHttp: true, lookup: lookupOf() });
    expect((await client.get(`http://half.example:${http.port}/`)).status).toBe(200);
  });

  it('end a request at its deadline', async () => {
    await using client = testClient({ timeoutMs: 300, lookup: lookupOf() });
    const begun = performance.now();
    const failure = await failureOf(client.get('https://dead.example/'));
    expect(failure.reason).toBe('timed_out');
    expect(performance.now() - begun).toBeLessThan(1500);
  });

  it('hold up no other name, however many wait for them', async () => {
    await using http = await serveRaw(answerAndClose);
    const controller = new AbortController();
    const lookup = lookupOf();
    await using client = testClient({ allowHttp: true, lookup });
    let ended = 0;
    const waiting = Array.from({ length: MANY }, () =>
      lookup('dead.example', controller.signal).catch(() => void ended++),
    );
    for (let count = 0; count < 5; count++) {
      expect((await client.get(`http://loopback.example:${http.port}/`)).status).toBe(200);
    }
    expect(ended).toBe(0);
    controller.abort();
    await Promise.all(waiting);
    expect(ended).toBe(MANY);
  });
});

describe('what was resolved', () => {
  it('is used where it is permitted, and nowhere else', async () => {
    await using partner = await serveRaw(answerAndClose, { address: '127.0.0.2' });
    await using client = testClient({ allow: '127.0.0.2', allowHttp: true, lookup: lookupOf() });
    expect((await client.get(`http://mixed.example:${partner.port}/`)).status).toBe(200);
    expect((await client.get(`http://overridden.example:${partner.port}/`)).status).toBe(200);
  });

  it.each(['private.example', 'inside.example', 'loopback.example', 'localhost', 'a.localhost'])(
    'is refused where it is not: %s',
    async (name) => {
      await using client = testClient({ allow: '', lookup: lookupOf() });
      expect((await failureOf(client.get(`https://${name}/`))).reason).toBe('address_forbidden');
    },
  );
});
