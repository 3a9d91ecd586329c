/** Text records of DNS, asked for as they stand: no search domains, nothing but the name servers. @see RFC 1035 §3.3.14 */
import { Resolver } from 'node:dns/promises';
import { FederationError } from '../federation/errors.ts';

/** The text records of a name, each put together from its strings; none for a name without any, or that is not there. */
export type LookUpText = (name: string) => Promise<readonly string[]>;

export interface TextRecordOptions {
  /** Addresses of DNS servers, with `:port` where it is not 53; those of the system by default. */
  nameServers?: readonly string[] | undefined;
  /** How long a server has to answer before the next is asked. */
  timeoutMs?: number;
  tries?: number;
}

/** Records beyond these are not looked at: nobody has to publish so many. */
const MAX_RECORDS = 100;

/** It fails with FederationError timed_out when no server answers, and connection_failed when one cannot. */
export function createTextLookup({ nameServers, timeoutMs = 2_000, tries = 2 }: TextRecordOptions = {}): LookUpText {
  return async (name) => {
    const resolver = new Resolver({ timeout: timeoutMs, tries });
    if (nameServers !== undefined) resolver.setServers(nameServers);
    try {
      const records = await resolver.resolveTxt(name);
      return records.slice(0, MAX_RECORDS).map((strings) => strings.join(''));
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
      if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
      if (code === 'ETIMEOUT')
        throw new FederationError('timed_out', `no name server answered for ${name} in time`, '', { cause });
      throw new FederationError('connection_failed', `the text records of ${name} could not be read (${code})`, '', {
        cause,
      });
    }
  };
}
