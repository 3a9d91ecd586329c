import { describe, expect, it } from 'vitest';
import {
  type EntityIdentifier,
  entityConfigurationUrl,
  isEndpointUrl,
  isEntityIdentifier,
  isLoopbackHost,
  parseEntityIdentifier,
  withQuery,
} from '../../src/federation/identifiers.ts';
import { refusal } from '../support/refusal.ts';

function parsed(value: unknown, options = {}): string {
  return refusal(() => parseEntityIdentifier(value, options, '/sub'));
}

const REFUSED = 'entity_identifier_invalid at /sub';

describe('parseEntityIdentifier', () => {
  it.each([
    'https://op.example',
    'https://op.example/',
    'https://op.example/tenant/1/',
    'https://op.example:8443/a',
    'https://op.example/a%2Fb',
    'https://xn--bcher-kva.example',
    'https://192.0.2.7/a',
    'https://[2001:db8::7]:8443/a',
    'https://op.example/a;b=c,d/@me/~x/(1)',
  ])('[OIDFED-1.2-1] accepts %s', (identifier) => {
    expect(parseEntityIdentifier(identifier)).toBe(identifier);
    expect(isEntityIdentifier(identifier)).toBe(true);
  });

  it.each([
    ['http', 'http://op.example'],
    ['ftp', 'ftp://op.example'],
    ['another scheme', 'urn:example:op'],
    ['a scheme in disguise', 'https:op.example'],
    ['one slash', 'https:/op.example'],
    ['no host', 'https://'],
    ['no host but a path', 'https:///op.example'],
    ['no host but a port', 'https://:8443/a'],
    ['a port out of range', 'https://op.example:70000'],
    ['a port that is no number', 'https://op.example:https'],
    ['no scheme', 'op.example'],
    ['a relative reference', '//op.example'],
    ['a host that no URL has', 'https://op example'],
    ['a forbidden host character', 'https://op|example'],
    ['an unclosed IPv6 address', 'https://[2001:db8::7'],
    ['the empty string', ''],
    ['more than 2048 characters', `https://op.example/${'a'.repeat(2048)}`],
  ])('[OIDFED-1.2-1] refuses %s', (_what, identifier) => {
    expect(parsed(identifier)).toBe(REFUSED);
    expect(isEntityIdentifier(identifier)).toBe(false);
  });

  it.each([[undefined], [null], [7], [true], [['https://op.example']], [{ href: 'https://op.example' }]])(
    '[OIDFED-1.2-1] refuses %j, which is no string',
    (value) => {
      expect(parsed(value)).toBe(REFUSED);
    },
  );

  it('[OIDFED-1.2-1] counts 2048 characters as the longest', () => {
    const longest = `https://op.example/${'a'.repeat(2048 - 19)}`;
    expect(longest).toHaveLength(2048);
    expect(parsed(longest)).toBe('accepted');
    expect(parsed(`${longest}a`)).toBe(REFUSED);
  });

  it.each([
    'https://op.example?a=b',
    'https://op.example/?a=b',
    'https://op.example/?',
    'https://op.example#top',
    'https://op.example/#',
    'https://op.example/a?b#c',
  ])('[OIDFED-1.2-2] refuses the query or fragment of %s', (identifier) => {
    expect(parsed(identifier)).toBe(REFUSED);
  });

  it.each([
    'https://user@op.example',
    'https://user:secret@op.example',
    'https://@op.example',
    'https://:@op.example',
    'https://anchor.example@op.example/',
    'https://anchor.example%40op.example',
  ])('[OIDFED-1.2-3] refuses the userinfo of %s', (identifier) => {
    expect(parsed(identifier)).toBe(REFUSED);
  });

  it.each([
    ['a backslash that browsers read as a slash', 'https://op.example\\@anchor.example'],
    ['a backslash in the path', 'https://op.example/a\\b'],
    ['backslashes instead of slashes', 'https:\\\\op.example'],
    ['a percent-encoded host', 'https://op%2eexample'],
    ['a space before', ' https://op.example'],
    ['a space after', 'https://op.example '],
    ['a line break after', 'https://op.example\n'],
    ['a tab within, which URL parsers drop', 'https://op.exa\tmple'],
    ['a NUL character', 'https://op.example/\u0000'],
    ['a full-width dot, which IDNA maps to a dot', 'https://op\uff0eexample'],
    ['an internationalized name not in its ASCII form', 'https://b\u00fccher.example'],
    ['a zero-width space', 'https://op\u200b.example'],
    ['a byte order mark', '\ufeffhttps://op.example'],
  ])('[OIDFED-16-2] refuses %s, so that nothing needs normalizing', (_what, identifier) => {
    expect(parsed(identifier)).toBe(REFUSED);
  });

  it.each([
    'http://localhost',
    'http://localhost:8080/a',
    'http://op.localhost:8080',
    'http://127.0.0.1:8080/op',
    'http://127.8.8.8',
    'http://[::1]:8080/op',
  ])('[OIDFED-1.2-4] accepts http on loopback: %s', (identifier) => {
    expect(parseEntityIdentifier(identifier)).toBe(identifier);
  });

  it.each([
    'http://op.example',
    'http://localhost.example',
    'http://notlocalhost',
    'http://127.0.0.1.example',
    'http://[::2]',
    'http://10.0.0.1',
  ])('[OIDFED-1.2-4] accepts http elsewhere only when the operator allows it: %s', (identifier) => {
    expect(parsed(identifier)).toBe(REFUSED);
    expect(parsed(identifier, { allowHttp: false })).toBe(REFUSED);
    expect(parsed(identifier, { allowHttp: true })).toBe('accepted');
  });

  it('[OIDFED-1.2-4] opens to http only, whatever the operator allows', () => {
    expect(parsed('ftp://op.example', { allowHttp: true })).toBe(REFUSED);
    expect(parsed('http://user@op.example', { allowHttp: true })).toBe(REFUSED);
  });

  it.each([
    ['upper case', 'https://OP.Example/A'],
    ['an upper-case scheme', 'HTTPS://op.example'],
    ['the default port', 'https://op.example:443'],
    ['a trailing slash', 'https://op.example/'],
    ['dot segments', 'https://op.example/a/../b'],
    ['percent-encoding that is not needed', 'https://op.example/%7Ea'],
    ['lower-case percent-encoding', 'https://op.example/a%2fb'],
    ['a trailing dot of the host', 'https://op.example./a'],
  ])('[OIDFED-16-2] keeps %s as it is', (_what, identifier) => {
    expect(parseEntityIdentifier(identifier)).toBe(identifier);
  });
});

