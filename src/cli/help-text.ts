/** Examples at the end of a command's help. */
import { asTyped } from './invocation.ts';

/** One or more command lines, each with an optional remark before it (a line that begins with `#`). */
export function example(...lines: readonly string[]): string {
  const shown = lines.map((line) => (line.startsWith('#') ? `  ${line}` : `  $ ${line}`));
  return `\n${lines.length > 1 ? 'Examples' : 'Example'}:\n${asTyped(shown.join('\n'))}`;
}
