/** The requirements of the standard and who answers for each: test titles and SPEC.md. */
import { existsSync, globSync, readFileSync } from 'node:fs';

export interface Requirement {
  /** Document, section and number, such as `OIDFED-10.2-5`. */
  id: string;
  level: 'MUST' | 'SHOULD' | 'MAY';
  gist: string;
  /** The issue of the project that it belongs to; 0 where it concerns others than us. */
  issue: number;
}

const ROOT = new URL('../../', import.meta.url);
const ID = '[A-Z]+(?:-[0-9.]+)?-[0-9]+';
/** Of the directory of what is built: `F20`. */
const ROW = 'F[0-9]{2}';

/** The whole of fixtures/spec/requirements.json. */
export function readRequirements(): Requirement[] {
  return JSON.parse(readFileSync(new URL('fixtures/spec/requirements.json', ROOT), 'utf8'));
}

/**
 * The ids that the titles of the tests of a source file start with, beside rows of the directory; where a title starts with
 * a placeholder such as `[%s]` or `[$id]`, the ids in its table of cases, each a string of its own. Comments, `skip` and
 * `todo` do not count.
 */
export function citedIds(source: string): string[] {
  const code = withoutComments(source);
  const ids = titleMarks(code).flatMap(mentionedIds);
  if (!/['"`]\[(?:%s|\$[\w.]+|\$\{[^}]+\})\] /.test(code)) return ids;
  const cases = new RegExp(`(['"\`])(${ID})\\1`, 'g');
  return [...ids, ...[...code.matchAll(cases)].map(([, , id = '']) => id)];
}

/** The rows of the directory that the titles of the tests of a source file start with, such as `F20`; as citedIds. */
export function citedRows(source: string): string[] {
  return titleMarks(withoutComments(source)).flatMap(
    (marks) => marks.match(new RegExp(`(?<=\\[)${ROW}(?=\\])`, 'g')) ?? [],
  );
}

function withoutComments(source: string): string {
  return source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
}

/** What titles start with that is in brackets. */
function titleMarks(code: string): string[] {
  const title = new RegExp(`(?<!\\.(?:skip|todo)\\(\\s*)['"\`]((?:\\[(?:${ID}|${ROW})\\]\\s*)+)`, 'g');
  return [...code.matchAll(title)].map(([, marks = '']) => marks);
}

/** Every id in a text. */
export function mentionedIds(text: string): string[] {
  return [...text.matchAll(new RegExp(`(?<![A-Za-z0-9-])${ID}(?![A-Za-z0-9.]*[0-9])`, 'g'))].map(([id]) => id);
}

/** The ids cited by test titles, each with the files that cite it. The test of this search is full of examples. */
export function readCitations(cited: (source: string) => string[] = citedIds): Map<string, string[]> {
  const citations = new Map<string, string[]>();
  for (const file of globSync('test/**/*.test.ts', { cwd: ROOT, exclude: ['test/spec-index.test.ts'] })) {
    for (const id of new Set(cited(readFileSync(new URL(file, ROOT), 'utf8')))) {
      citations.set(id, [...(citations.get(id) ?? []), file]);
    }
  }
  return citations;
}

/** The text of SPEC.md, which explains what we do otherwise or not at all; empty where there is no such file. */
export function readSpec(): string {
  const file = new URL('SPEC.md', ROOT);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
