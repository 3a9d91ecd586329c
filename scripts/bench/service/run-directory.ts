/** Where a run of the bench keeps its files, none of which outlive it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

let directory: string | undefined;

export function runDirectory(): string {
  if (directory === undefined) {
    const made = mkdtempSync(path.join(tmpdir(), 'holdfast-bench-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    directory = made;
  }
  return directory;
}
