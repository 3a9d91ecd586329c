/** Trust Mark types: names that nobody else gives to something else. @see OIDFED §7.1 */

const MAX_TYPE_LENGTH = 2048;
const URL_WITH_HOST = /^https?:\/\/[^/?#\s]+[^\s]*$/i;
const URN = /^urn:[a-z0-9][a-z0-9-]{0,31}:[^\s]+$/i;
const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;

/**
 * Why this should not name a type of ours; undefined when it may. A name that rests on a registered one, a URL or a
 * URN, collides with nobody's. Types of others are taken as they are.
 */
export function trustMarkTypeComplaint(type: unknown): string | undefined {
  if (typeof type !== 'string' || type === '') return 'must be a non-empty string';
  if (type.length > MAX_TYPE_LENGTH) return `is longer than ${MAX_TYPE_LENGTH} characters`;
  if (!PRINTABLE_ASCII.test(type)) return 'contains white space, control or non-ASCII characters';
  const isUrl = URL_WITH_HOST.test(type) && URL.canParse(type);
  if (isUrl || URN.test(type)) return undefined;
  return 'must be a URL of yours (or a URN), so that nobody else names another type so';
}
