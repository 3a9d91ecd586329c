/** Servers that hang, drip, break off, lie about types or answer with floods, on the only way and beside good ones. @see OIDFED §9, §10.5, §18.1 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { EntitySettings } from '../support/federation.ts';
import type { CannedResponse, FederationServer } from '../support/federation-server.ts';
import { expectOutcome } from '../support/hostile-federation.ts';
import { httpResponse } from '../support/raw-server.ts';

const STATEMENT = { 'Content-Type': 'application/entity-statement+jwt' };
/** Enough for good answers on a busy machine, and little to wait for where none comes. */
const TIMEOUT_MS = 700;
const DRIP_MS = 20;
/** A gibibyte would take too long to make; these ten mebibytes pack into ten kibibytes. */
const BOMB = gzipSync('x'.repeat(10 * 1024 * 1024));

/** A way to answer badly, and what a resolver makes of it. */
interface BadServer {
  title: string;
  answer: CannedResponse | RequestListener;
  verdict: 'temporarily_unavailable' | 'invalid_trust_chain';
  /** Reason and section of the attempt. */
  refused: string;
}

const SILENCE: BadServer[] = [
  temporary('never answers', { neverAnswers: true }, 'timed_out (§10.5)'),
  temporary(
    'sends its headers byte by byte',
    (_, response) => drip(response, 'HTTP/1.1 200 OK\r\nX-Filler: '),
    'timed_out (§10.5)',
  ),
  temporary(
    'sends its body byte by byte',
    (_, response) => drip(response, `HTTP/1.1 200 OK\r\nContent-Type: ${STATEMENT['Content-Type']}\r\n\r\n`),
    'timed_out (§10.5)',
  ),
  temporary(
    'promises more than it sends',
    (_, response) => {
      response.writeHead(200, { ...STATEMENT, 'Content-Length': '1000' });
      response.write('eyJ');
    },
    'timed_out (§10.5)',
  ),
  temporary(
    'sends interim responses for ever',
    (_, response) => drip(response, '', 'HTTP/1.1 103 Early\r\n\r\n'),
    'timed_out (§10.5)',
  ),
];

const BREAKAGE: BadServer[] = [
  temporary('closes the connection at once', ({ socket }) => socket.destroy(), 'connection_failed (§10.5)'),
  temporary('resets the connection', ({ socket }) => socket.resetAndDestroy(), 'connection_failed (§10.5)'),
  temporary('breaks off in its headers', raw('HTTP/1.1 200 OK\r\nContent-Ty'), 'connection_failed (§10.5)'),
  temporary(
    'breaks off in its body',
    raw('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\neyJ'),
    'connection_failed (§10.5)',
  ),
  temporary(
    'breaks off between chunks',
    raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\neyJ\r\n'),
    'connection_failed (§10.5)',
  ),
  temporary('speaks no HTTP', raw('SSH-2.0-OpenSSH_9.9\r\n'), 'connection_failed (§10.5)'),
  temporary(
    'gives two lengths',
    raw('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'),
    'connection_failed (§10.5)',
  ),
  temporary(
    'gives chunks that are no chunks',
    raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
    'connection_failed (§10.5)',
  ),
];

const STATUSES: BadServer[] = [
  temporary('answers 500', { status: 500 }, 'server_unavailable (§10.5)'),
  temporary(
    'answers 503 with a Retry-After of a year',
    { status: 503, headers: { 'Retry-After': '31536000' } },
    'server_unavailable (§10.5)',
  ),
  temporary('answers 429', { status: 429 }, 'server_unavailable (§10.5)'),
  final('answers 400', { status: 400 }, 'http_status_unexpected (§9.2)'),
  final('answers 401', { status: 401, headers: { 'WWW-Authenticate': 'Basic' } }, 'http_status_unexpected (§9.2)'),
  final('answers 204', { status: 204, body: '' }, 'http_status_unexpected (§9.2)'),
  final('answers 206', { status: 206 }, 'http_status_unexpected (§9.2)'),
  final(
    '[OIDFED-9-5] redirects to the right place',
    ({ url = '' }, response) => response.writeHead(302, { Location: `${url}#again` }).end(),
    'redirect_refused (§9)',
  ),
  final(
    '[OIDFED-9-5] redirects to the metadata service of a cloud',
    { status: 307, headers: { Location: 'http://169.254.169.254/latest' }, body: '' },
    'redirect_refused (§9)',
  ),
];

