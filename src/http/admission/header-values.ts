/** Headers as they were received: each value by itself, which Node joins or drops elsewhere. */
import type { IncomingMessage } from 'node:http';

/** @param name in small letters */
export function headerValues({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const found = rawHeaders[index];
    const value = rawHeaders[index + 1];
    if (found === undefined || value === undefined || found.length !== name.length) continue;
    if (found === name || found.toLowerCase() === name) values.push(value);
  }
  return values;
}