describe('isLoopbackHost', () => {
  it.each(['localhost', 'a.localhost', '127.0.0.1', '127.255.255.254', '[::1]'])('knows %s', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each(['', 'localhost.example', 'xlocalhost', '128.0.0.1', '127.0.0.1.example', '[::]', '0.0.0.0'])(
    'does not take %j for loopback',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );
});

describe('isEndpointUrl', () => {
  it.each([
    'https://op.example/fetch',
    'https://op.example:8443/fetch?tenant=1',
    'https://op.example?tenant=1',
    'http://127.0.0.1:8080/fetch',
  ])('[OIDFED-5.1.1-1] accepts %s', (url) => {
    expect(isEndpointUrl(url)).toBe(true);
  });

  it.each([
    'http://op.example/fetch',
    'https://op.example/fetch#a',
    'https://op.example/fetch?a#b',
    'https://user@op.example/fetch',
    '/fetch',
    '',
    undefined,
  ])('[OIDFED-5.1.1-1] refuses %s', (url) => {
    expect(isEndpointUrl(url)).toBe(false);
  });

  it('[OIDFED-1.2-4] accepts http elsewhere when the operator allows it', () => {
    expect(isEndpointUrl('http://op.example/fetch', { allowHttp: true })).toBe(true);
  });
});

describe('entityConfigurationUrl', () => {
  it.each([
    ['https://op.example', 'https://op.example/.well-known/openid-federation'],
    ['https://op.example/', 'https://op.example/.well-known/openid-federation'],
    ['https://op.example:8443/a/b', 'https://op.example:8443/a/b/.well-known/openid-federation'],
    ['https://op.example/a/', 'https://op.example/a/.well-known/openid-federation'],
    ['https://op.example/a//', 'https://op.example/a//.well-known/openid-federation'],
    ['https://OP.example:443/%7Ea', 'https://OP.example:443/%7Ea/.well-known/openid-federation'],
  ])('[OIDFED-9-1] puts the configuration of %s at %s', (identifier, url) => {
    expect(entityConfigurationUrl(identifier as EntityIdentifier)).toBe(url);
  });
});

describe('withQuery', () => {
  const sub: [string, string] = ['sub', 'https://op.example/a?b&c=d+e f'];
  const encoded = 'sub=https%3A%2F%2Fop.example%2Fa%3Fb%26c%3Dd%2Be%20f';

  it('[OIDFED-8.1-7] starts a query', () => {
    expect(withQuery('https://anchor.example/fetch', [sub])).toBe(`https://anchor.example/fetch?${encoded}`);
  });

  it('[OIDFED-8.1-7] continues the query that the endpoint has', () => {
    const endpoint = 'https://anchor.example/fetch?tenant=1';
    expect(withQuery(endpoint, [sub])).toBe(`${endpoint}&${encoded}`);
    expect(new URL(withQuery(endpoint, [sub])).searchParams.get('sub')).toBe(sub[1]);
  });

  it('[OIDFED-8.1-7] repeats a parameter and leaves an endpoint alone when there is none', () => {
    const types = ['openid_provider', 'a/b'].map((type) => ['entity_type', type] as const);
    expect(withQuery('https://a.example/list', types)).toBe(
      'https://a.example/list?entity_type=openid_provider&entity_type=a%2Fb',
    );
    expect(withQuery('https://a.example/list?x', [])).toBe('https://a.example/list?x');
  });
});
