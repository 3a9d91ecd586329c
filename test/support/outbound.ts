/** Outbound clients for tests: short limits, no packet beyond loopback. */
import { FederationError } from '../../src/federation/errors.ts';
import { parseOutboundAllow } from '../../src/outbound/address-rules.ts';
import type { Lookup } from '../../src/outbound/name-resolution.ts';
import {
  createOutboundClient,
  type OutboundClient,
  type OutboundClientOptions,
} from '../../src/outbound/outbound-client.ts';

export interface TestClientOptions extends Partial<Omit<OutboundClientOptions, 'allow'>> {
  allow?: string;
}

/** A client that may contact loopback, unless `allow` says something else. */
export function testClient({ allow = '127.0.0.0/8, ::1', ...options }: TestClientOptions = {}): OutboundClient {
  return createOutboundClient({
    allow: parseOutboundAllow(allow),
    allowHttp: false,
    userAgent: 'holdfast/test',
    timeoutMs: 5000,
    ...options,
  });
}

/** Name resolution that gives one list of addresses after the other, the last one for ever, and records the names. */
export function scriptedLookup(...answers: string[][]): Lookup & { readonly names: string[] } {
  const names: string[] = [];
  const lookup: Lookup = async (hostname) => {
    const answer = answers[Math.min(names.length, answers.length - 1)] ?? [];
    names.push(hostname);
    return answer.map((address) => ({ address }));
  };
  return Object.assign(lookup, { names });
}

/** The FederationError that `work` fails with; anything else makes the test fail. */
export async function failureOf(work: Promise<unknown>): Promise<FederationError> {
  const error = await work.then(
    () => new Error('expected a failure'),
    (reason: unknown) => reason,
  );
  if (error instanceof FederationError) return error;
  throw error;
}
