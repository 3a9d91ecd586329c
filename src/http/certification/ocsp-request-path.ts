/** The request for the status of certificates in a path. @see RFC 6960 Appendix A.1, RFC 5019 §5 */
import { MAX_OCSP_REQUEST_BYTES } from '../../pki/ocsp/parse-ocsp-request.ts';

/**
 * @param text base64 of DER, of which some clients escape `+`, `/` and `=`, and some nothing
 * @returns undefined for what is no base64, or longer than any request
 */
export function requestInPath(text: string): Buffer | undefined {
  if (text.length > MAX_OCSP_REQUEST_BYTES * 4) return undefined;
  try {
    const base64 = text.includes('%') ? decodeURIComponent(text) : text;
    return /^[A-Za-z0-9+/]+={0,2}$/.test(base64) ? Buffer.from(base64, 'base64') : undefined;
  } catch {
    return undefined;
  }
}
