import { describe, expect, it } from 'vitest';
import { parseOutboundAllow } from '../../src/outbound/address-rules.ts';
import { createOutboundClient } from '../../src/outbound/outbound-client.ts';
import { failureOf, scriptedLookup, testClient } from '../support/outbound.ts';
import { httpResponse, type RawAnswer, serveRaw } from '../support/raw-server.ts';
import { TEST_TLS_CERTIFICATE } from '../support/tls.ts';

// 127.0.0.2 plays the partner's public address and 127.0.0.1 an internal one: only the former is allowed.
const PUBLIC = '127.0.0.2';
const INTERNAL = '127.0.0.1';
const answerAndClose: RawAnswer = (socket) => socket.end(httpResponse(200, { connection: 'close' }, 'x'));

describe('URLs', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '127.0.0.1.',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '%31%32%37.0.0.1',
    '①②⑦.0.0.1',
    '0',
    '10.0.0.1',
    '169.254.169.254',
    '0xa9fea9fe',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '168.63.129.16',
    '[fe80::1]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::7f00:1]',
    '[64:ff9b:1::808:808]',
  ])('F53 refuses the address %s without asking DNS or connecting', async (host) => {
    await using server = await serveRaw(answerAndClose);
    const lookup = scriptedLookup([INTERNAL]);
    await using client = testClient({ allow: '', allowHttp: true, lookup });
    for (const scheme of ['http', 'https']) {
      const failure = await failureOf(client.get(`${scheme}://${host}:${server.port}/`));
      expect(failure.reason).toBe('address_forbidden');
      expect(failure.message).toContain('HOLDFAST_OUTBOUND_ALLOW');
    }
    expect(lookup.names).toEqual([]);
    expect(server.connections).toBe(0);
  });

  it.each([
    ['https://[fe80::1%25eth0]/', 'not a URL'],
    ['https://[fe80::1%eth0]/', 'not a URL'],
    ['partner.example', 'not a URL'],
    ['', 'not a URL'],
    ['ftp://partner.example/', 'scheme ftp: is refused'],
    ['file:///etc/passwd', 'scheme file: is refused'],
    ['data:text/plain,x', 'scheme data: is refused'],
    ['https://user@partner.example/', 'contains user info'],
    ['https://user:secret@partner.example/', 'contains user info'],
    ['https://:secret@partner.example/', 'contains user info'],
    ['http://partner.example/', 'http is refused for partner.example'],
    ['http://localhost.partner.example/', 'http is refused'],
    ['http://93.184.216.34/', 'http is refused'],
    ['http://10.0.0.1/', 'http is refused'],
  ])('refuses %s: %s', async (url, complaint) => {
    const lookup = scriptedLookup([INTERNAL]);
    await using client = testClient({ lookup });
    const failure = await failureOf(client.get(url));
    expect(failure.reason).toBe('address_forbidden');
    expect(failure.message).toContain(complaint);
    expect(failure.message).not.toContain('secret');
    expect(lookup.names).toEqual([]);
  });

  it('accepts http for a host beyond loopback when the operator allows http', async () => {
    await using server = await serveRaw(answerAndClose);
    await using client = testClient({ allowHttp: true, lookup: scriptedLookup([INTERNAL]) });
    expect((await client.get(`http://partner.example:${server.port}/`)).status).toBe(200);
  });

  it('accepts http for localhost only as long as it resolves to loopback', async () => {
    await using client = testClient({ allow: 'localhost', lookup: scriptedLookup(['93.184.216.34', '10.0.0.1']) });
    const failure = await failureOf(client.get('http://localhost/'));
    expect(failure.reason).toBe('address_forbidden');
    expect(failure.message).toContain('not loopback, as http demands');
  });
});

