/** The system's hosts file: addresses that the operator gives to names, whatever DNS says. */
import { open, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

/** Block lists of some hundred thousand names fit; anything larger is no hosts file. */
const MAX_HOSTS_BYTES = 16 * 1024 * 1024;

/** Addresses by host name in lower case, in the order of the file. */
export type HostsEntries = ReadonlyMap<string, readonly string[]>;

/** Reads lines of an address and the names that have it; what is no such line is passed over, as the system does. */
export function parseHosts(text: string): HostsEntries {
  const entries = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const written of names) {
      const name = written.toLowerCase();
      const addresses = entries.get(name);
      if (addresses === undefined) entries.set(name, [address]);
      else if (!addresses.includes(address)) addresses.push(address);
    }
  }
  return entries;
}

/** Follows a hosts file: read when first asked, and again when it has changed. A file that is absent names nobody. */
export class HostsFile {
  readonly #path: string;
  #version = '';
  #entries: HostsEntries = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The addresses of a name; empty when the file does not name it.
   * @param name in lower case, without a final dot
   * @throws Error when the file cannot be read or is larger than 16 MiB: to go on would pass over what it says
   */
  async addressesOf(name: string): Promise<readonly string[]> {
    await this.#follow();
    return this.#entries.get(name) ?? [];
  }

  async #follow(): Promise<void> {
    const version = await versionOf(this.#path);
    if (version === this.#version) return;
    const entries = version === ABSENT ? new Map() : parseHosts(await readBounded(this.#path));
    this.#entries = entries;
    this.#version = version;
  }
}

const ABSENT = 'absent';

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ABSENT;
    throw error;
  }
}

async function readBounded(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_HOSTS_BYTES) throw new Error(`${path} is larger than ${MAX_HOSTS_BYTES} bytes`);
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await file.read(buffer, 0, size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
