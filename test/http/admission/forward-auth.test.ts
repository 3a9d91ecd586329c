import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GATEWAY_KEEP_ALIVE_MS } from '../../../src/http/admission/enforcement-point-caller.ts';
import type { KnownEnforcementPoint } from '../../../src/registry/participants/known-participants.ts';
import { certificateWith, NOW, PISP } from '../../support/admission.ts';
import {
  type AdmissionDoors,
  openAdmissionDoors,
  POINT,
  POINT_TOKEN,
  sha256,
  stateWith,
} from '../../support/admission-doors.ts';
import { certificate, ecKey, pem } from '../../support/certificates.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from '../../support/tls.ts';

const PATH = '/api/v1/admission/http';
const DER = certificate();
const CLIENT_CERT = `Client-Cert: :${DER.toString('base64')}:`;
const TOKEN = `Holdfast-Enforcement-Point: ${POINT_TOKEN}`;
const REGISTERED = certificateWith({ x5tS256: sha256(DER) });
const PARTICIPANTS = { certificates: [REGISTERED] };
const KNOWN = stateWith([POINT], PARTICIPANTS);

let doors: AdmissionDoors;
beforeAll(async () => {
  doors = await openAdmissionDoors(KNOWN);
});
afterAll(() => doors[Symbol.asyncDispose]());
beforeEach(() => {
  doors.state = KNOWN;
});

interface Said {
  status: number;
  headers: Record<string, string>;
  body: string;
}

function read(answer: string): Said {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 2),
  ]);
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(headers), body };
}

/** @param lines headers */
async function ask(lines: readonly string[], { method = 'GET', path = PATH, body = '' } = {}): Promise<Said> {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: holdfast', 'Connection: close', ...lines];
  return read(await doors.send(`${head.join('\r\n')}\r\n\r\n${body}`));
}

