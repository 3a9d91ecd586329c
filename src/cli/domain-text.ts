/** How a domain in another script is shown. */
import type { InternationalDomain } from './api-records.ts';

/** Letters that look like others say so; undefined for a name in ASCII. */
export function domainText(domain: InternationalDomain): string | undefined {
  if (domain === null) return undefined;
  const doubt = domain.isMixed ? '; mixed scripts: is this who you think?' : '';
  return `${domain.unicode} (${domain.scripts.join(', ')}${doubt})`;
}
