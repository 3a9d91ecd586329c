import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';

const configOf = (environment: Record<string, string>) => loadConfig(environment).config;

describe('HOLDFAST_RESOLVE_ANONYMOUS', () => {
  it('is one of three words, `background` by default', () => {
    expect(configOf({}).resolveAnonymous).toBe('background');
    for (const word of ['refuse', 'background', 'on-demand']) {
      expect(configOf({ HOLDFAST_RESOLVE_ANONYMOUS: word }).resolveAnonymous).toBe(word);
    }
    expect(() => configOf({ HOLDFAST_RESOLVE_ANONYMOUS: 'always' })).toThrow('HOLDFAST_RESOLVE_ANONYMOUS');
  });
});

describe('HOLDFAST_DECISION_RETENTION_DAYS', () => {
  it('is 90 by default, one at least, and 0 for ever', () => {
    const daysOf = (value: string) => configOf({ HOLDFAST_DECISION_RETENTION_DAYS: value }).decisionRetentionDays;
    expect([configOf({}).decisionRetentionDays, daysOf('0'), daysOf('1')]).toEqual([90, 0, 1]);
    for (const value of ['-1', '00', '1.5']) expect(() => daysOf(value)).toThrow('HOLDFAST_DECISION_RETENTION_DAYS');
  });
});

describe('HOLDFAST_EVENT_RETENTION_DAYS', () => {
  it('is 90 by default, one at least, and 0 for ever', () => {
    const daysOf = (value: string) => configOf({ HOLDFAST_EVENT_RETENTION_DAYS: value }).eventRetentionDays;
    expect([configOf({}).eventRetentionDays, daysOf('0'), daysOf('1')]).toEqual([90, 0, 1]);
    for (const value of ['-1', '00', '1.5']) expect(() => daysOf(value)).toThrow('HOLDFAST_EVENT_RETENTION_DAYS');
  });
});

describe('HOLDFAST_AUDIT_CHECKPOINT_INTERVAL_SECONDS', () => {
  it('is a day by default, ten minutes at least, and 0 for never', () => {
    const secondsOf = (value: string) =>
      configOf({ HOLDFAST_AUDIT_CHECKPOINT_INTERVAL_SECONDS: value }).auditCheckpointIntervalSeconds;
    expect([configOf({}).auditCheckpointIntervalSeconds, secondsOf('0'), secondsOf('600')]).toEqual([86_400, 0, 600]);
    for (const value of ['599', '00', '1e3']) {
      expect(() => secondsOf(value)).toThrow('HOLDFAST_AUDIT_CHECKPOINT_INTERVAL_SECONDS');
    }
  });
});

describe('HOLDFAST_SMTP_URL', () => {
  const from = { HOLDFAST_MAIL_FROM: 'directory@federation.example' };

  it('is a secret that goes with a sender', () => {
    const url = 'smtps://user:s3cret@relay.example';
    const { config, secrets } = loadConfig({ ...from, HOLDFAST_SMTP_URL: url });
    expect([secrets.smtpUrl, config.mailFrom]).toEqual([url, 'directory@federation.example']);
    expect(JSON.stringify(config)).not.toContain('s3cret');
    expect(() => loadConfig(from)).toThrow('HOLDFAST_SMTP_URL and HOLDFAST_MAIL_FROM go together');
    expect(() => loadConfig({ HOLDFAST_SMTP_URL: url })).toThrow('go together');
  });

  it('is a URL of a relay, and the sender a single address', () => {
    for (const url of [
      'https://relay.example',
      'relay.example',
      'smtp://',
      'smtp://u:%zz@x',
      'smtp://x?rejectUnauthorized=0',
    ]) {
      expect(() => loadConfig({ ...from, HOLDFAST_SMTP_URL: url })).toThrow('HOLDFAST_SMTP_URL');
    }
    const HOLDFAST_SMTP_URL = 'smtp://relay.example?tls=off';
    expect(loadConfig({ ...from, HOLDFAST_SMTP_URL }).secrets.smtpUrl).toBe(HOLDFAST_SMTP_URL);
    for (const HOLDFAST_MAIL_FROM of ['a@x.example,b@x.example', 'Jo <jo@x.example>', 'jo']) {
      expect(() => loadConfig({ HOLDFAST_SMTP_URL, HOLDFAST_MAIL_FROM })).toThrow('HOLDFAST_MAIL_FROM');
    }
  });
});

describe('HOLDFAST_DATABASE_OWNER_URL', () => {
  const owner = { HOLDFAST_DATABASE_OWNER_URL: 'postgresql://owner:s3cret@db/x' };

  it('is a secret that goes with the URL of the service', () => {
    const { secrets } = loadConfig({ ...owner, HOLDFAST_DATABASE_URL: 'postgresql://app@db/x' });
    expect(secrets.databaseOwnerUrl).toBe(owner.HOLDFAST_DATABASE_OWNER_URL);
    expect(() => loadConfig(owner)).toThrow('HOLDFAST_DATABASE_OWNER_URL goes with HOLDFAST_DATABASE_URL');
  });
});

