/** A folder for the files of some tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * @example
 * const folder = new TemporaryFolder();
 * afterAll(() => folder[Symbol.dispose]());
 * const keys = folder.write('keys.json', { keys: [] });
 */
export class TemporaryFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'holdfast-test-'));

  /** The path of what is, or will be, in it. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Writes text and bytes as they are, anything else as JSON. @returns the path of the file */
  write(name: string, content: unknown): string {
    const file = this.at(name);
    const isPlain = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(file, isPlain ? content : JSON.stringify(content));
    return file;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
