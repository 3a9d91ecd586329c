import { domainToASCII } from 'node:url';
import { describe, expect, it } from 'vitest';
import { internationalAddress, internationalDomain, internationalHost } from '../../src/registry/domain-names.ts';

describe('internationalDomain', () => {
  it.each([
    ['bücher.example', ['Latin'], false],
    ['почта.example', ['Cyrillic', 'Latin'], false],
    ['b\u0430nk.example', ['Latin', 'Cyrillic'], true],
    // All of it Cyrillic, and still it reads like `apple`: the script tells.
    ['\u0430\u0440\u0440\u04cf\u0435.example', ['Cyrillic', 'Latin'], false],
    ['\u03bfpenbank.example', ['Greek', 'Latin'], true],
    ['株式会社テスト.example', ['Han', 'Katakana', 'Latin'], false],
    ['銀行bank.example', ['Han', 'Latin'], false],
    ['банк銀行.example', ['Cyrillic', 'Han', 'Latin'], true],
    ['銀行-24.example', ['Han', 'Latin'], false],
  ])('shows %s with its scripts', (unicode, scripts, isMixed) => {
    expect(internationalDomain(domainToASCII(unicode))).toEqual({ unicode, scripts, isMixed });
  });

  it.each(['bank.example', 'localhost', '127.0.0.1', '[::1]', '', 'xn--.example', 'xn--a.example'])(
    'has nothing to say about %j',
    (host) => expect(internationalDomain(host)).toBeNull(),
  );

  it('looks at the domain of an address', () => {
    const ascii = domainToASCII('b\u0430nk.example');
    expect(internationalAddress(`soc@${ascii}`)?.unicode).toBe('b\u0430nk.example');
    expect(internationalAddress('xn--soc@bank.example')).toBeNull();
  });

  it('looks at the host of a URL', () => {
    const url = `https://${domainToASCII('b\u0430nk.example')}:8443/path`;
    expect(internationalHost(url)?.unicode).toBe('b\u0430nk.example');
    expect(internationalHost('no URL')).toBeNull();
  });
});
