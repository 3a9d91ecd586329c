/** How long an HTTP answer may be used again without asking. @see RFC 9111 §4.2, §5.2.2 */
import type { OutboundResponse } from '../outbound/response-collector.ts';

export interface ResponseFreshness {
  /** Seconds from now on; undefined when the answer does not say. */
  seconds: number | undefined;
  /** The answer must not be kept. */
  isTransient: boolean;
}

/** Reads `Cache-Control` and `Age`. What cannot be understood says that the answer is not fresh. */
export function freshnessOf({ headers }: Pick<OutboundResponse, 'headers'>): ResponseFreshness {
  const directives = directivesOf(headers.get('cache-control') ?? '');
  const isTransient = directives.has('no-store');
  if (isTransient || directives.has('no-cache') || directives.has('private')) return { seconds: 0, isTransient };
  const maxAge = directives.get('s-maxage') ?? directives.get('max-age');
  if (maxAge === undefined) return { seconds: undefined, isTransient };
  return { seconds: Math.max(0, secondsOf(maxAge) - secondsOf(headers.get('age') ?? '0')), isTransient };
}

/** The first of several directives of one name counts. */
function directivesOf(field: string): Map<string, string> {
  const directives = new Map<string, string>();
  for (const [, name = '', quoted, token = ''] of field.matchAll(/([\w-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,"]+)))?/g)) {
    const lowerCase = name.toLowerCase();
    if (!directives.has(lowerCase)) directives.set(lowerCase, quoted ?? token);
  }
  return directives;
}

function secondsOf(text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : 0;
}
