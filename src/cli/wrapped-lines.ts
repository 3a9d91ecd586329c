/** Lines that stay readable in a narrow terminal, with a margin of their own. */
import { printableLine } from './printable.ts';

/** Width of reports that wrap, in columns; wider terminals are not used, so that a copy looks the same anywhere. */
export const REPORT_WIDTH = 100;

/** However deep something is indented, this much of a line is left for it. */
const MIN_TEXT_WIDTH = 40;

/**
 * Breaks a text at its spaces, and longer words anywhere.
 * @param first margin of the first line
 * @param rest margin of all others
 */
export function wrappedLines(text: string, first: string, rest: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of wordsOf(text, textWidth(rest))) {
    const width = textWidth(lines.length === 0 ? first : rest);
    if (line !== '' && line.length + word.length > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += line === '' ? word.trimStart() : word;
  }
  lines.push(line.trimEnd());
  return lines.map((each, index) => `${index === 0 ? first : rest}${each}`.trimEnd());
}

function textWidth(margin: string): number {
  return Math.max(MIN_TEXT_WIDTH, REPORT_WIDTH - margin.length);
}

/** Words with the spaces before them, so that gaps within a line stay as they are. */
function wordsOf(text: string, width: number): string[] {
  return (printableLine(text).match(/ *[^ ]+/g) ?? []).flatMap((word) =>
    word.trimStart().length <= width ? [word] : (word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? []),
  );
}
