/** The code of a client, which is the password of HTTP Basic authentication. @see RFC 7617, RFC 7030 §3.2.3 */
import { RegistryError } from '../../registry/registry-error.ts';

const BASIC = /^basic +([A-Za-z0-9+/]{4,2048}={0,2}) *$/i;

/** @throws RegistryError code_invalid */
export function codeOf(authorization: string | undefined): string {
  const [, encoded = ''] = BASIC.exec(authorization ?? '') ?? [];
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  const separator = credentials.indexOf(':');
  const code = separator === -1 ? '' : credentials.slice(separator + 1);
  if (code !== '') return code;
  const message =
    'send the code as the password of HTTP Basic authentication; whoever runs the registry makes one with `holdfast certificate code`';
  throw new RegistryError('code_invalid', message);
}
