/** Statements in odd or forbidden encodings, and fetch endpoints that lead where none may be, over real HTTP. @see OIDFED §1.1, §3, §5.1.1 */
import { describe, it } from 'vitest';
import type { FederationServer } from '../support/federation-server.ts';
import { expectRefused, type Forgery } from '../support/forgeries.ts';

const ENCODINGS: Forgery[] = [
  payload(
    'a claim twice',
    (json) => json.replace('{', '{"iss":"https://anchor.example",'),
    'json_duplicate_member (§6.1)',
  ),
  payload(
    'a claim twice, once in escapes',
    (json) => json.replace('{', String.raw`{"\u0069ss":"https://anchor.example",`),
    'json_duplicate_member (§6.1)',
  ),
  payload('JSON that nests 100,000 deep', () => `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'json_too_deep (§3)'),
  payload(
    'a member that nests 33 deep',
    (json) => json.replace('{', `{"x":${'['.repeat(33)}${']'.repeat(33)},`),
    'json_too_deep (§3)',
  ),
  payload('a member __proto__', (json) => json.replace('{', '{"__proto__":{},'), 'json_member_forbidden (§3)'),
  payload('claims that are a list', () => '[]', 'jwt_malformed (§1.1)'),
  payload('claims cut off in the middle', (json) => json.slice(0, -5), 'json_malformed (§3)'),
  payload('claims that begin with a byte order mark', (json) => `\ufeff${json}`, 'json_malformed (§3)'),
  payload('claims that are not UTF-8', () => new Uint8Array([0x7b, 0xff, 0x7d]), 'jwt_malformed (§1.1)'),
  payload(
    'a statement of a megabyte',
    (json) => json.replace('{', `{"x":"${'x'.repeat(750_000)}",`),
    'response_too_large (§18.1)',
  ),
  rewritten('base64 with padding', (jwt) => `${jwt}==`, 'jwt_malformed (§1.1)'),
  rewritten(
    'base64 of the other alphabet',
    (jwt) => jwt.replaceAll('-', '+').replaceAll('_', '/').concat('+'),
    'jwt_malformed (§1.1)',
  ),
  rewritten('base64 with hidden bits', hiddenBits, 'jwt_malformed (§1.1)'),
  rewritten('a line feed at the end', (jwt) => `${jwt}\n`, 'jwt_malformed (§1.1)'),
  rewritten('a fourth part', (jwt) => `${jwt}.AAAA`, 'jwt_malformed (§1.1)'),
  rewritten('no signature', (jwt) => jwt.slice(0, jwt.lastIndexOf('.') + 1), 'jwt_malformed (§1.1)'),
  rewritten('two statements', (jwt) => `${jwt}${jwt}`, 'jwt_malformed (§1.1)'),
  rewritten('nothing but dots', () => '..', 'jwt_malformed (§1.1) header'),
  {
    title: 'a signature cut off',
    forged: 'statement',
    with: { signature: (_, regular) => regular.subarray(0, 32) },
    refused: 'signature_invalid (§3.2) header/kid',
  },
  {
    title: 'a signature of zeros',
    forged: 'statement',
    with: { signature: (_, regular) => new Uint8Array(regular.length) },
    refused: 'signature_invalid (§3.2) header/kid',
  },
];

const ENDPOINTS: Forgery[] = [
  endpoint('a file', 'file:///etc/passwd', 'metadata_invalid (§5)'),
  endpoint('a URL with user info', 'https://user:secret@anchor.example/fetch', 'metadata_invalid (§5)'),
  endpoint('a URL with a fragment', 'https://anchor.example/fetch#op', 'metadata_invalid (§5)'),
  endpoint('a relative URL', '/fetch', 'metadata_invalid (§5)'),
  endpoint('http beyond this machine', 'http://anchor.example/fetch', 'metadata_invalid (§5)'),
  endpoint(
    'a private address',
    'https://10.0.0.1/fetch',
    'op evil: address_forbidden (§18.1) at Subordinate Statement',
  ),
  endpoint(
    'a private address in octal',
    'https://012.0.0.1/fetch',
    'op evil: address_forbidden (§18.1) at Subordinate Statement',
  ),
  endpoint(
    'the metadata service of a cloud',
    'https://169.254.169.254/latest',
    'op evil: address_forbidden (§18.1) at Subordinate Statement',
  ),
  endpoint(
    'an IPv4 address inside IPv6',
    'https://[::ffff:10.0.0.1]/fetch',
    'op evil: address_forbidden (§18.1) at Subordinate Statement',
  ),
];

describe.each([
  ['encodings', ENCODINGS],
  ['fetch endpoints', ENDPOINTS],
] as const)('%s', (_, forgeries) => {
  it.each(forgeries)('refuses $title, and resolves over a good superior beside it', expectRefused);
});

function payload(title: string, payloadText: (json: string) => string | Uint8Array, refused: string): Forgery {
  return { title, forged: 'statement', with: { payloadText }, refused };
}

function rewritten(title: string, rewrite: (jwt: string) => string, refused: string): Forgery {
  const jwtOf = async ({ federation }: FederationServer): Promise<string> =>
    rewrite(await federation.subordinateStatement('evil', 'op'));
  return { title, forged: 'statement', with: jwtOf, refused };
}

function endpoint(title: string, federation_fetch_endpoint: string, refused: string): Forgery {
  const at = refused.startsWith('metadata') ? ' /metadata/federation_entity/federation_fetch_endpoint' : '';
  const claims = { metadata: { federation_entity: { federation_fetch_endpoint } } };
  return { title, forged: 'configuration', with: { claims }, refused: `${refused}${at}` };
}

/** The same signature bytes with a bit set where none belongs: 64 bytes leave four bits over in the last character. */
function hiddenBits(jwt: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return jwt.slice(0, -1) + alphabet[alphabet.indexOf(jwt.at(-1) ?? '') + 1];
}
