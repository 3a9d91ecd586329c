import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config/config.ts';
import { type Service, startService } from '../src/start.ts';
import { StartError } from '../src/start-error.ts';
import { freePort } from './support/cli.ts';
import { TEST_TLS_CERTIFICATE } from './support/tls.ts';

let folder: string;
let dataDir: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-start-'));
  dataDir = join(folder, 'data');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(port: number, settings: Record<string, string> = {}): Promise<Service> {
  const environment = { PORT: String(port), HOLDFAST_DATA_DIR: dataDir, HOLDFAST_LOG_LEVEL: 'silent', ...settings };
  return startService(loadConfig(environment));
}

/** What a port answers as soon as it answers at all. */
async function firstAnswer(url: string): Promise<Response> {
  const answer = await fetch(url).catch(() => undefined);
  return answer ?? (await firstAnswer(url));
}

describe('the start of the service', () => {
  it('turns requests away until everything is ready', async () => {
    const port = await freePort();
    const url = `http://localhost:${port}/.well-known/openid-federation`;
    const starting = start(port);
    const early = await firstAnswer(url);
    await using _service = await starting;
    expect({ status: early.status, retryAfter: early.headers.get('retry-after') }).toEqual({
      status: 503,
      retryAfter: '1',
    });
    expect(await early.json()).toMatchObject({ error: 'temporarily_unavailable' });
    expect((await fetch(url)).status).toBe(200);
  });

  it('creates nothing before it listens, and frees the port when it fails later', async () => {
    const port = await freePort();
    {
      await using _first = await start(port);
      const elsewhere = join(folder, 'elsewhere');
      await expect(start(port, { HOLDFAST_DATA_DIR: elsewhere })).rejects.toThrow(StartError);
      expect(existsSync(elsewhere)).toBe(false);
      const other = await freePort();
      for (let attempt = 0; attempt < 2; attempt++) {
        await expect(start(other)).rejects.toMatchObject({ name: 'DataDirectoryInUse' });
      }
    }
    await using again = await start(port);
    expect(again.summary.authorities).toEqual([expect.objectContaining({ entityIdentifier: again.url })]);
  });

  it.each([
    ['missing', 'no such file'],
    ['of another kind', 'HOLDFAST_TLS_KEY_FILE'],
  ])('creates nothing when the key for https is %s', async (which, complaint) => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(cert, TEST_TLS_CERTIFICATE);
    if (which !== 'missing') writeFileSync(key, 'not a key');
    const settings = { HOLDFAST_TLS_CERT_FILE: cert, HOLDFAST_TLS_KEY_FILE: key };
    const failed = start(await freePort(), { ...settings, HOLDFAST_BASE_URL: 'https://localhost' });
    await expect(failed).rejects.toMatchObject({ name: 'StartError', message: expect.stringContaining(complaint) });
    expect(existsSync(dataDir)).toBe(false);
  });

  it('tells every way out when nobody has the identifier of HOLDFAST_BASE_URL', async () => {
    const [first, second] = [await freePort(), await freePort()];
    await (await start(first))[Symbol.asyncDispose]();
    await using service = await start(second);
    const note = service.summary.notes.join('\n');
    expect(note).toContain(`no authority has the identifier http://localhost:${second}`);
    expect(note).toContain('An Entity Identifier cannot be changed');
    expect(note).toContain(`HOLDFAST_BASE_URL=http://localhost:${first}`);
    expect(note).toContain(`holdfast authority add http://localhost:${second} --name`);
    expect(note).toContain(`another HOLDFAST_DATA_DIR than ${dataDir}`);
  });
});
