/** The floor of HTTP figures: a process with a bare Hono handler; floor.ts starts it and says what to answer. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { BareAnswer, BareServerStarted } from './floor.ts';

process.once('disconnect', () => process.exit());
process.once('SIGTERM', () => process.exit());
process.once('message', ({ path, headers, body }: BareAnswer) => {
  const app = new Hono();
  // A message brings a Uint8Array; the service holds texts as strings and lists as bytes.
  const payload = typeof body === 'string' ? body : new Uint8Array(body);
  // Quicker than c.body(), which makes a Headers object.
  app.get(path, () => new Response(payload, { headers }));
  serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
    const started: BareServerStarted = { port };
    process.send?.(started);
  });
});
