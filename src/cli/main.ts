#!/usr/bin/env node
/** The `holdfast` program: refuses a Node that is too old before anything is loaded that needs a newer one. */
const OLDEST_NODE_MAJOR = 24;

const major = Number(process.versions.node.split('.', 1)[0]);
if (major < OLDEST_NODE_MAJOR) {
  process.stderr.write(
    `holdfast needs Node ${OLDEST_NODE_MAJOR} or newer, and this is ${process.versions.node}.\n` +
      'Install a newer one; in a clone of holdfast, `npx holdfast` brings its own.\n',
  );
  process.exitCode = 2;
} else {
  const { runProgram } = await import('./program.ts');
  process.exitCode = await runProgram(process.argv.slice(2), process);
}
