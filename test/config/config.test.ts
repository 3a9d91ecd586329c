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

describe('HOLDFAST_TRUSTED_PROXIES', () => {
  it('is a list, empty by default', () => {
    expect(configOf({}).trustedProxies).toEqual([]);
    expect(configOf({ HOLDFAST_TRUSTED_PROXIES: ' 10.0.0.0/8, 2001:db8::1 ,' }).trustedProxies).toEqual([
      '10.0.0.0/8',
      '2001:db8::1',
    ]);
  });
});
