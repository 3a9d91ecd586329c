import { describe, expect, it } from 'vitest';
import { clientNetwork, createClientNetworkOf } from '../../src/http/client-address.ts';

describe('a client', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:192.0.2.7', '2001:db8:1:2::/64'],
    ['2001:db8::192.0.2.7', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['nonsense', 'unknown'],
    ['', 'unknown'],
  ])('at %j counts as %s', (address, network) => {
    expect(clientNetwork(address)).toBe(network);
  });
});

describe('behind proxies', () => {
  const clientOf = (trusted: string[], peer: string | undefined, forwardedFor?: string) => {
    const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
    const environment = peer === undefined ? {} : { incoming: { socket: { remoteAddress: peer } } };
    return createClientNetworkOf(trusted)(new Request('https://a.example', { headers }), environment);
  };

  it.each([
    ['nobody is believed by default', [], '10.0.0.1', '192.0.2.7', '10.0.0.1'],
    ['a stranger is not believed', ['10.0.0.0/8'], '192.0.2.1', '192.0.2.7', '192.0.2.1'],
    ['a trusted one is', ['10.0.0.0/8'], '10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['and an address alone is a network', ['10.0.0.1'], '::ffff:10.0.0.1', '192.0.2.7', '192.0.2.7'],
    ['what a client made up is left of it', ['10.0.0.0/8'], '10.0.0.1', '1.1.1.1, 192.0.2.7', '192.0.2.7'],
    ['through several', ['10.0.0.0/8', '2001:db8::/32'], '10.0.0.1', '192.0.2.7, 2001:db8::1, 10.0.0.2', '192.0.2.7'],
    ['with ports and brackets', ['10.0.0.0/8'], '10.0.0.1', '[2001:db8:1:2::7]:443', '2001:db8:1:2::/64'],
    ['with a port', ['10.0.0.0/8'], '10.0.0.1', '192.0.2.7:5000', '192.0.2.7'],
    ['a proxy that names nobody counts itself', ['10.0.0.0/8'], '10.0.0.1', undefined, '10.0.0.1'],
    ['so does one that names nonsense', ['10.0.0.0/8'], '10.0.0.1', 'unknown', '10.0.0.1'],
    ['a connection that is gone is nobody', ['10.0.0.0/8'], undefined, '192.0.2.7', 'unknown'],
  ] as const)('%s', (_, trusted, peer, forwardedFor, network) => {
    expect(clientOf([...trusted], peer, forwardedFor)).toBe(network);
  });

  it.each(['10.0.0.0/33', '2001:db8::/129', '10.0.0.0/', '10.0.0.0/8/8', 'proxy.example', '10.0.0.0/-1', '10.0.0.0/x'])(
    'what is no network is told at once: %s',
    (entry) => {
      expect(() => createClientNetworkOf([entry])).toThrow(entry);
    },
  );
});