describe('name resolution', () => {
  it.each([
    '127.0.0.1',
    '::1',
    '10.0.0.1',
    '169.254.169.254',
    'fd00:ec2::254',
    '::ffff:127.0.0.1',
    '0.0.0.0',
    '100.64.0.1',
    'fe80::1%lo',
    'not an address',
  ])('F53 refuses a name that resolves to %s', async (address) => {
    await using server = await serveRaw(answerAndClose);
    await using client = testClient({ allow: '', lookup: scriptedLookup([address]) });
    const failure = await failureOf(client.get(`https://partner.example:${server.port}/`));
    expect(failure.reason).toBe('address_forbidden');
    expect(failure.message).toContain(`partner.example has no address that may be contacted: ${address} (`);
    expect(server.connections).toBe(0);
  });

  it('F53 refuses a name that moves to an internal address after a first, innocent answer', async () => {
    await using partner = await serveRaw(answerAndClose, { address: PUBLIC });
    await using internal = await serveRaw(answerAndClose, { address: INTERNAL, port: partner.port });
    const lookup = scriptedLookup([PUBLIC], [INTERNAL]);
    await using client = testClient({ allow: PUBLIC, allowHttp: true, lookup });
    const url = `http://partner.example:${partner.port}/`;
    expect((await client.get(url)).status).toBe(200);
    await partner.allClosed();
    expect((await failureOf(client.get(url))).reason).toBe('address_forbidden');
    expect(lookup.names.length).toBe(2);
    expect([partner.connections, internal.connections]).toEqual([1, 0]);
  });

  it('F53 resolves once a connection, so that check and use cannot see different answers', async () => {
    await using partner = await serveRaw(answerAndClose, { address: PUBLIC });
    await using internal = await serveRaw(answerAndClose, { address: INTERNAL, port: partner.port });
    let reads = 0;
    const shifty = {
      get address() {
        return reads++ === 0 ? PUBLIC : INTERNAL;
      },
    };
    await using client = testClient({ allow: PUBLIC, allowHttp: true, lookup: async () => [shifty] });
    expect((await client.get(`http://partner.example:${partner.port}/`)).status).toBe(200);
    expect([partner.connections, internal.connections]).toEqual([1, 0]);
  });

  it('sends nothing where the connection leads to another address than the one checked', async () => {
    // The kernel takes 0.0.0.0 for this machine: the connection arrives at 127.0.0.1.
    await using internal = await serveRaw(answerAndClose, { address: INTERNAL });
    await using client = testClient({ allow: '0.0.0.0', allowHttp: true, lookup: scriptedLookup(['0.0.0.0']) });
    for (const scheme of ['http', 'https']) {
      const failure = await failureOf(client.get(`${scheme}://partner.example:${internal.port}/`));
      expect(failure.reason).toBe('address_forbidden');
      expect(failure.message).toContain('127.0.0.1 (loopback)');
    }
    await internal.allClosed();
    expect([internal.connections, internal.bytesReceived]).toEqual([2, 0]);
  });

  it('uses only the allowed addresses of a mixed answer', async () => {
    await using partner = await serveRaw(answerAndClose, { address: PUBLIC });
    await using internal = await serveRaw(answerAndClose, { address: INTERNAL, port: partner.port });
    const lookup = scriptedLookup([INTERNAL, '10.0.0.1', PUBLIC, '::1']);
    await using client = testClient({ allow: PUBLIC, allowHttp: true, lookup });
    expect((await client.get(`http://partner.example:${partner.port}/`)).status).toBe(200);
    expect([partner.connections, internal.connections]).toEqual([1, 0]);
  });

  it('does not fall back to a forbidden address when the allowed one fails', async () => {
    await using internal = await serveRaw(answerAndClose, { address: INTERNAL });
    const lookup = scriptedLookup([PUBLIC, INTERNAL]);
    await using client = testClient({ allow: PUBLIC, allowHttp: true, lookup });
    const failure = await failureOf(client.get(`http://partner.example:${internal.port}/`));
    expect(failure.reason).toBe('connection_failed');
    expect(internal.connections).toBe(0);
  });

  it('tries the next allowed address when one refuses the connection', async () => {
    await using server = await serveRaw(answerAndClose, { address: INTERNAL });
    await using client = testClient({ allowHttp: true, lookup: scriptedLookup([PUBLIC, '127.0.0.3', INTERNAL]) });
    expect((await client.get(`http://partner.example:${server.port}/`)).status).toBe(200);
  });

  it('asks the system by default', async () => {
    await using server = await serveRaw(answerAndClose);
    await using client = testClient({ allow: 'localhost' });
    expect((await client.get(`http://localhost:${server.port}/`)).status).toBe(200);
  });

  it('reports a name that does not resolve, and one without addresses', async () => {
    const notFound = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    await using failing = testClient({ lookup: () => Promise.reject(notFound) });
    const failure = await failureOf(failing.get('https://partner.example/'));
    expect(failure.reason).toBe('connection_failed');
    expect(failure.message).toContain('ENOTFOUND');
    await using empty = testClient({ lookup: scriptedLookup([]) });
    expect((await failureOf(empty.get('https://partner.example/'))).reason).toBe('connection_failed');
  });

  it('refuses each of many waiting requests at once', async () => {
    await using client = testClient({ allow: '', maxConnectionsPerHost: 1, lookup: scriptedLookup([INTERNAL]) });
    const failures = await Promise.all(
      Array.from({ length: 20 }, () => failureOf(client.get('https://partner.example/'))),
    );
    expect(new Set(failures.map(({ reason }) => reason))).toEqual(new Set(['address_forbidden']));
  });
});

