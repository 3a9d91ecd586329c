import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { describe, expect, it } from 'vitest';
import { hasComputedImport, importsOf, importViolations, parseImportTable } from './support/import-rules.ts';

const ROOT = new URL('../', import.meta.url);
const architecture = readFileSync(new URL('ARCHITECTURE.md', ROOT), 'utf8');
const table = parseImportTable(architecture);
const sources = globSync('**/*.ts', { cwd: new URL('src/', ROOT) });

describe('ARCHITECTURE.md', () => {
  it('says who may import whom, and every file of src keeps to it', () => {
    expect(sources.length).toBeGreaterThan(20);
    const violations = sources.flatMap((path) =>
      importViolations(path, readFileSync(new URL(`src/${path}`, ROOT), 'utf8'), table),
    );
    expect(violations).toEqual([]);
  });

  it('lets federation verify and decode with jose, but neither sign nor make keys', () => {
    const federation = sources.filter((path) => path.startsWith('federation/'));
    const names = federation.flatMap((path) => namesFromJose(readFileSync(new URL(`src/${path}`, ROOT), 'utf8')));
    expect(names).toContain('compactVerify');
    expect(names.filter((name) => /sign|encrypt|generate|export|remote/i.test(name))).toEqual([]);
  });

  it('keeps the rules free of Node: nothing below src/federation imports a module or uses a global of it', () => {
    const federation = sources.filter((path) => path.startsWith('federation/'));
    const uses = federation.flatMap((path) => {
      const source = readFileSync(new URL(`src/${path}`, ROOT), 'utf8');
      const globals = source.match(
        /^(?!\s*(?:\/\/|\/?\*)).*\b(?:Buffer|process|global|setImmediate|NodeJS)\b(?=[.(])/gm,
      );
      return [...importsOf(source).filter(isBuiltin), ...(globals ?? [])].map((use) => `src/${path}: ${use}`);
    });
    expect(uses).toEqual([]);
  });

  it('has a row for what exists, and for nothing else', () => {
    const present = new Set(sources.map((path) => path.split('/')[0] ?? path));
    expect([...table.keys()].toSorted()).toEqual([...present].toSorted());
  });

  it('names only paths that exist', () => {
    const paths = [...architecture.matchAll(/`((?:src|test|drizzle|scripts|fixtures)\/[^`\s]*)`/g)];
    const missing = paths.map(([, path = '']) => path).filter((path) => !existsSync(new URL(fixedPart(path), ROOT)));
    expect(missing).toEqual([]);
  });
});

function namesFromJose(source: string): string[] {
  const imports = [...source.matchAll(/import\s*(?:type\s*)?\{([^}]*)\}\s*from\s*'jose'/g)];
  return imports.flatMap(([, names = '']) => names.split(',').map((name) => name.trim()));
}

/** The path up to the folder of its first placeholder: `src/http/<group>/*.ts` gives `src/http/`. */
function fixedPart(path: string): string {
  const placeholder = path.search(/[<*{…]/);
  return placeholder === -1 ? path : path.slice(0, path.lastIndexOf('/', placeholder) + 1);
}

describe('the import rules', () => {
  const rules = parseImportTable(`
text before
| folder | may import | packages |
|---|---|---|
| \`federation\` | (nothing) | \`zod\`, \`jose\` to verify only |
| \`storage\` | federation | drizzle-orm, @electric-sql/pglite |
| \`http\` | \`federation\`, \`storage\` | \`hono\`, \`node:*\` |
| \`cli\`, \`start.ts\` | everything | any |

| other | table | here |
`);
  const judged = (path: string, source: string): string[] => importViolations(path, source, rules);

  it('are read from the table', () => {
    expect([...rules.keys()]).toEqual(['federation', 'storage', 'http', 'cli', 'start.ts']);
    expect(rules.get('storage')?.packages).toEqual(['drizzle-orm', '@electric-sql/pglite']);
    expect(() => parseImportTable('| a | b |')).toThrow('no table');
  });

  it.each([
    ["import { open } from '../storage/connect.ts';", '../storage/connect.ts'],
    ["import type { Db } from '../storage/connect.ts';", '../storage/connect.ts'],
    ["import {\n  type Db,\n  open,\n} from '../storage/connect.ts';", '../storage/connect.ts'],
    ["import '../storage/connect.ts';", '../storage/connect.ts'],
    ["export { open } from '../storage/connect.ts';", '../storage/connect.ts'],
    ["export * from '../storage/connect.ts';", '../storage/connect.ts'],
    ["const storage = await import('../storage/connect.ts');", '../storage/connect.ts'],
    ['const storage = await import(`../storage/connect.ts`);', '../storage/connect.ts'],
    ["let db: import('../storage/connect.ts').Db;", '../storage/connect.ts'],
    ["import x from './policy/../../storage/connect.ts';", './policy/../../storage/connect.ts'],
    ["import x from '../../test/support/keys.ts';", '../../test/support/keys.ts'],
    ["import x from '../start.ts';", '../start.ts'],
    ["import { Hono } from 'hono';", 'hono'],
    ["import x from 'zod-evil';", 'zod-evil'],
    ["import { readFileSync } from 'node:fs';", 'node:fs'],
    ["const fs = require('fs');", 'fs'],
  ])('flag a forbidden import: %s', (source, name) => {
    expect(judged('federation/time.ts', source)).toEqual([
      `src/federation/time.ts imports ${name}, which federation may not`,
    ]);
  });

  it('flag every forbidden import of a file', () => {
    const source = "import a from 'hono';\nimport b from 'undici';import c from '../http/d.ts'";
    expect(judged('storage/connect.ts', source)).toHaveLength(3);
  });

  it.each([
    ['federation/time.ts', "import { z } from 'zod'; import { base64url } from 'jose';"],
    ['federation/policy/scope.ts', "import { x } from '../json.ts'; import type { Y } from './operator.ts';"],
    [
      'storage/schema/bytea.ts',
      "import { z } from 'drizzle-orm/pg-core'; import { x } from '../../federation/json.ts';",
    ],
    ['http/app.ts', "import { createServer } from 'node:http'; import { x } from '../storage/connect.ts';"],
    ['start.ts', "import x from './http/app.ts'; import y from 'anything';"],
    ['cli/main.ts', "import x from '../start.ts'; import y from '../../package.json' with { type: 'json' };"],
    ['federation/time.ts', '/**\n * @example import { Hono } from "hono";\n */\n// import x from \'../storage/x.ts\''],
    ['federation/time.ts', "const message = 'import nothing'; const at = import.meta.url;"],
  ])('let %s do what it may: %s', (path, source) => {
    expect(judged(path, source)).toEqual([]);
  });

  it('flag what nobody can read and folders without a row', () => {
    expect(judged('federation/time.ts', 'await import(name)')).toEqual([
      'src/federation/time.ts imports something computed',
    ]);
    expect(hasComputedImport(`await import(\`./\${name}.ts\`)`)).toBe(true);
    expect(hasComputedImport("await import('./a.ts')")).toBe(false);
    expect(judged('console/page.ts', '')).toEqual(['src/console/page.ts: the table has no row for console']);
  });

  it('see every kind of import', () => {
    expect(importsOf("import a from 'a'; export * from \"b\"; import 'c'; import('d'); require( 'e' )")).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
    ]);
  });
});
