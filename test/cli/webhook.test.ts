import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReceiver, type ReceivedEvent } from '../../examples/receiver/receiver.js';
import { callHoldfast, freePort, type RunningCommand, serveHoldfast } from '../support/cli.ts';

let folder: string;
let service: RunningCommand;
let env: Record<string, string>;
let server: Server;
let receiver: RequestListener = (_request, response) => void response.writeHead(503).end();
const told = Promise.withResolvers<ReceivedEvent>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-webhooks-'));
  server = createServer((request, response) => receiver(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = await freePort();
  env = {
    HOLDFAST_URL: `http://localhost:${port}`,
    HOLDFAST_TOKEN: 'an-admin-token-for-the-test-with-enough-bytes',
  };
  service = await serveHoldfast({
    PORT: String(port),
    HOLDFAST_DATA_DIR: folder,
    HOLDFAST_ADMIN_TOKEN: env['HOLDFAST_TOKEN'] ?? '',
  });
});
afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const call = (args: string[]) => callHoldfast(args, { env });

/** Runs a command that has to succeed. @returns all that it said */
async function done(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await call(args);
  expect(exitCode, stderr).toBe(0);
  return stdout + stderr;
}

describe('holdfast webhook', () => {
  it('[F50] subscribes a receiver, which the running service then tells of a change', async () => {
    const file = join(folder, 'secret');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    const added = await done('webhook', 'add', 'ops', url, '--type', 'organisation.*', '--secret-file', file);
    expect(added).toMatch(/events +organisation\.\*\n/);
    const secret = readFileSync(file, 'utf8').trim();
    expect(added).not.toContain(secret);
    expect((await call(['webhook', 'ping', 'ops'])).stderr).toContain('it answered 503');
    receiver = createReceiver({
      secret,
      handle: (event) => {
        if (event.type !== 'webhook.ping') told.resolve(event);
      },
    });
    expect(await done('webhook', 'ping', 'ops')).toContain('ops took it: 204');
    await done('organisation', 'add', 'Example University', '--contact', 'incident=soc@example.edu');
    expect(await told.promise).toMatchObject({
      type: 'organisation.added',
      data: { subject: { name: 'Example University' } },
    });
    expect(await done('webhook', 'deliveries', 'ops')).toMatch(/evt_\d+_0 +organisation\.added/);
    expect(await done('webhook', 'pause', 'ops', '--reason', 'x')).toContain('ops is paused now.');
    expect(await done('webhook', 'resume', 'ops', '--reason', 'x')).toContain('ops is active now.');
    expect(await done('webhook', 'replay', 'ops', '--dead')).toContain('deliveries of ops wait now.');
    expect((await call(['webhook', 'replay', 'ops'])).exitCode).toBe(2);
    const rotated = await call(['webhook', 'rotate-secret', 'ops', '--yes']);
    expect(rotated.stdout).toMatch(/^whsec_[\w+/]{43}=\n$/);
    expect(await done('webhook', 'update', 'ops', '--no-type')).toMatch(/events +all\n/);
    expect(await done('webhook', 'list')).toMatch(/ops +active/);
    expect(await done('webhook', 'remove', 'ops', '--yes')).toContain('ops is removed.');
    expect(await done('webhook', 'list')).not.toContain('ops');
  });
});
