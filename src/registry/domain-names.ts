/** Domain names that are not what they seem: which scripts the letters behind `xn--` come from. @see RFC 5890, UTS 39 */
import { domainToUnicode } from 'node:url';

/** How people read a name with letters beyond ASCII. */
export interface InternationalDomain {
  unicode: string;
  /** Scripts of its letters, such as `Latin` and `Cyrillic`. */
  scripts: string[];
  /** Whether a label mixes scripts that no language writes together: a common disguise. */
  isMixed: boolean;
}

const SCRIPTS = [
  ...['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Georgian', 'Cherokee', 'Hebrew', 'Arabic', 'Devanagari', 'Bengali'],
  ...['Tamil', 'Thai', 'Ethiopic', 'Khmer', 'Han', 'Hiragana', 'Katakana', 'Bopomofo', 'Hangul'],
];
const MATCHERS = SCRIPTS.map((script) => [script, new RegExp(`^\\p{Script=${script}}$`, 'u')] as const);
const OF_NO_SCRIPT = /^[\p{Script=Common}\p{Script=Inherited}]$/u;

/** Scripts that Japanese, Chinese and Korean write in one word. */
const WRITTEN_TOGETHER = [
  new Set(['Latin', 'Han', 'Hiragana', 'Katakana']),
  new Set(['Latin', 'Han', 'Bopomofo']),
  new Set(['Latin', 'Han', 'Hangul']),
];

/** @param host as `URL.hostname` spells it. @returns null for a name in ASCII, or none */
export function internationalDomain(host: string): InternationalDomain | null {
  if (!/(?:^|\.)xn--/i.test(host)) return null;
  const unicode = domainToUnicode(host);
  if (unicode === '' || unicode === host) return null;
  const labels = unicode.split('.').map(scriptsOf);
  return {
    unicode,
    scripts: [...new Set(labels.flat())],
    isMixed: labels.some((scripts) => !isWrittenTogether(scripts)),
  };
}

/** The same for the domain of an email address. */
export function internationalAddress(email: string): InternationalDomain | null {
  return internationalDomain(email.slice(email.lastIndexOf('@') + 1));
}

/** The same for the host of a URL. */
export function internationalHost(url: string): InternationalDomain | null {
  return internationalDomain(URL.parse(url)?.hostname ?? '');
}

function scriptsOf(label: string): string[] {
  const scripts = [...label]
    .filter((letter) => !OF_NO_SCRIPT.test(letter))
    .map((letter) => MATCHERS.find(([, matcher]) => matcher.test(letter))?.[0] ?? 'other');
  return [...new Set(scripts)];
}

function isWrittenTogether(scripts: readonly string[]): boolean {
  if (scripts.length < 2) return true;
  return WRITTEN_TOGETHER.some((together) => scripts.every((script) => together.has(script)));
}
