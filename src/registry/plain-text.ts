/** Texts that people write and read, whoever hands them in: what reads alike is alike, and a line stays a line. */

const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_LAYOUT = /[^\P{Cc}\t\r\n]/u;
const LINE_SEPARATOR = /[\u2028\u2029]/;
/** What turns the direction of the text around it, and what nobody can see: texts that read alike must be alike. */
const DISGUISE = /[\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;

/** One line with something visible in it. */
export function isLine(text: string): boolean {
  return text.trim() !== '' && !CONTROL.test(text) && !LINE_SEPARATOR.test(text);
}

/** Lines with something visible in them. */
export function isText(text: string): boolean {
  return text.trim() !== '' && !CONTROL_BUT_LAYOUT.test(text);
}

export function isUndisguised(text: string): boolean {
  return !DISGUISE.test(text);
}