const BODIES: BadServer[] = [
  final(
    '[OIDFED-9-3] answers with a page',
    { headers: { 'Content-Type': 'text/html' }, body: '<html>' },
    'content_type_unexpected (§9.2)',
  ),
  final(
    '[OIDFED-9-3] calls a statement JSON',
    { headers: { 'Content-Type': 'application/json' } },
    'content_type_unexpected (§9.2)',
  ),
  final('[OIDFED-9-3] gives no media type', { headers: {} }, 'content_type_unexpected (§9.2)'),
  final('calls a page a statement', { headers: STATEMENT, body: '<html>' }, 'jwt_malformed (§1.1)'),
  final('answers with nothing', { headers: STATEMENT, body: '' }, 'jwt_malformed (§1.1)'),
  final(
    'promises a gigabyte',
    raw('HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n'),
    'response_too_large (§18.1)',
  ),
  final('[OIDFED-18.1-1] sends without end', flood, 'response_too_large (§18.1)'),
  final(
    'sends a gzip bomb',
    { headers: { ...STATEMENT, 'Content-Encoding': 'gzip' }, body: BOMB },
    'content_type_unexpected (§9.2)',
  ),
  final(
    'sends a gzip bomb in two layers',
    { headers: { ...STATEMENT, 'Content-Encoding': 'gzip, gzip' }, body: gzipSync(BOMB) },
    'content_type_unexpected (§9.2)',
  ),
  final('sends a gzip bomb and does not say so', { headers: STATEMENT, body: BOMB }, 'jwt_malformed (§1.1)'),
  final('sends headers without end', endlessHeaders, 'response_too_large (§18.1)'),
];

describe.each([
  ['servers that keep silent', SILENCE],
  ['servers that break off', BREAKAGE],
  ['servers that answer with the wrong status', STATUSES],
  ['servers that answer with the wrong body', BODIES],
] as const)('%s', (_, servers) => {
  it.each(servers)('one that $title on the only way', async ({ title, answer, verdict, refused }) => {
    const end = (place: string): string[] => [verdict, `op bad: ${refused} at ${place}`];
    const limits = { timeoutMs: TIMEOUT_MS };
    await expectOutcome({
      title,
      entities: withSuperiors(['bad']),
      limits,
      tamper: (server) => server.override(server.configurationUrl('bad'), answer),
      outcome: end('Entity Configuration'),
    });
    await expectOutcome({
      title,
      entities: withSuperiors(['bad']),
      limits,
      tamper: (server) => server.override(server.fetchUrl('bad', 'op'), answer),
      outcome: end('Subordinate Statement'),
    });
  });

  it.each(servers)('five that $title beside a good one', async ({ title, answer }) => {
    const five = ['bad', 'bad2', 'bad3', 'bad4', 'bad5'];
    await expectOutcome({
      title,
      entities: withSuperiors([...five, 'good']),
      limits: { timeoutMs: TIMEOUT_MS },
      tamper: (server) => {
        for (const name of five) server.override(server.configurationUrl(name), answer);
      },
      outcome: ['resolved over op good anchor'],
    });
  });
});

