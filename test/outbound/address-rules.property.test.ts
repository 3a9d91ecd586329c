import { BlockList } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressObjection, parseOutboundAllow } from '../../src/outbound/address-rules.ts';

const NOTHING = parseOutboundAllow('');

/** The special-purpose IPv4 networks once more, for a judge that shares no code with the rules. */
const FORBIDDEN_IPV4 = (
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 ' +
  '192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 ' +
  '198.51.100.0/24 203.0.113.0/24 224.0.0.0/3'
).split(' ');

const judge = new BlockList();
for (const network of FORBIDDEN_IPV4) {
  const [base = '', prefix = ''] = network.split('/');
  judge.addSubnet(base, Number(prefix), 'ipv4');
}

const octet = fc.integer({ min: 0, max: 255 });
const firstOctet = fc.oneof(octet, fc.constantFrom(0, 10, 100, 127, 168, 169, 172, 192, 198, 203, 224, 255));
const ipv4 = fc.tuple(firstOctet, octet, octet, octet).map((octets) => octets.join('.'));
const hextet = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
const outside2000 = fc.tuple(
  fc.integer({ min: 0, max: 0xffff }).filter((first) => first >> 13 !== 1 && first !== 0 && first !== 0x64),
  fc.array(hextet, { minLength: 7, maxLength: 7 }),
);

it('judges every IPv4 address as an independent list of networks does', () => {
  fc.assert(
    fc.property(ipv4, (address) => {
      expect(addressObjection(address, 'partner.example', NOTHING) !== undefined).toBe(judge.check(address, 'ipv4'));
    }),
    { numRuns: 2000 },
  );
});

it('judges an IPv4 address inside IPv6 like the address itself', () => {
  fc.assert(
    fc.property(ipv4, fc.constantFrom('::ffff:', '64:ff9b::'), (address, prefix) => {
      expect(addressObjection(`${prefix}${address}`, 'partner.example', NOTHING)).toBe(
        addressObjection(address, 'partner.example', NOTHING),
      );
    }),
  );
});

it('refuses every IPv6 address outside 2000::/3 that holds no IPv4 address', () => {
  fc.assert(
    fc.property(outside2000, ([first, rest]) => {
      const address = [first.toString(16), ...rest].join(':');
      expect(addressObjection(address, 'partner.example', NOTHING)).toBeDefined();
    }),
  );
});
