/** Builds pkcs11js, which Holdfast does not install by itself, in a folder of its own and keeps it for later runs. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { PKCS11JS_CACHE, PKCS11JS_VERSION } from '../../scripts/bench/service/pkcs11js-cache.ts';

const run = promisify(execFile);

/**
 * Installed from npm as an operator would, except that the headers of Node come from npm as well: from the package that
 * `npm ci` got its Node from. It takes a compiler, make and Python.
 * @returns the folder for NODE_PATH
 */
export async function buildPkcs11js(): Promise<string> {
  if (existsSync(path.join(PKCS11JS_CACHE, 'pkcs11js/build/Release/pkcs11.node'))) return PKCS11JS_CACHE;
  const home = path.dirname(PKCS11JS_CACHE);
  await mkdir(path.dirname(home), { recursive: true });
  const folder = await mkdtemp(`${home}-`);
  await writeFile(path.join(folder, 'package.json'), '{ "name": "pkcs11js-for-tests", "private": true }');
  const node = `node-${process.platform}-${process.arch}`;
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-save'];
  await npm([...install, '--ignore-scripts', `${node}@${process.versions.node}`], folder);
  const packages = [`${node}@${process.versions.node}`, `pkcs11js@${PKCS11JS_VERSION}`];
  await npm([...install, ...packages], folder, { npm_config_nodedir: path.join(folder, 'node_modules', node) });
  // Its headers are no longer needed, and it is large.
  await rm(path.join(folder, 'node_modules', node), { recursive: true });
  await rm(home, { recursive: true, force: true });
  await rename(folder, home);
  return PKCS11JS_CACHE;
}

async function npm(args: readonly string[], cwd: string, settings: Record<string, string> = {}): Promise<void> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_)|npm_config_local_prefix$|INIT_CWD$)/.test(name),
  );
  await run('npm', [...args], { cwd, env: { ...Object.fromEntries(inherited), ...settings } });
}
