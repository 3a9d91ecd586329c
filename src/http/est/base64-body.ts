/** Base64 as EST sends it. @see RFC 8951 §3.1, RFC 4648 §4 */

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** In one line: strongSwan takes line breaks for letters. */
export function encodeBase64Body(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** @returns undefined for what is no base64, wherever its lines break */
export function decodeBase64Body(text: string): Uint8Array | undefined {
  const base64 = text.replaceAll(/[\r\n\t ]/g, '');
  return base64 === '' || !BASE64.test(base64) ? undefined : Buffer.from(base64, 'base64');
}
