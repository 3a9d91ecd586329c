import { mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostsFile, parseHosts } from '../../src/outbound/hosts-file.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-hosts-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the text of a hosts file', () => {
  it('gives names their addresses, in the order of its lines', () => {
    const entries = parseHosts(`
      # comment
      127.0.0.1\tlocalhost
      10.0.0.7   partner.example  Partner # 10.0.0.8 other.example
      fd00::7 partner.example\r
      10.0.0.7 partner.example
      #10.0.0.9 partner.example`);
    expect(Object.fromEntries(entries)).toEqual({
      localhost: ['127.0.0.1'],
      'partner.example': ['10.0.0.7', 'fd00::7'],
      partner: ['10.0.0.7'],
    });
  });

  it.each(['', 'partner.example 10.0.0.7', '10.0.0 partner.example', '10.0.0.7', '\0\0\0', '0x7f.1 partner.example'])(
    'passes over %j',
    (text) => {
      expect(parseHosts(text).size).toBe(0);
    },
  );
});

describe('a hosts file', () => {
  it('is read again when it changed, and only then', async () => {
    const path = join(folder, 'changing');
    const hosts = new HostsFile(path);
    expect(await hosts.addressesOf('partner.example')).toEqual([]);
    await writeFile(path, '10.0.0.7 partner.example');
    expect(await hosts.addressesOf('partner.example')).toEqual(['10.0.0.7']);
    expect(await hosts.addressesOf('other.example')).toEqual([]);

    const first = new Date(1_000_000_000_000);
    await utimes(path, first, first);
    expect(await hosts.addressesOf('partner.example')).toEqual(['10.0.0.7']);
    await writeFile(path, '10.0.0.8 partner.example');
    await utimes(path, first, first);
    expect(await hosts.addressesOf('partner.example')).toEqual(['10.0.0.7']);
    const second = new Date(1_000_000_001_000);
    await utimes(path, second, second);
    expect(await hosts.addressesOf('partner.example')).toEqual(['10.0.0.8']);

    await rm(path);
    expect(await hosts.addressesOf('partner.example')).toEqual([]);
  });

  it('is refused when it is too large or no file, as what it says would be passed over', async () => {
    const path = join(folder, 'large');
    await writeFile(path, '10.0.0.7 partner.example\n');
    await truncate(path, 16 * 1024 * 1024 + 1);
    await expect(new HostsFile(path).addressesOf('partner.example')).rejects.toThrow('larger than');
    await expect(new HostsFile(folder).addressesOf('partner.example')).rejects.toThrow('EISDIR');
  });
});