describe('HOLDFAST_MTLS_PORT', () => {
  const files = { HOLDFAST_TLS_CERT_FILE: 'c.pem', HOLDFAST_TLS_KEY_FILE: 'k.pem' };

  it('has a certificate of its own, or that of the other port', () => {
    const HOLDFAST_MTLS_PORT = '8443';
    expect(configOf(files).mtls).toBeUndefined();
    const mtls = { port: 8443, listen: '127.0.0.1', certFile: 'c.pem', keyFile: 'k.pem' };
    expect(configOf({ ...files, HOLDFAST_MTLS_PORT }).mtls).toEqual(mtls);
    const own = { HOLDFAST_MTLS_CERT_FILE: 'own.pem', HOLDFAST_MTLS_KEY_FILE: 'own.key', HOLDFAST_MTLS_LISTEN: '::' };
    expect(configOf({ ...own, HOLDFAST_MTLS_PORT }).mtls).toEqual({
      ...{ port: 8443, listen: '::', certFile: 'own.pem', keyFile: 'own.key' },
    });
    expect(() => configOf({ HOLDFAST_MTLS_PORT })).toThrow('HOLDFAST_MTLS_PORT needs');
    expect(() => configOf({ ...files, ...own })).toThrow('go with HOLDFAST_MTLS_PORT');
    const half = { ...files, HOLDFAST_MTLS_PORT, HOLDFAST_MTLS_KEY_FILE: 'own.key' };
    expect(() => configOf(half)).toThrow('HOLDFAST_MTLS_CERT_FILE and HOLDFAST_MTLS_KEY_FILE go together');
  });
});

describe('HOLDFAST_ADMISSION_SOCKETS', () => {
  const id = '019baf5e-0000-7000-8000-00000000000a';
  const sockets = (HOLDFAST_ADMISSION_SOCKETS: string) => configOf({ HOLDFAST_ADMISSION_SOCKETS }).admissionSockets;

  it('names UNIX sockets, each of one enforcement point', () => {
    expect(sockets('')).toEqual([]);
    expect(sockets(`${id}=/run/a.sock, ${id}=/run/b=.sock`)).toEqual([
      { enforcementPointId: id, path: '/run/a.sock' },
      { enforcementPointId: id, path: '/run/b=.sock' },
    ]);
    for (const wrong of [`${id}=run/a`, `${id}`, '/run/a', `x=/run/a`, `${id}=/${'a'.repeat(103)}`]) {
      expect(() => sockets(wrong)).toThrow('HOLDFAST_ADMISSION_SOCKETS: must be ID=/PATH');
    }
    expect(() => sockets(`${id}=/a,${id}=/a`)).toThrow('names a path twice');
  });
});

describe('HOLDFAST_HOSTED_BASE_URL', () => {
  const hosted = (url: string, baseUrl = 'https://federation.example') =>
    configOf({ HOLDFAST_BASE_URL: baseUrl, HOLDFAST_HOSTED_BASE_URL: url }).hostedBaseUrl;

  it('is a host name for hosted entities alone', () => {
    expect(configOf({}).hostedBaseUrl).toBeUndefined();
    expect(hosted('https://entities.example/')).toBe('https://entities.example');
    for (const url of [
      'https://federation.example',
      'https://federation.example:8443',
      'https://FEDERATION.example.',
    ]) {
      expect(() => hosted(url)).toThrow('must have another host name than HOLDFAST_BASE_URL');
    }
    for (const url of ['http://entities.example', 'https://entities.example/e', 'https://entities.example?x', 'x']) {
      expect(() => hosted(url)).toThrow('HOLDFAST_HOSTED_BASE_URL must be an https URL');
    }
  });
});

describe('HOLDFAST_UNDERSTOOD_CLAIMS', () => {
  it('[OIDFED-13.4-2] names claims that the federation defined itself, none by default', () => {
    expect(configOf({}).understoodClaims).toEqual([]);
    const names = ' assurance,https://fed.example/level ';
    expect(configOf({ HOLDFAST_UNDERSTOOD_CLAIMS: names }).understoodClaims).toEqual([
      'assurance',
      'https://fed.example/level',
    ]);
    expect(() => configOf({ HOLDFAST_UNDERSTOOD_CLAIMS: 'assurance,exp' })).toThrow('HOLDFAST_UNDERSTOOD_CLAIMS');
  });
});

describe('HOLDFAST_TRUSTED_PROXIES', () => {
  it('is a list, empty by default', () => {
    expect(configOf({}).trustedProxies).toEqual([]);
    expect(configOf({ HOLDFAST_TRUSTED_PROXIES: ' 10.0.0.0/8, 2001:db8::1 ,' }).trustedProxies).toEqual([
      '10.0.0.0/8',
      '2001:db8::1',
    ]);
  });
});
