import { describe, expect, it } from 'vitest';
import {
  crowdAround,
  type Newcomer,
  WAITING_LIMITS,
  type WaitingRequest,
  whoLeaves,
} from '../../../src/enrolment/flow/waiting-requests.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';

function waiting(count: number, host: (index: number) => string, more: Partial<WaitingRequest> = {}): WaitingRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ id: host(index), version: 1, entityIdentifier: `https://${host(index)}`, askedFrom: null },
    ...more,
  }));
}

const newcomer: Newcomer = { entityIdentifier: 'https://new.partner.example', askedFrom: '198.51.100.7' };

/** Who leaves, oldest first in `requests`; `proven` are those whose id it holds for. */
function outcome(requests: WaitingRequest[], asking = newcomer, proven: (id: string) => boolean = () => false): string {
  try {
    const crowd = crowdAround(requests, asking);
    if (crowd === undefined) return 'room';
    return whoLeaves(crowd, new Set(crowd.map(({ id }) => id).filter(proven))).id;
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
}

describe('F04 requests that wait', () => {
  const { all, domain, network, entity } = WAITING_LIMITS;
  const wildcard = (index: number) => `${index}.a${index}.partner.example`;
  const elsewhere = (index: number) => `rp.${index}.test`;
  const everyOne = () => true;

  it('F04 of one domain make room among themselves, however deep their names are', () => {
    expect(outcome(waiting(domain - 1, wildcard))).toBe('room');
    expect(outcome(waiting(domain, wildcard))).toBe(wildcard(domain - 1));
    expect(outcome([...waiting(domain, wildcard), ...waiting(1, () => 'x.test')])).toBe(wildcard(domain - 1));
    const isLast = (id: string) => id === wildcard(domain - 1);
    expect(outcome(waiting(domain, wildcard), newcomer, isLast)).toBe(wildcard(domain - 2));
    expect(outcome(waiting(domain, wildcard), newcomer, everyOne)).toBe('limit_reached');
  });

  it.each<[string, string, string]>([
    ['co.uk', 'https://new.shop.co.uk', 'room'],
    ['com.br', 'https://new.com.br', 'room'],
    ['partner.co.uk', 'https://new.partner.co.uk', `49.partner.co.uk`],
    ['partner.uk', 'https://new.a.partner.uk', `49.partner.uk`],
    ['org.example', 'https://new.org.example', `49.org.example`],
  ])('F04 below %s are of one domain only where nobody sells names there', (suffix, entityIdentifier, expected) => {
    const others = waiting(domain, (index) => `${index}.${suffix}`);
    expect(outcome(others, { ...newcomer, entityIdentifier })).toBe(expected);
  });

  it('F04 at addresses have nothing in common', () => {
    const byAddress = waiting(domain, (index) => `10.0.0.${index}`);
    expect(outcome(byAddress, { ...newcomer, entityIdentifier: 'https://10.9.0.0' })).toBe('room');
  });

  it('F04 of all make room where a network has the most, then where a domain has', () => {
    const crowd = waiting(30, wildcard);
    const later = waiting(all - 30, elsewhere);
    expect(outcome([...crowd, ...later.slice(1)])).toBe('room');
    expect(outcome([...crowd, ...later])).toBe(wildcard(29));
    expect(outcome([...crowd, ...later], newcomer, (id) => id.endsWith('partner.example'))).toBe(elsewhere(all - 31));
    const [oldest, second, third, ...others] = later as [WaitingRequest, WaitingRequest, WaitingRequest];
    const flood = [oldest, second].map((request) => ({ ...request, askedFrom: '203.0.113.9' }));
    expect(outcome([...flood, third, ...crowd, ...others])).toBe(second.id);
  });

  it('F04 of one network make no room; of IPv6 it is the /48', () => {
    expect(outcome(waiting(network, elsewhere, { askedFrom: newcomer.askedFrom }))).toBe('limit_reached');
    const ofSite = waiting(network, elsewhere).map((request, index) => ({
      ...request,
      askedFrom: `2001:db8:1:${index.toString(16)}::/64`,
    }));
    expect(outcome(ofSite, { ...newcomer, askedFrom: '2001:db8:1:ffff::/64' })).toBe('limit_reached');
    expect(outcome(ofSite, { ...newcomer, askedFrom: '2001:db8:2:0::/64' })).toBe('room');
  });

  it('F04 for one entity make room among themselves until all of them are proven', () => {
    const { entityIdentifier } = newcomer;
    const from = (...networks: string[]) =>
      networks.map((askedFrom, index) => ({ id: `${index}`, version: 1, entityIdentifier, askedFrom }));
    const flood = from('a', 'b', 'b', 'a', 'b');
    expect(outcome(flood.slice(1))).toBe('room');
    expect(outcome([...waiting(9, elsewhere, { askedFrom: 'a' }), ...flood])).toBe('4');
    expect(outcome(flood, newcomer, (id) => id === '4' || id === '2')).toBe('3');
    expect(outcome(from('a', 'b', 'c', 'd', 'e'))).toBe('4');
    expect(outcome(flood, newcomer, everyOne)).toBe('limit_reached');
    expect(flood).toHaveLength(entity);
  });
});
