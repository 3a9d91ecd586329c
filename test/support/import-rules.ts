/** Reads the import table of ARCHITECTURE.md and judges what source files import by it. */
import { posix } from 'node:path';

/** What the files of a folder (or one file at the top of src) may import. */
export interface ImportRule {
  /** Other folders; `everything` stands for all of the project. */
  folders: ReadonlySet<string>;
  /** Packages and `node:` modules; a final `*` stands for any ending, `any` for all. */
  packages: readonly string[];
}

export type ImportTable = ReadonlyMap<string, ImportRule>;

/** Reads the rows of the table `| folder | may import | packages |`. Names stand in backticks, or bare in the middle. */
export function parseImportTable(markdown: string): ImportTable {
  const lines = markdown.split('\n');
  const head = lines.findIndex((line) => /^\|\s*folder\s*\|\s*may import\s*\|\s*packages\s*\|\s*$/i.test(line));
  if (head === -1) throw new Error('there is no table | folder | may import | packages |');
  const table = new Map<string, ImportRule>();
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break;
    const [, names = '', folders = '', packages = ''] = line.split('|').map((cell) => cell.trim());
    const rule = { folders: new Set(folders.match(/[\w.-]+/g)), packages: packagesOf(packages) };
    for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) table.set(name, rule);
  }
  return table;
}

/** Names in backticks; a cell without any names the packages by the first word between commas. */
function packagesOf(cell: string): string[] {
  if (cell.includes('`')) return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return cell.split(/[,;]/).flatMap((part) => part.trim().split(/\s+/).slice(0, 1));
}

/** The modules that a source file imports, type-only and dynamic imports and re-exports included. */
export function importsOf(source: string): string[] {
  const code = source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  const specifier = /(?<![\w.'"`])(?:from|import|require\s*\(|import\s*\()\s*(['"`])([^'"`\n]+)\1/g;
  return [...code.matchAll(specifier)].map(([, , name = '']) => name);
}

/** Whether a dynamic import computes what it imports, so that nobody can judge it. */
export function hasComputedImport(source: string): boolean {
  return /\b(?:import|require)\s*\(\s*(?!['"`][^'"`$\n]+['"`]\s*[,)])/.test(source);
}

/**
 * What a source file imports against the rules.
 * @param path relative to src, such as `federation/policy/operator.ts`
 * @returns one sentence for each violation
 */
export function importViolations(path: string, source: string, table: ImportTable): string[] {
  const folder = path.split('/')[0] ?? path;
  const rule = table.get(folder);
  if (rule === undefined) return [`src/${path}: the table has no row for ${folder}`];
  const violations = importsOf(source)
    .filter((name) => !isAllowed(name, path, folder, rule))
    .map((name) => `src/${path} imports ${name}, which ${folder} may not`);
  return hasComputedImport(source) ? [...violations, `src/${path} imports something computed`] : violations;
}

function isAllowed(name: string, path: string, folder: string, rule: ImportRule): boolean {
  if (!name.startsWith('.')) return rule.packages.some((allowed) => isPackage(name, allowed));
  const target = posix.normalize(posix.join(posix.dirname(path), name)).split('/')[0] ?? '';
  return target === folder || rule.folders.has(target) || rule.folders.has('everything');
}

function isPackage(name: string, allowed: string): boolean {
  if (allowed === 'any') return true;
  if (allowed.endsWith('*')) return name.startsWith(allowed.slice(0, -1));
  return name === allowed || name.startsWith(`${allowed}/`);
}
