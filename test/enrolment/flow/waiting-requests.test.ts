import { describe, expect, it } from 'vitest';
import { WAITING_LIMITS, type WaitingRequest, whoLeaves } from '../../../src/enrolment/flow/waiting-requests.ts';
import { RegistryError } from '../../../src/registry/registry-error.ts';

function waiting(count: number, host: (index: number) => string, more: Partial<WaitingRequest> = {}): WaitingRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ id: host(index), version: 1, entityIdentifier: `https://${host(index)}`, askedFrom: null, isProven: false },
    ...more,
  }));
}

const newcomer = { entityIdentifier: 'https://new.partner.example', askedFrom: '198.51.100.7' };

function outcome(requests: WaitingRequest[], asking = newcomer): string {
  try {
    return whoLeaves(requests, asking)?.id ?? 'room';
  } catch (error) {
    if (error instanceof RegistryError) return error.code;
    throw error;
  }
}

describe('F04 requests that wait', () => {
  const { all, domain, network } = WAITING_LIMITS;
  const wildcard = (index: number) => `${index}.a${index}.partner.example`;
  const elsewhere = (index: number) => `rp.${index}.test`;

  it('F04 of one domain make room among themselves, however deep their names are', () => {
    expect(outcome(waiting(domain - 1, wildcard))).toBe('room');
    expect(outcome(waiting(domain, wildcard))).toBe('0.a0.partner.example');
    expect(outcome([...waiting(1, () => 'x.test'), ...waiting(domain, wildcard)])).toBe('0.a0.partner.example');
    const [first, ...others] = waiting(domain, wildcard);
    expect(outcome([{ ...(first as WaitingRequest), isProven: true }, ...others])).toBe('1.a1.partner.example');
    expect(outcome(waiting(domain, wildcard, { isProven: true }))).toBe('limit_reached');
  });

  it('F04 at addresses have nothing in common', () => {
    const byAddress = waiting(domain, (index) => `10.0.0.${index}`);
    expect(outcome(byAddress, { ...newcomer, entityIdentifier: 'https://10.9.0.0' })).toBe('room');
  });

  it('F04 of all make room where a domain has the most', () => {
    const crowd = waiting(30, wildcard);
    expect(outcome([...waiting(all - 31, elsewhere), ...crowd])).toBe('room');
    expect(outcome([...waiting(all - 30, elsewhere), ...crowd])).toBe('0.a0.partner.example');
    const proven = waiting(30, wildcard, { isProven: true });
    expect(outcome([...waiting(all - 30, elsewhere), ...proven])).toBe('rp.0.test');
  });

  it('F04 of one network, or for one entity, make no room', () => {
    expect(outcome(waiting(network, elsewhere, { askedFrom: newcomer.askedFrom }))).toBe('limit_reached');
    const { entityIdentifier } = newcomer;
    expect(outcome(waiting(4, wildcard, { entityIdentifier }))).toBe('room');
    expect(outcome(waiting(5, wildcard, { entityIdentifier }))).toBe('limit_reached');
  });
});
