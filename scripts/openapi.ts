/** Writes openapi.yaml from the routes; with `--check` only tells whether it is up to date. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openApiYaml } from '../src/http/openapi/document.ts';

const FILE = join(import.meta.dirname, '../openapi.yaml');

const current = openApiYaml();
if (!process.argv.includes('--check')) {
  await writeFile(FILE, current);
  console.log(`wrote ${FILE}`);
} else if ((await readFile(FILE, 'utf8').catch(() => '')) !== current) {
  console.error('openapi.yaml differs from the routes; run: npm run openapi');
  process.exitCode = 1;
}
