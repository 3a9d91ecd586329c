#!/usr/bin/env node
/** The `holdfast` program: in a clone the sources, never an old build of them; in an installed package what was built. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sources = new URL('../src/cli/main.ts', import.meta.url);
const built = new URL('../dist/cli/main.js', import.meta.url);
const ownNode = new URL('../node_modules/node/bin/node', import.meta.url);
const isOld = Number(process.versions.node.split('.', 1)[0]) < 24;

if (isOld && existsSync(sources) && existsSync(ownNode)) {
  // An older Node cannot run the sources; a clone has a newer one of its own.
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const { status } = spawnSync(fileURLToPath(ownNode), args, { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  await import(existsSync(sources) ? sources.href : built.href);
}
