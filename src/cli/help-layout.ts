/** How help texts are laid out: paragraphs fill the terminal, numbered and indented lines keep their margin. */

/** A paragraph becomes one line, and so does an item with its indented continuation. */
export function unwrapped(text: string): string {
  return text.replace(/(?<=\S)\n(?: {4,})?(?=\S)/g, ' ');
}

/** Breaks each line at its spaces; what follows stands below its first word, behind indentation and number. */
export function wrapped(text: string, width: number): string {
  return text
    .split(/\r?\n/)
    .flatMap((line) => wrappedLine(line, width))
    .join('\n');
}

function wrappedLine(line: string, width: number): string[] {
  const margin = /^ *(?:\d+\. )?/.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let current = margin;
  for (const word of line.slice(margin.length).match(/ *[^ ]+/g) ?? []) {
    if (current.trim() !== margin.trim() && current.length + word.length > width) {
      lines.push(current);
      current = ' '.repeat(margin.length) + word.trimStart();
    } else current += word;
  }
  return [...lines, current];
}
