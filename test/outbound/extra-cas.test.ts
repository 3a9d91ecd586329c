import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { readExtraCas } from '../../src/outbound/extra-cas.ts';
import { callHoldfast } from '../support/cli.ts';
import { buildFederation } from '../support/federation.ts';
import { testClient } from '../support/outbound.ts';
import { httpResponse, serveRaw } from '../support/raw-server.ts';
import { systemClock } from '../support/service-process.ts';
import { TEST_TLS_CERTIFICATE } from '../support/tls.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-cas-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function fileWith(name: string, content: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

describe('a file of certificate authorities', () => {
  it('gives its certificates, whatever stands around them', async () => {
    const file = await fileWith('two.pem', `# ours\n${TEST_TLS_CERTIFICATE}\nand again:\n${TEST_TLS_CERTIFICATE}`);
    expect(await readExtraCas(file)).toEqual([TEST_TLS_CERTIFICATE.trim(), TEST_TLS_CERTIFICATE.trim()]);
  });

  it('gives none where no file is configured', async () => {
    expect(await readExtraCas(undefined)).toEqual([]);
    expect(loadConfig({}).config.extraCaFile).toBeUndefined();
  });

  it.each([
    ['is not there', undefined, 'HOLDFAST_EXTRA_CA_FILE: cannot be read: ENOENT'],
    ['is empty', '', 'holds no certificate in PEM form'],
    ['holds something else', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', 'holds no certificate'],
    [
      'holds a broken certificate after a good one',
      `${TEST_TLS_CERTIFICATE}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`,
      /: certificate 2 in .+ cannot be read$/,
    ],
  ])('is refused when it %s', async (name, content, complaint) => {
    const file = content === undefined ? join(folder, 'missing.pem') : await fileWith(`${name}.pem`, content);
    await expect(readExtraCas(file)).rejects.toThrow(complaint);
  });

  it('makes a server trusted that nobody else vouches for', async () => {
    const extraCas = await readExtraCas(await fileWith('ca.pem', TEST_TLS_CERTIFICATE));
    await using server = await serveRaw((socket) => socket.end(httpResponse(200)), { tls: true });
    await using client = testClient({ extraCas });
    expect((await client.get(`https://127.0.0.1:${server.port}/`)).status).toBe(200);
  });
});

describe('HOLDFAST_EXTRA_CA_FILE', () => {
  it('is read by commands that contact entities', async () => {
    let configuration = '';
    await using server = await serveRaw(
      (socket) => {
        const headers = { 'content-type': 'application/entity-statement+jwt', connection: 'close' };
        socket.end(httpResponse(200, headers, configuration));
      },
      { tls: true },
    );
    const identifier = `https://127.0.0.1:${server.port}`;
    const federation = await buildFederation({ anchor: { identifier } }, { clock: systemClock });
    configuration = await federation.configuration('anchor');
    const file = await fileWith('cli.pem', TEST_TLS_CERTIFICATE);
    const args = ['anchor', 'fetch', identifier, '--json'];
    const trusting = await callHoldfast(args, { env: { HOLDFAST_EXTRA_CA_FILE: file } });
    expect(trusting).toMatchObject({ exitCode: 0, stderr: '' });
    const wary = await callHoldfast(args);
    expect(wary.exitCode).not.toBe(0);
    expect(`${wary.stdout}${wary.stderr}`).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  it.each([
    ['the service', ['serve']],
    ['commands that contact entities', ['anchor', 'fetch', 'https://fed.example']],
  ])('is refused by %s when it is not there', async (_, args) => {
    const env = { HOLDFAST_EXTRA_CA_FILE: join(folder, 'missing.pem'), HOLDFAST_DATA_DIR: join(folder, 'data') };
    const { exitCode, stderr } = await callHoldfast(args, { env });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('HOLDFAST_EXTRA_CA_FILE: cannot be read')]);
  });
});
