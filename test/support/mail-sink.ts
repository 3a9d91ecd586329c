/** A real SMTP server that keeps what it is given. */
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from './tls.ts';

export interface ReceivedMail {
  from: string;
  to: string[];
  /** As it came over the line. */
  source: string;
}

export interface MailSink extends AsyncDisposable {
  /** Without login. */
  url: string;
  port: number;
  received: ReceivedMail[];
}

/**
 * @example
 * await using sink = await openMailSink();
 * await createMailSender({ url: sink.url, from: 'holdfast@example.org' }).send(mail);
 */
export async function openMailSink(options: SMTPServerOptions = {}): Promise<MailSink> {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    key: TEST_TLS_KEY,
    cert: TEST_TLS_CERTIFICATE,
    authOptional: true,
    disabledCommands: ['AUTH'],
    ...options,
    onData(stream, { envelope }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        received.push({ from, to, source: Buffer.concat(chunks).toString() });
        done();
      });
    },
  });
  // Clients that break off are part of tests.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.server.address() as AddressInfo;
  const scheme = options.secure === true ? 'smtps' : 'smtp';
  return {
    url: `${scheme}://localhost:${port}`,
    port,
    received,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** Headers of a mail by their names in lower case, unfolded, and its text decoded. */
export function readMail({ source }: ReceivedMail): { headers: Record<string, string>; text: string } {
  const [head = '', ...rest] = source.split('\r\n\r\n');
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = rest.join('\r\n\r\n');
  const encoding = headers['content-transfer-encoding'];
  return { headers, text: encoding === 'quoted-printable' ? fromQuotedPrintable(body) : body };
}

function fromQuotedPrintable(text: string): string {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
