/** Text of others made safe for a terminal: it can neither move the cursor nor rewrite what stands there. */

/** C0 but tab and line feed, delete, C1; then what changes the direction of text or cannot be seen. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Shows control and direction characters as `\u001b`; in JSON text they keep their meaning that way. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same for text that has to stay in its line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\t\n]+/g, ' ');
}
