/** Which of two forms of an answer a client wants: compressed or as it is. @see RFC 9110 §12.5.3 */

/** Nobody's preferences are longer. */
const MAX_LENGTH = 1_000;
const PREFERENCE = /^\s*([\w*-]+)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i;

/** @param header `Accept-Encoding`; whoever sends none, or one that cannot be read, gets what everybody can read */
export function prefersGzip(header: string | undefined): boolean {
  if (header === undefined || header.length > MAX_LENGTH) return false;
  const qualities = new Map<string, number>();
  for (const preference of header.split(',')) {
    const [, name, quality = '1'] = PREFERENCE.exec(preference) ?? [];
    if (name !== undefined) qualities.set(name.toLowerCase(), Number(quality));
  }
  const others = qualities.get('*');
  const gzip = qualities.get('gzip') ?? qualities.get('x-gzip') ?? others ?? 0;
  // Unless it is named, the plain form is the one that nobody asked for.
  const identity = qualities.get('identity') ?? 0;
  return gzip > 0 && gzip >= identity;
}
