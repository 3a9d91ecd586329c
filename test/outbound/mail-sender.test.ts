import { describe, expect, it } from 'vitest';
import { createMailSender, type Mail, UnsendableMail } from '../../src/outbound/mail-sender.ts';
import { openMailSink, readMail } from '../support/mail-sink.ts';
import { TEST_TLS_CERTIFICATE } from '../support/tls.ts';

const FROM = 'directory@federation.example';

const mail = (changes: Partial<Mail> = {}): Mail => ({
  id: '01a3185c-5108-7000-8ea0-0b5a1122f822',
  to: 'duty@bank.example',
  subject: 'Please confirm: incident contact of Bänk Ltd',
  text: 'Für Sie.\n\n.\nEnd\n',
  date: new Date('2027-01-15T08:00:00Z'),
  ...changes,
});

async function refusalOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'sent',
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  );
}

describe('F08 a mail', () => {
  it('F08 arrives as it was written, with a Message-ID of its own and no answer from machines', async () => {
    await using sink = await openMailSink();
    await using sender = createMailSender({ url: sink.url, from: FROM, extraCas: [TEST_TLS_CERTIFICATE] });
    await sender.send(mail());
    const [received] = sink.received;
    expect(received).toMatchObject({ from: FROM, to: ['duty@bank.example'] });
    const { headers, text } = readMail(received ?? { from: '', to: [], source: '' });
    expect(headers).toMatchObject({
      from: FROM,
      to: 'duty@bank.example',
      'message-id': '<01a3185c-5108-7000-8ea0-0b5a1122f822@federation.example>',
      'auto-submitted': 'auto-generated',
      date: 'Fri, 15 Jan 2027 08:00:00 +0000',
    });
    expect(text.replaceAll('\r\n', '\n')).toBe('Für Sie.\n\n.\nEnd\n');
  });

  it.each([
    ['a second line in the subject', { subject: 'Hello\r\nBcc: victim@example.org' }],
    ['a bare line feed in the subject', { subject: 'Hello\nBcc: victim@example.org' }],
    ['a line separator in the subject', { subject: 'Hello\u2028Bcc: victim@example.org' }],
    ['a NUL in the subject', { subject: 'Hello\u0000' }],
    ['a second line in the address', { to: 'duty@bank.example\r\nRCPT TO:<victim@example.org>' }],
    ['a list of addresses', { to: 'duty@bank.example,victim@example.org' }],
    ['a group', { to: 'all:duty@bank.example;' }],
    ['an address with a name', { to: 'Duty <duty@bank.example>' }],
    ['a quoted local part', { to: '"a b"@bank.example' }],
    ['a second line in its id', { id: 'x\r\nBcc: victim@example.org' }],
  ])('F08 with %s is refused, and nothing is sent', async (_what, changes) => {
    await using sink = await openMailSink();
    await using sender = createMailSender({ url: sink.url, from: FROM, extraCas: [TEST_TLS_CERTIFICATE] });
    expect(await refusalOf(sender.send(mail(changes)))).toBe('UnsendableMail');
    expect(sink.received).toEqual([]);
  });

  it('F08 does not come from several senders', () => {
    const make = () => createMailSender({ url: 'smtp://localhost', from: 'a@x.example, b@x.example' });
    expect(make).toThrow(UnsendableMail);
  });
});

describe('F08 the relay', () => {
  it('F08 that refuses a recipient for good is told from one that is busy', async () => {
    const refusing = (responseCode: number) =>
      openMailSink({ onRcptTo: (_address, _session, done) => done(Object.assign(new Error('no'), { responseCode })) });
    for (const [code, outcome] of [
      [550, 'UnsendableMail'],
      [451, 'Error'],
    ] as const) {
      await using sink = await refusing(code);
      await using sender = createMailSender({ url: sink.url, from: FROM, extraCas: [TEST_TLS_CERTIFICATE] });
      expect(await refusalOf(sender.send(mail()))).toBe(outcome);
    }
  });

  it('F08 that is not there, or refuses our login, is asked again', async () => {
    await using away = createMailSender({ url: 'smtp://localhost:1', from: FROM });
    expect(await refusalOf(away.send(mail()))).toBe('Error');
    await using sink = await openMailSink({
      disabledCommands: [],
      authOptional: false,
      onAuth: (_auth, _session, done) => done(new Error('wrong password')),
    });
    const url = sink.url.replace('//', '//us%40er:pass%3Aword@');
    await using sender = createMailSender({ url, from: FROM, extraCas: [TEST_TLS_CERTIFICATE] });
    expect(await refusalOf(sender.send(mail()))).toBe('Error');
  });

  it('F08 gets the login that its URL has, percent-encoding undone', async () => {
    const logins: unknown[] = [];
    await using sink = await openMailSink({
      disabledCommands: [],
      authOptional: false,
      onAuth({ username, password }, _session, done) {
        logins.push([username, password]);
        done(null, { user: username });
      },
    });
    const url = sink.url.replace('//', '//us%40er:pass%3Aword@');
    await using sender = createMailSender({ url, from: FROM, extraCas: [TEST_TLS_CERTIFICATE] });
    await sender.send(mail());
    expect(logins).toEqual([['us@er', 'pass:word']]);
  });

  it('F08 elsewhere must encrypt, unless the operator says that the way there is safe', async () => {
    await using sink = await openMailSink({ disabledCommands: ['AUTH', 'STARTTLS'] });
    // Its name is another than that of this machine, as far as the sender knows.
    const url = `smtp://127.0.0.2:${sink.port}`;
    await using strict = createMailSender({ url, from: FROM });
    const told = await refusalOf(strict.send(mail()));
    await using trusting = createMailSender({ url: `smtp://localhost:${sink.port}?tls=off`, from: FROM });
    await trusting.send(mail());
    expect([told, sink.received.length]).toEqual(['Error', 1]);
  });

  it('F08 with a certificate that nobody trusts gets no mail', async () => {
    await using sink = await openMailSink({ secure: true });
    await using doubting = createMailSender({ url: sink.url, from: FROM });
    expect(await refusalOf(doubting.send(mail()))).toBe('Error');
    await using trusting = createMailSender({ url: sink.url, from: FROM, extraCas: [TEST_TLS_CERTIFICATE] });
    await trusting.send(mail());
    expect(sink.received).toHaveLength(1);
  });
});
