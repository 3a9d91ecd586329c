import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config/config.ts';
import { openEntrance } from '../src/start-entrance.ts';
import { freePort } from './support/cli.ts';
import { TEST_TLS_CERTIFICATE, TEST_TLS_KEY } from './support/tls.ts';

const POINT_ID = '019baf5e-0000-7000-8000-00000000000a';
const ADMISSION = '/api/v1/admission/http/x';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-entrance-'));
  path = join(folder, 'point.sock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function entrance(settings: Record<string, string> = {}) {
  const PORT = String(await freePort());
  return await openEntrance(loadConfig({ PORT, ...settings }).config);
}

const admissionSocket = () => ({ HOLDFAST_ADMISSION_SOCKETS: `${POINT_ID}=${path}` });

/** An app that says which of its doors was called. */
const APP = {
  fetch: () => new Response(),
  listener: (_: unknown, outgoing: { end(text: string): void }) => outgoing.end('all'),
  admissionListener: (_: unknown, outgoing: { end(text: string): void }) => outgoing.end('admission'),
};

async function answer(asked: ReturnType<typeof request>): Promise<{ status: number | undefined; text: string }> {
  asked.end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, text: Buffer.concat(await response.toArray()).toString() };
}

it('lets nobody in before the service is ready: gateways hear 403 and service_starting at every door', async () => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  writeFileSync(cert, TEST_TLS_CERTIFICATE);
  writeFileSync(key, TEST_TLS_KEY);
  const [port, mtlsPort] = [await freePort(), await freePort()];
  const mtls = { HOLDFAST_MTLS_PORT: String(mtlsPort), HOLDFAST_MTLS_CERT_FILE: cert, HOLDFAST_MTLS_KEY_FILE: key };
  await using opened = await entrance({ PORT: String(port), ...mtls, ...admissionSocket() });
  const doors = [
    () => request({ host: '127.0.0.1', port, path: ADMISSION, agent: false }),
    () => request({ socketPath: path, path: ADMISSION, agent: false, method: 'POST' }),
    () => requestTls({ host: '127.0.0.1', port: mtlsPort, path: ADMISSION, agent: false, rejectUnauthorized: false }),
  ];
  for (const door of doors) {
    const asked = door();
    asked.end();
    const [{ statusCode, headers }] = await once(asked, 'response');
    expect(statusCode).toBe(403);
    expect(headers).toMatchObject({ 'holdfast-reason': 'service_starting', 'cache-control': 'no-store' });
  }
  const elsewhere = request({ host: '127.0.0.1', port, path: '/api/v1/admission', agent: false, method: 'POST' });
  expect(await answer(elsewhere)).toMatchObject({ status: 503 });
  opened.admit(APP);
  expect(await answer(request({ host: '127.0.0.1', port, path: ADMISSION, agent: false }))).toMatchObject({
    text: 'all',
  });
});

describe('a UNIX socket for admission', () => {
  it('is for its owner and group, serves admission alone, and goes with the service', async () => {
    const opened = await entrance(admissionSocket());
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect(await answer(request({ socketPath: path, path: ADMISSION, agent: false }))).toMatchObject({ status: 403 });
    opened.admit(APP);
    expect(await answer(request({ socketPath: path, path: '/x', agent: false }))).toEqual({
      status: 200,
      text: 'admission',
    });
    await opened[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
  });

  it('takes the place of one that a dead process left', async () => {
    const leave = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', leave]);
    expect(existsSync(path)).toBe(true);
    await using opened = await entrance(admissionSocket());
    opened.admit(APP);
    expect(await answer(request({ socketPath: path, agent: false }))).toMatchObject({ text: 'admission' });
  });

  it('takes the place of nothing else', async () => {
    {
      await using _first = await entrance(admissionSocket());
      await expect(entrance(admissionSocket())).rejects.toThrow(`cannot listen on ${path} (EADDRINUSE)`);
      expect(existsSync(path)).toBe(true);
    }
    writeFileSync(path, 'somebody’s');
    await expect(entrance(admissionSocket())).rejects.toThrow('which HOLDFAST_ADMISSION_SOCKETS names');
    expect(existsSync(path)).toBe(true);
  });
});

describe('the port that asks for client certificates', () => {
  it('serves everything, and is given up with the others', async () => {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    writeFileSync(cert, TEST_TLS_CERTIFICATE);
    writeFileSync(key, TEST_TLS_KEY);
    const port = await freePort();
    const settings = { HOLDFAST_MTLS_PORT: String(port), HOLDFAST_MTLS_CERT_FILE: cert, HOLDFAST_MTLS_KEY_FILE: key };
    {
      await using opened = await entrance({ ...settings, ...admissionSocket() });
      const options = { host: '127.0.0.1', port, rejectUnauthorized: false, agent: false };
      expect(await answer(requestTls({ ...options, path: ADMISSION }))).toMatchObject({ status: 403 });
      expect(await answer(requestTls({ ...options, path: '/x' }))).toMatchObject({ status: 503 });
      opened.admit(APP);
      expect(await answer(requestTls({ ...options, path: '/x' }))).toEqual({ status: 200, text: 'all' });
    }
    writeFileSync(key, 'not a key');
    await expect(entrance({ ...settings, ...admissionSocket() })).rejects.toThrow('HOLDFAST_MTLS_KEY_FILE');
    const again = createServer();
    again.listen(port, '127.0.0.1');
    await once(again, 'listening');
    again.close();
  });
});
