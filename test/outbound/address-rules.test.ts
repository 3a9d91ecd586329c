import { describe, expect, it } from 'vitest';
import { addressObjection, isLoopbackAddress, parseOutboundAllow } from '../../src/outbound/address-rules.ts';

const NOTHING = parseOutboundAllow('');
const HOST = 'partner.example';

describe('addresses without an allow list', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '168.63.129.15',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2001:4860:4860::8888',
    '2a00:1450:4001:830::200e',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
    '::8.8.8.8',
    '64:ff9b::8.8.8.8',
    '64:ff9b::808:808',
  ])('accepts %s', (address) => {
    expect(addressObjection(address, HOST, NOTHING)).toBeUndefined();
  });

  it.each([
    // IPv4
    ['0.0.0.0', 'unspecified ("this network")'],
    ['0.1.2.3', 'unspecified ("this network")'],
    ['10.0.0.1', 'private'],
    ['10.255.255.255', 'private'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['192.168.255.255', 'private'],
    ['100.64.0.0', 'carrier-grade NAT'],
    ['100.100.100.200', 'carrier-grade NAT'],
    ['100.127.255.255', 'carrier-grade NAT'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.0.1', 'link-local'],
    ['169.254.169.254', 'link-local'],
    ['169.254.170.2', 'link-local'],
    ['168.63.129.16', 'cloud platform'],
    ['192.0.0.1', 'reserved'],
    ['192.0.0.192', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['192.31.196.1', 'reserved'],
    ['192.52.193.1', 'reserved'],
    ['192.88.99.1', 'reserved'],
    ['192.175.48.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['198.19.255.255', 'reserved'],
    ['198.51.100.7', 'reserved'],
    ['203.0.113.7', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.254', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    // IPv6
    ['::', 'unspecified ("this network")'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['fe80::1', 'link-local'],
    ['febf:ffff::1', 'link-local'],
    ['fec0::1', 'site-local'],
    ['fc00::1', 'unique local'],
    ['fd00:ec2::254', 'unique local'],
    ['fd20:ce::254', 'unique local'],
    ['fdff:ffff::1', 'unique local'],
    ['ff02::1', 'multicast'],
    ['ff0e::1', 'multicast'],
    ['100::1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['3fff::1', 'reserved'],
    ['3ffe::1', 'reserved'],
    ['2001:2::1', 'benchmarking'],
    ['2001:10::1', 'reserved'],
    ['2001:20::1', 'reserved'],
    ['2001:1::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['4000::1', 'not global unicast'],
    ['1::1', 'not global unicast'],
    // IPv4 inside IPv6
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::ffff:10.1.2.3', 'private'],
    ['::ffff:169.254.169.254', 'link-local'],
    ['::ffff:a9fe:a9fe', 'link-local'],
    ['0:0:0:0:0:ffff:c0a8:1', 'private'],
    ['::ffff:0.0.0.0', 'unspecified ("this network")'],
    ['::127.0.0.1', 'loopback'],
    ['::a00:1', 'private'],
    ['::2', 'unspecified ("this network")'],
    ['::ffff:0:127.0.0.1', 'reserved'],
    ['::ffff:0:8.8.8.8', 'reserved'],
    ['64:ff9b::127.0.0.1', 'loopback'],
    ['64:ff9b::a00:1', 'private'],
    ['64:ff9b::a9fe:a9fe', 'link-local'],
    ['64:ff9b:1::8.8.8.8', 'local-use NAT64'],
    ['64:ff9b:1:ffff::1', 'local-use NAT64'],
    ['2002:7f00:1::1', '6to4 tunnel'],
    ['2002:808:808::1', '6to4 tunnel'],
    ['2001::1', 'Teredo tunnel'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'Teredo tunnel'],
    // Not an address that a socket could be given
    ['fe80::1%eth0', 'bound to a network interface (zone)'],
    ['2606:4700:4700::1111%1', 'bound to a network interface (zone)'],
    ['', 'not an IP address'],
    ['partner.example', 'not an IP address'],
    ['2130706433', 'not an IP address'],
    ['0x7f000001', 'not an IP address'],
    ['0177.0.0.1', 'not an IP address'],
    ['127.1', 'not an IP address'],
    ['8.8.8.8 ', 'not an IP address'],
    ['[::1]', 'not an IP address'],
    ['8.8.8.8:443', 'not an IP address'],
  ])('refuses %s as %s', (address, objection) => {
    expect(addressObjection(address, HOST, NOTHING)).toBe(objection);
  });

  it('tells loopback addresses in every spelling', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
      expect(isLoopbackAddress(address), address).toBe(true);
    }
    for (const address of ['128.0.0.1', '0.0.0.0', '::', '::ffff:10.0.0.1', 'localhost', '']) {
      expect(isLoopbackAddress(address), address).toBe(false);
    }
  });
});

describe('the allow list', () => {
  it('lets a named host have any address, and no other host', () => {
    const allow = parseOutboundAllow('partner.internal');
    expect(addressObjection('10.0.0.7', 'partner.internal', allow)).toBeUndefined();
    expect(addressObjection('fd00::7', 'partner.internal.', allow)).toBeUndefined();
    expect(addressObjection('10.0.0.7', 'other.internal', allow)).toBe('private');
    expect(addressObjection('10.0.0.7', 'sub.partner.internal', allow)).toBe('private');
    expect(addressObjection('10.0.0.7', 'notpartner.internal', allow)).toBe('private');
  });

  it('lets every name below a wildcard have any address, but not the name itself', () => {
    const allow = parseOutboundAllow('*.corp.example');
    expect(addressObjection('10.0.0.7', 'a.corp.example', allow)).toBeUndefined();
    expect(addressObjection('10.0.0.7', 'a.b.corp.example', allow)).toBeUndefined();
    expect(addressObjection('10.0.0.7', 'corp.example', allow)).toBe('private');
    expect(addressObjection('10.0.0.7', 'evilcorp.example', allow)).toBe('private');
    expect(addressObjection('10.0.0.7', 'a.corp.example.evil.example', allow)).toBe('private');
  });

  it('lets any host have an allowed address or one of an allowed network', () => {
    const allow = parseOutboundAllow(' 10.1.0.0/16 , 192.168.7.9,fd12::/32, ::1 ');
    expect(addressObjection('10.1.255.255', HOST, allow)).toBeUndefined();
    expect(addressObjection('::ffff:10.1.0.1', HOST, allow)).toBeUndefined();
    expect(addressObjection('64:ff9b::10.1.0.1', HOST, allow)).toBeUndefined();
    expect(addressObjection('10.2.0.0', HOST, allow)).toBe('private');
    expect(addressObjection('192.168.7.9', HOST, allow)).toBeUndefined();
    expect(addressObjection('192.168.7.10', HOST, allow)).toBe('private');
    expect(addressObjection('fd12:0:ffff::1', HOST, allow)).toBeUndefined();
    expect(addressObjection('fd13::1', HOST, allow)).toBe('unique local');
    expect(addressObjection('::1', 'localhost', allow)).toBeUndefined();
    expect(addressObjection('127.0.0.1', 'localhost', allow)).toBe('loopback');
  });

  it('does not permit a zone or a text that is no address, whatever is allowed', () => {
    const allow = parseOutboundAllow('partner.example, ::/0, 0.0.0.0/0');
    expect(addressObjection('fe80::1%eth0', HOST, allow)).toBe('bound to a network interface (zone)');
    expect(addressObjection('localhost', HOST, allow)).toBe('not an IP address');
    expect(addressObjection('fe80::1', HOST, allow)).toBeUndefined();
  });

  it('ignores the case of its entries', () => {
    expect(addressObjection('10.0.0.7', 'partner.internal', parseOutboundAllow('Partner.INTERNAL'))).toBeUndefined();
    expect(addressObjection('fd00::7', HOST, parseOutboundAllow('FD00::7'))).toBeUndefined();
  });

  it('allows nothing when it is empty', () => {
    for (const text of ['', '  '])
      expect(addressObjection('127.0.0.1', 'localhost', parseOutboundAllow(text))).toBe('loopback');
  });

  it.each([
    ['a.example,,b.example', 'entry "" is empty'],
    ['a.example,', 'entry "" is empty'],
    ['10.0.0.1/8', 'write 10.0.0.0/8'],
    ['fd00::1/8', 'write fd00::/8'],
    ['10.0.0.0/33', 'prefix length above 32'],
    ['fd00::/129', 'prefix length above 128'],
    ['10.0.0.0/', 'is not a network'],
    ['10.0.0.0/8/8', 'is not a network'],
    ['10.0.0.0/255.0.0.0', 'is not a network'],
    ['10/8', 'is not a network'],
    ['https://partner.internal', 'is not a network'],
    ['partner.internal:8443', 'ports and schemes are not part'],
    ['10.0.0.1:8443', 'ports and schemes are not part'],
    ['[::1]', 'has brackets'],
    ['::1::2', 'is no IPv6 address'],
    ['fe80::1%eth0', 'has a zone'],
    ['::ffff:10.0.0.1', 'is IPv4-mapped'],
    ['::ffff:10.0.0.0/104', 'is IPv4-mapped'],
    ['127.1', 'write all four decimal parts'],
    ['2130706433', 'write all four decimal parts'],
    ['0x7f000001', 'write all four decimal parts'],
    ['10.0.0.256', 'write all four decimal parts'],
    ['*', 'is neither a host name'],
    ['*.', 'is neither a host name'],
    ['a.*.example', 'is neither a host name'],
    ['-a.example', 'is neither a host name'],
    ['a..example', 'is neither a host name'],
    ['a b.example', 'is neither a host name'],
    ['bücher.example', 'xn-- form'],
    [`${'a'.repeat(64)}.example`, 'is neither a host name'],
  ])('refuses the entry in %j: %s', (text, complaint) => {
    expect(() => parseOutboundAllow(text)).toThrow(complaint);
    expect(() => parseOutboundAllow(text)).toThrow(/^HOLDFAST_OUTBOUND_ALLOW: entry "/);
  });
});