describe('[F41] the answer to a gateway', () => {
  it('tells who it is, in headers', async () => {
    const roles = [{ ...PISP, name: 'Zahlungsauslösung, EU' }, PISP];
    doors.state = stateWith([POINT], { ...PARTICIPANTS, roles });
    const { status, headers, body } = await ask([TOKEN, CLIENT_CERT]);
    expect({ status, body }).toEqual({ status: 200, body: '' });
    expect(headers).toMatchObject({
      'holdfast-participant': 'https://rp.example',
      'holdfast-application': 'application',
      'holdfast-organisation': 'organisation',
      'holdfast-on-behalf-of': '',
      'holdfast-roles': 'Zahlungsausl%C3%B6sung%2C%20EU,PISP',
      'holdfast-seq': '42',
      'holdfast-valid-until': new Date((NOW + 9) * 1000).toISOString(),
      'cache-control': 'no-store',
    });
  });

  it('is 401 without a certificate, and 403 with any that is not admitted', async () => {
    expect(await ask([TOKEN])).toMatchObject({ status: 401, headers: { 'holdfast-reason': 'certificate_missing' } });
    const unknown = `Client-Cert: :${certificate().toString('base64')}:`;
    expect(await ask([TOKEN, unknown])).toMatchObject({
      status: 403,
      headers: { 'holdfast-reason': 'unknown_participant', 'cache-control': 'no-store' },
    });
    doors.state = stateWith([POINT], { ...PARTICIPANTS, organisation: { state: 'suspended' } });
    expect(await ask([TOKEN, CLIENT_CERT])).toMatchObject({ status: 403, headers: { 'holdfast-reason': 'suspended' } });
  });

  it('is 403 where the state is too old, also without a certificate', async () => {
    doors.state = stateWith([POINT], { ...PARTICIPANTS, ageSeconds: 11 });
    for (const lines of [[TOKEN, CLIENT_CERT], [TOKEN]]) {
      const { status, headers } = await ask(lines);
      expect({ status, reasons: headers['holdfast-reason'] }).toEqual({
        status: 403,
        reasons: expect.stringContaining('state_stale'),
      });
    }
  });

  it('hears of the token, and of whom the gateway says it is for', async () => {
    const bearer = await ask([TOKEN, CLIENT_CERT, 'Authorization: bearer some.token']);
    expect(bearer).toMatchObject({ status: 403, headers: { 'holdfast-reason': 'token_unverifiable' } });
    expect(await ask([TOKEN, CLIENT_CERT, 'Authorization: Basic Zm9vOmJhcg=='])).toMatchObject({ status: 200 });
    expect(await ask([TOKEN, CLIENT_CERT, 'Holdfast-On-Behalf-Of: other'])).toMatchObject({
      status: 403,
      headers: { 'holdfast-reason': 'delegation_unknown' },
    });
    doors.state = stateWith([POINT], { ...PARTICIPANTS, application: { onBehalfOf: 'other' } });
    expect(await ask([TOKEN, CLIENT_CERT, 'Holdfast-On-Behalf-Of: other'])).toMatchObject({
      status: 200,
      headers: { 'holdfast-on-behalf-of': 'other' },
    });
  });

  it.each([
    'bearer',
    'Bearer\tsome.token',
    'DPoP\tsome.token',
    'Bearer,some.token',
    'Bearer  \tsome.token',
    'BEARER"x"',
  ])('takes %j for a token, not for none', async (value) => {
    const { status, headers } = await ask([TOKEN, CLIENT_CERT, `Authorization: ${value}`]);
    expect({ status, reason: headers['holdfast-reason'] }).toMatchObject({
      status: 403,
      reason: expect.stringContaining('token_'),
    });
  });

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'QUERY'])(
    'is the same for %s, at any path below',
    async (method) => {
      for (const path of [PATH, `${PATH}/`, `${PATH}/../accounts?a=%ff`, `http://other${PATH}/x`, `${PATH}?x`]) {
        expect((await ask([TOKEN, CLIENT_CERT], { method, path })).status).toBe(200);
        expect((await ask([TOKEN], { method, path })).status).toBe(401);
      }
    },
  );

  it('leaves the connection open for long to enforcement points alone', async () => {
    const idleFor = async (lines: readonly string[]) => {
      const idle = new Promise((resolve) => {
        doors.server.once('request', ({ socket }, outgoing) => {
          outgoing.once('finish', () => resolve(socket.timeout));
        });
      });
      const client = connect(doors.port, '127.0.0.1');
      client.write([`GET ${PATH} HTTP/1.1`, 'Host: holdfast', ...lines, '\r\n'].join('\r\n'));
      return await idle.finally(() => client.destroy());
    };
    expect(await idleFor([TOKEN, CLIENT_CERT])).toBe(GATEWAY_KEEP_ALIVE_MS);
    expect(await idleFor([CLIENT_CERT])).toBeLessThan(10_000);
  });

  it('waits for no body', async () => {
    expect(await ask([TOKEN, CLIENT_CERT, 'Content-Length: 9000000'], { method: 'POST' })).toMatchObject({
      status: 200,
    });
    expect(await ask([TOKEN, 'Transfer-Encoding: chunked'], { method: 'POST', body: 'ffff\r\nbegun' })).toMatchObject({
      status: 401,
    });
    expect(await ask([TOKEN, CLIENT_CERT, 'Expect: something'], { method: 'POST' })).toMatchObject({ status: 200 });
  });

  it('is for others at other paths', async () => {
    for (const path of [`${PATH}s`, '/api/v1/admission', '/']) expect((await ask([TOKEN], { path })).status).toBe(404);
  });

  it('is 403 and logged where something of ours fails', async () => {
    doors.state = {
      ...KNOWN,
      enforcementPointOfToken: () => {
        throw new Error('a fault of the test');
      },
    };
    expect(await ask([TOKEN, CLIENT_CERT])).toMatchObject({
      status: 403,
      headers: { 'holdfast-reason': 'internal_error' },
    });
    expect(doors.failures.splice(0)).toHaveLength(1);
  });
});