describe('bad servers together', () => {
  it('five superiors that are bad in ways of their own, before a good one', async () => {
    const titles = [
      'never answers',
      'resets the connection',
      'answers with a page',
      'sends a gzip bomb',
      'answers 500',
    ];
    const answers = titles.map(badServer);
    await expectOutcome({
      title: 'five bad superiors',
      entities: withSuperiors(['bad', 'bad2', 'bad3', 'bad4', 'bad5', 'good']),
      limits: { timeoutMs: TIMEOUT_MS },
      tamper: (server) => {
        answers.forEach((answer, index) => {
          server.override(server.configurationUrl(`bad${index === 0 ? '' : index + 1}`), answer);
        });
      },
      outcome: ['resolved over op good anchor'],
    });
  });

  it('forty superiors that never answer before the good one on their host', async () => {
    const silent = Array.from({ length: 40 }, (_, index) => `silent${index}`);
    await expectOutcome({
      title: 'silent neighbours',
      entities: {
        ...withSuperiors([...silent, 'good']),
        ...Object.fromEntries(silent.map((name) => [name, { superiors: ['anchor'] }])),
      },
      limits: { timeoutMs: 4000 },
      tamper: (server) => {
        for (const name of silent) server.override(server.configurationUrl(name), { neverAnswers: true });
      },
      outcome: ['resolved over op good anchor'],
    });
  });

  it('a way up of which every answer takes its time', async () => {
    await expectOutcome({
      title: 'slow answers',
      entities: withSuperiors(['good']),
      tamper: (server) => {
        for (const name of ['op', 'good', 'anchor']) server.override(server.configurationUrl(name), { delayMs: 100 });
      },
      outcome: ['resolved over op good anchor'],
    });
  });

  it('[OIDFED-9-3] a media type with parameters, in any case', async () => {
    await expectOutcome({
      title: 'parameters',
      entities: withSuperiors(['good']),
      tamper: (server) => {
        const headers = { 'Content-Type': 'Application/Entity-Statement+JWT ; charset="utf-8"; q=1' };
        server.override(server.configurationUrl('good'), { headers });
      },
      outcome: ['resolved over op good anchor'],
    });
  });

  it('[OIDFED-9-5] follows no redirect', async () => {
    let trapped = 0;
    await expectOutcome({
      title: 'a trap',
      entities: withSuperiors(['bad', 'good']),
      tamper: (server: FederationServer) => {
        server.override(server.configurationUrl('bad'), {
          status: 301,
          headers: { Location: `${server.origin}/trap` },
        });
        server.override(`${server.origin}/trap`, () => {
          trapped++;
        });
      },
      outcome: ['resolved over op good anchor'],
    });
    expect(trapped).toBe(0);
  });
});

function temporary(title: string, answer: BadServer['answer'], refused: string): BadServer {
  return { title, answer, verdict: 'temporarily_unavailable', refused };
}

function final(title: string, answer: BadServer['answer'], refused: string): BadServer {
  return { title, answer, verdict: 'invalid_trust_chain', refused };
}

function badServer(title: string): BadServer['answer'] {
  const found = [...SILENCE, ...BREAKAGE, ...STATUSES, ...BODIES].find((bad) => bad.title.endsWith(title));
  if (found === undefined) throw new Error(`no server ${title}`);
  return found.answer;
}

function withSuperiors(superiors: string[]): Record<string, EntitySettings> {
  const intermediates = superiors.map((name) => [name, { superiors: ['anchor'] }] as const);
  return { anchor: {}, ...Object.fromEntries(intermediates), op: { superiors } };
}

/** Sends this text instead of a response, and closes. */
function raw(text: string): RequestListener {
  return ({ socket }: IncomingMessage) => socket.end(text);
}

/** Begins with some text, then goes on in small pieces until the other side has had enough. */
function drip({ socket }: ServerResponse, beginning: string, piece = 'x'): void {
  socket?.write(beginning);
  const timer = setInterval(() => socket?.write(piece), DRIP_MS);
  socket?.once('close', () => clearInterval(timer));
}

/** Sends as much as the other side takes. */
function flood(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, STATEMENT);
  const chunk = 'x'.repeat(64 * 1024);
  const pour = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', pour);
  pour();
}

function endlessHeaders({ socket }: IncomingMessage): void {
  const line = `X-Filler: ${'x'.repeat(4096)}\r\n`;
  socket.write(httpResponse(200).split('\r\n').slice(0, 1).join('').concat('\r\n'));
  const pour = (): void => {
    while (!socket.destroyed && socket.write(line));
  };
  socket.on('drain', pour);
  pour();
}
