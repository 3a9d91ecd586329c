/** Which keys may be vouched for as Federation Entity Keys. @see OIDFED §3.1.1 */
import type { Jwk } from '../jwk-set.ts';
import { ALGORITHM_NAMES, keyComplaint } from '../signature.ts';

/** A kid names a key in records, requests and logs. */
const MAX_KID_LENGTH = 512;
/** Room for a certificate chain (`x5c`). */
const MAX_KEY_LENGTH = 16 * 1024;

/** Why a key must not be vouched for as a Federation Entity Key; undefined when it may. */
export function publishedKeyComplaint(key: Jwk): string | undefined {
  if (key.kid.length > MAX_KID_LENGTH) return `a kid has at most ${MAX_KID_LENGTH} characters`;
  if (JSON.stringify(key).length > MAX_KEY_LENGTH)
    return `the key ${key.kid} has more than ${MAX_KEY_LENGTH} characters`;
  if (ALGORITHM_NAMES.some((alg) => keyComplaint(key, alg) === undefined)) return undefined;
  return `the key ${key.kid} fits none of ${ALGORITHM_NAMES.join(', ')}, is too short, or is not for signatures`;
}