describe('[F41] certificates in headers', () => {
  const base64 = DER.toString('base64');
  const escaped = encodeURIComponent(pem(DER));
  const digest = Buffer.from(sha256(DER), 'base64url').toString('hex');
  it.each([
    ['rfc9440', `Client-Cert: :${base64}:`],
    ['nginx', `X-SSL-Client-Cert: ${escaped}`],
    ['xfcc', `X-Forwarded-Client-Cert: Hash=${digest};Cert="${escaped}"`],
    ['traefik', `X-Forwarded-Tls-Client-Cert: ${base64}`],
    ['caddy', `X-Ssl-Client-Cert: ${base64}`],
    ['apache', `X-SSL-Client-Cert: ${pem(DER).trim().replaceAll('\n', ' ')}`],
  ] as const)('are read in the form of the record alone: %s', async (form, line) => {
    const point = { ...POINT, certificateHeader: form };
    doors.state = stateWith([point], PARTICIPANTS);
    expect((await ask([TOKEN, line])).status).toBe(200);
    const twice = await ask([TOKEN, line, line]);
    expect(twice).toMatchObject({
      status: 403,
      headers: { 'holdfast-reason': 'certificate_malformed', 'holdfast-detail': 'header_repeated' },
    });
    const others = ['Client-Cert', 'X-SSL-Client-Cert', 'X-Forwarded-Client-Cert', 'X-Forwarded-Tls-Client-Cert'];
    const other = others.filter((name) => !line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    for (const name of other) {
      const { status, headers } = await ask([TOKEN, line, `${name}: :${base64}:`]);
      expect({ status, detail: headers['holdfast-detail'] }).toEqual({ status: 403, detail: 'header_contradictory' });
      // Nor does one in another's form count for a connection without any.
      expect((await ask([TOKEN, `${name}: :${base64}:`])).status).toBe(403);
    }
  });

  it('may be none in the way of Caddy', async () => {
    const line = 'X-Ssl-Client-Cert: {http.request.tls.client.certificate_der_base64}';
    doors.state = stateWith([{ ...POINT, certificateHeader: 'caddy' }], PARTICIPANTS);
    expect((await ask([TOKEN, line])).status).toBe(401);
    doors.state = stateWith([{ ...POINT, certificateHeader: 'nginx' }], PARTICIPANTS);
    expect((await ask([TOKEN, line])).status).toBe(403);
  });

  it('are refused where they are too long, or the headers are', async () => {
    expect((await ask([TOKEN, `Client-Cert: :${'A'.repeat(100_000)}:`])).status).toBe(403);
    expect((await ask([TOKEN, `Client-Cert: :${'A'.repeat(200_000)}:`])).status).toBe(403);
    expect((await ask([TOKEN, `X: ${'A'.repeat(200_000)}`, CLIENT_CERT])).status).toBe(403);
    const many = Array.from({ length: 1000 }, (_, index) => `X-${index}: 1`);
    expect((await ask([TOKEN, CLIENT_CERT, ...many.slice(10)])).status).toBe(200);
    expect((await ask([TOKEN, CLIENT_CERT, ...many])).status).toBe(403);
  });

  it('never make anything but 401 or 403 of what is wrong', async () => {
    const octets = fc
      .array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 })
      .map((codes) => String.fromCharCode(...codes));
    const name = fc.constantFrom(
      'Client-Cert',
      'Client-Cert-Chain',
      'X-SSL-Client-Cert',
      'X-Forwarded-Client-Cert',
      'X-Forwarded-Tls-Client-Cert',
      'Authorization',
      'Holdfast-Enforcement-Point',
      'Content-Length',
      'Transfer-Encoding',
      'X',
    );
    const value = fc.oneof(
      octets,
      fc.nat(base64.length - 1).map((length) => `:${base64.slice(0, length)}:`),
      fc.nat(escaped.length - 1).map((length) => escaped.slice(0, length)),
      fc.constantFrom(
        `:${base64}`,
        `${base64}:`,
        `:${base64};a=1:`,
        `:${base64}:, :${base64}:`,
        `"${base64}"`,
        ':::',
        '{}',
        '%',
        '%00',
        '(null)',
      ),
    );
    const forms = fc.constantFrom<KnownEnforcementPoint['certificateHeader']>(
      'rfc9440',
      'nginx',
      'xfcc',
      'traefik',
      'caddy',
      'apache',
    );
    await fc.assert(
      fc.asyncProperty(forms, fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 4 }), async (form, lines) => {
        doors.state = stateWith([{ ...POINT, certificateHeader: form }], PARTICIPANTS);
        const { status } = await ask([TOKEN, ...lines.map(([key, text]) => `${key}: ${text}`)]);
        expect([401, 403]).toContain(status);
      }),
      { numRuns: 300 },
    );
    expect(doors.failures).toEqual([]);
  });
});