describe('the allow list', () => {
  it.each([
    ['a host name', 'partner.example', 'partner.example'],
    ['a wildcard', '*.partner.example', 'a.partner.example'],
    ['an address', '127.0.0.1', 'partner.example'],
    ['a network', '127.0.0.0/8', 'partner.example'],
  ])('opens the way by %s', async (_kind, allow, host) => {
    await using server = await serveRaw(answerAndClose, { tls: true });
    const lookup = scriptedLookup([INTERNAL]);
    await using client = testClient({ allow, lookup, extraCas: [TEST_TLS_CERTIFICATE] });
    expect((await client.get(`https://${host}:${server.port}/`)).status).toBe(200);
  });

  it.each([
    ['another host name', 'other.example'],
    ['a wildcard above other names', '*.partner.example'],
    ['another address', '127.0.0.2'],
    ['another network', '10.0.0.0/8'],
    ['an address of the other family', '::1'],
  ])('keeps it closed for %s', async (_kind, allow) => {
    await using server = await serveRaw(answerAndClose, { tls: true });
    const lookup = scriptedLookup([INTERNAL]);
    await using client = testClient({ allow, lookup, extraCas: [TEST_TLS_CERTIFICATE] });
    const failure = await failureOf(client.get(`https://partner.example:${server.port}/`));
    expect(failure.reason).toBe('address_forbidden');
    expect(server.connections).toBe(0);
  });

  it('does not let an allowed name open its address to a literal', async () => {
    await using server = await serveRaw(answerAndClose);
    await using client = testClient({ allow: 'localhost' });
    const failure = await failureOf(client.get(`http://127.0.0.1:${server.port}/`));
    expect(failure.reason).toBe('address_forbidden');
    expect(server.connections).toBe(0);
  });
});

describe('two lists', () => {
  it('let the operator name a destination that participants may not name, and say which setting would', async () => {
    await using server = await serveRaw(answerAndClose);
    const options = { allowHttp: false, userAgent: 'holdfast/test', timeoutMs: 5000 };
    await using participants = createOutboundClient({ ...options, allow: parseOutboundAllow('') });
    await using operator = createOutboundClient({ ...options, allow: parseOutboundAllow('127.0.0.1', 'signInUrl') });
    const url = `http://127.0.0.1:${server.port}/`;
    expect((await operator.get(url)).status).toBe(200);
    expect((await failureOf(participants.get(url))).message).toContain('; HOLDFAST_OUTBOUND_ALLOW can allow it');
    expect((await failureOf(operator.get('http://127.0.0.2/'))).message).toContain('; signInUrl can allow it');
    expect(server.connections).toBe(1);
  });

  it('complain about a bad entry in the name of their setting', () => {
    expect(() => parseOutboundAllow('https://a.example', 'signInUrl')).toThrow(/^signInUrl: entry "https:/);
  });
});
