/** Preloaded with `--import`: writes the URLs of all modules that a program loads to the file HOLDFAST_TEST_MODULES. */
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const file = process.env['HOLDFAST_TEST_MODULES'];
if (file === undefined) throw new Error('HOLDFAST_TEST_MODULES names no file');
const urls = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    urls.add(url);
    return nextLoad(url, context);
  },
});
process.on('exit', () => writeFileSync(file, JSON.stringify([...urls])));
