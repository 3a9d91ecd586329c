/** Sends mails through the relay that the operator names. What participants wrote is text in them, never a header. */
import { rootCertificates } from 'node:tls';
import { createTransport } from 'nodemailer';
import { isLoopbackHost } from '../federation/identifiers.ts';

export interface Mail {
  /** Part of its Message-ID: whoever gets it twice can tell. */
  id: string;
  /** A single address. */
  to: string;
  subject: string;
  text: string;
  date: Date;
}

export interface MailSender extends AsyncDisposable {
  /**
   * Resolves when the relay took it.
   * @throws UnsendableMail when no attempt can do better; anything else may be tried again
   */
  send(mail: Mail): Promise<void>;
}

export interface MailSenderOptions {
  /**
   * `smtps://user:password@relay.example.org` is encrypted from the first byte, `smtp://` by STARTTLS, which the relay
   * then must offer unless it is on this machine or `?tls=off` says that the way there is safe.
   */
  url: string;
  /** A single address: of the sender, of the envelope too. */
  from: string;
  /** PEM certificates trusted in addition to those that Node trusts. */
  extraCas?: readonly string[];
  /** For each of connecting, the greeting, and every silence after it. */
  timeoutMs?: number;
}

/** The relay refused it for good, or it is no mail that can be sent. */
export class UnsendableMail extends Error {
  override readonly name = 'UnsendableMail';
}

const DEFAULT_TIMEOUT_MS = 20_000;
const SMTPS_PORT = 465;
const SUBMISSION_PORT = 587;

export function createMailSender({ url, from, extraCas = [], timeoutMs }: MailSenderOptions): MailSender {
  requireAddress(from, 'the sender');
  const transport = createTransport({
    ...relayOf(url, extraCas),
    connectionTimeout: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    greetingTimeout: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    socketTimeout: timeoutMs ?? DEFAULT_TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    async send({ id, to, subject, text, date }) {
      requireAddress(to, 'the recipient');
      requireLine(subject);
      requireLine(id);
      try {
        await transport.sendMail({
          from: { name: '', address: from },
          to: { name: '', address: to },
          envelope: { from, to: [to] },
          ...{ subject, text, date, messageId: `<${id}@${domain}>` },
          // Nobody's holiday answers it (RFC 3834 §5).
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
      } catch (error) {
        throw isRefusedForGood(error) ? new UnsendableMail(messageOf(error), { cause: error }) : error;
      }
    },
    async [Symbol.asyncDispose]() {
      transport.close();
    },
  };
}

function relayOf(url: string, extraCas: readonly string[]) {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url);
  const secure = protocol === 'smtps:';
  const isWaySafe = isLoopbackHost(hostname) || searchParams.get('tls') === 'off';
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? SMTPS_PORT : SUBMISSION_PORT) : Number(port),
    secure,
    requireTLS: !secure && !isWaySafe,
    ...(searchParams.get('tls') === 'off' && { ignoreTLS: true }),
    ...(username !== '' && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    ...(extraCas.length > 0 && { tls: { ca: [...rootCertificates, ...extraCas] } }),
  };
}

/** One mailbox and nothing around it: no list, no name, no comment, no second line. */
const ADDRESS = /^[^\s@<>()[\],;:\\"\p{Cc}]+@[^\s@<>()[\],;:\\"\p{Cc}]+$/u;

function requireAddress(address: string, whose: string): void {
  if (!ADDRESS.test(address)) throw new UnsendableMail(`${whose} is not a single mail address`);
}

const SEVERAL_LINES = /[\p{Cc}\u2028\u2029]/u;

function requireLine(text: string): void {
  if (SEVERAL_LINES.test(text)) throw new UnsendableMail('the subject is not one line of text');
}

/** Answers from 500 on (RFC 5321 §4.2.1), but to a login, which an operator mends. */
function isRefusedForGood(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error) || typeof error.responseCode !== 'number') return false;
  const isLogin = 'code' in error && error.code === 'EAUTH';
  return error.responseCode >= 500 && !isLogin;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