describe('[F41] who asks', () => {
  const key = ecKey();
  const pointCertificate = certificate({ key });
  const privateKey = key.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const mtlsPoint: KnownEnforcementPoint = {
    ...POINT,
    id: 'mtls',
    tokenDigest: null,
    clientX5tS256: sha256(pointCertificate),
  };
  const bothPoint: KnownEnforcementPoint = { ...mtlsPoint, id: 'both', tokenDigest: sha256(POINT_TOKEN) };
  const strangerKey = ecKey();
  const identity = { cert: pem(pointCertificate), key: privateKey };
  const stranger = {
    cert: pem(certificate({ key: strangerKey })),
    key: strangerKey.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
  const expired = {
    cert: pem(certificate({ key, notAfter: '260201000000Z' })),
    key: privateKey,
  };
  const request = (...lines: string[]) =>
    `${[`GET ${PATH} HTTP/1.1`, 'Host: holdfast', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`;
  let mtls: AdmissionDoors;

  beforeAll(async () => {
    const tls = { cert: Buffer.from(TEST_TLS_CERTIFICATE), key: Buffer.from(TEST_TLS_KEY), requestCert: true };
    mtls = await openAdmissionDoors(KNOWN, { tls });
  });
  afterAll(() => mtls[Symbol.asyncDispose]());

  const NOBODY = { status: 401, headers: { 'holdfast-reason': 'enforcement_point_unknown' } };

  it('is nobody without the one right token of an active point', async () => {
    for (const lines of [
      [],
      ['Holdfast-Enforcement-Point: hfep_other'],
      [TOKEN, TOKEN],
      [`${TOKEN}x`],
      ['X-Forwarded-For: 127.0.0.1'],
    ]) {
      expect(await ask([...lines, CLIENT_CERT])).toMatchObject(NOBODY);
    }
    doors.state = stateWith([{ ...POINT, state: 'suspended' }], PARTICIPANTS);
    expect(await ask([TOKEN, CLIENT_CERT])).toMatchObject(NOBODY);
  });

  it('is known by the certificate of its connection, a resumed one too', async () => {
    mtls.state = stateWith([mtlsPoint], PARTICIPANTS);
    expect(read(await mtls.send(request(CLIENT_CERT), identity)).status).toBe(200);
    for (const tls of [{}, stranger]) expect(read(await mtls.send(request(CLIENT_CERT), tls))).toMatchObject(NOBODY);
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const sessions: Buffer[] = [];
      const options = { ...identity, minVersion: version, maxVersion: version };
      const first = connectTls({ host: '127.0.0.1', port: mtls.port, rejectUnauthorized: false, ...options });
      first.on('session', (session) => sessions.push(session));
      first.write(request(CLIENT_CERT));
      await first.resume().toArray();
      expect(sessions.length).toBeGreaterThan(0);
      const resumed = { minVersion: version, maxVersion: version, session: sessions.at(-1) };
      expect(read(await mtls.send(request(CLIENT_CERT), resumed)).status).toBe(200);
    }
  });

  it('is nobody with a certificate that has ended', async () => {
    const x5tS256 = sha256(certificate({ key, notAfter: '260201000000Z' }));
    mtls.state = stateWith([{ ...mtlsPoint, clientX5tS256: x5tS256 }], PARTICIPANTS);
    expect(read(await mtls.send(request(CLIENT_CERT), expired))).toMatchObject(NOBODY);
  });

  it('needs both where its record has both: a token that another replays is worth nothing', async () => {
    mtls.state = stateWith([bothPoint], PARTICIPANTS);
    expect(read(await mtls.send(request(TOKEN, CLIENT_CERT), identity)).status).toBe(200);
    expect(read(await mtls.send(request(CLIENT_CERT), identity))).toMatchObject(NOBODY);
    for (const tls of [{}, stranger]) {
      expect(read(await mtls.send(request(TOKEN, CLIENT_CERT), tls))).toMatchObject(NOBODY);
    }
    doors.state = mtls.state;
    expect(await ask([TOKEN, CLIENT_CERT])).toMatchObject(NOBODY);
  });

  it('is the point of the token, whoever recorded the certificate that it happens to connect with', async () => {
    const squatter = { ...bothPoint, id: 'squatter', authorityId: 'other', tokenDigest: sha256('hfep_other') };
    for (const points of [
      [mtlsPoint, POINT],
      [POINT, squatter],
    ]) {
      mtls.state = stateWith(points, PARTICIPANTS);
      for (const tls of [identity, stranger]) {
        expect(read(await mtls.send(request(TOKEN, CLIENT_CERT), tls)).status).toBe(200);
      }
    }
    // Where the certificate alone is to say who asks, one that is recorded beside a token takes nothing away.
    mtls.state = stateWith([mtlsPoint, squatter], PARTICIPANTS);
    expect(read(await mtls.send(request(CLIENT_CERT), identity)).status).toBe(200);
    mtls.state = stateWith([squatter], PARTICIPANTS);
    expect(read(await mtls.send(request(CLIENT_CERT), identity))).toMatchObject(NOBODY);
  });

  it('is known by the UNIX socket that is its own', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-doors-'));
    try {
      const socket = { path: join(folder, 'point.sock'), enforcementPointId: POINT.id };
      const other = { ...POINT, id: 'other', tokenDigest: sha256('hfep_other') };
      await using open = await openAdmissionDoors(stateWith([POINT, other], PARTICIPANTS), { socket });
      expect(read(await open.send(request(CLIENT_CERT))).status).toBe(200);
      expect(read(await open.send(request(TOKEN, CLIENT_CERT))).status).toBe(200);
      expect(read(await open.send(request('Holdfast-Enforcement-Point: hfep_other', CLIENT_CERT)))).toMatchObject(
        NOBODY,
      );
      open.state = stateWith([{ ...POINT, state: 'suspended' }], PARTICIPANTS);
      expect(read(await open.send(request(CLIENT_CERT)))).toMatchObject(NOBODY);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('[F41] what is no request', () => {
  it.each([
    ['CONNECT', 'CONNECT api.example:443 HTTP/1.1\r\nHost: api.example\r\n\r\n'],
    ['a header with a control character', `GET ${PATH} HTTP/1.1\r\nHost: h\r\nX: a\u0001b\r\n\r\n`],
    ['two lengths', `POST ${PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`],
    ['a folded header', `GET ${PATH}/x HTTP/1.1\r\nHost: h\r\nClient-Cert\r\n :AAAA:\r\n\r\n`],
    ['another method', `FORGED ${PATH}/x HTTP/1.1\r\nHost: h\r\n\r\n`],
  ])('is 403: %s', async (_, request) => {
    expect(read(await doors.send(request))).toMatchObject({
      status: 403,
      headers: { 'holdfast-reason': 'request_unreadable' },
    });
  });

  it('is 400 where nobody asks for admission', async () => {
    expect(read(await doors.send('GET /x HTTP/1.1\r\nHost: h\r\nX: a\u0001b\r\n\r\n')).status).toBe(400);
  });
});
