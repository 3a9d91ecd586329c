/**
 * A receiver of Holdfast's webhooks in plain Node: verifies each message, answers at once, and handles each event once.
 *
 * HOLDFAST_WEBHOOK_SECRET=whsec_… node examples/receiver/receiver.js
 */
import { createServer } from 'node:http';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

/** Events are smaller; what is larger is not read. */
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * @param {object} options
 * @param {string} options.secret as Holdfast showed it: `whsec_…`
 * @param {(event: object) => void | Promise<void>} options.handle called for each event once; if it fails, Holdfast sends the event again
 * @param {{ has(id: string): boolean | Promise<boolean>, add(id: string): unknown }} [options.seen] ids of events handled; a table of your database
 * @returns {import('node:http').RequestListener}
 */
export function createReceiver({ secret, handle, seen = new Set() }) {
  const webhook = new Webhook(secret);
  return async (request, response) => {
    const answer = (status) => response.writeHead(status, { 'content-length': '0' }).end();
    if (request.method !== 'POST') return answer(405);
    let event;
    try {
      // The very bytes that were sent: written anew, the signature would not fit.
      event = webhook.verify(await bodyOf(request), request.headers);
    } catch (error) {
      return answer(error instanceof WebhookVerificationError ? 401 : 400);
    }
    // Every message comes at least once: this is the time to say that it came before.
    const id = request.headers['webhook-id'];
    if (await seen.has(id)) return answer(204);
    try {
      // With work that takes longer than a second or two: put the event into a queue of your own here.
      await handle(event);
      await seen.add(id);
    } catch {
      return answer(500);
    }
    answer(204);
  };
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

if (import.meta.main) {
  const secret = process.env.HOLDFAST_WEBHOOK_SECRET;
  if (secret === undefined) throw new Error('set HOLDFAST_WEBHOOK_SECRET to what `holdfast webhook add` printed');
  const say = (line) => process.stdout.write(`${line}\n`);
  const handle = ({ id, type, data }) => say(`${id} ${type} ${data.subject?.name ?? ''}`);
  const port = Number(process.env.PORT ?? '9000');
  createServer(createReceiver({ secret, handle })).listen(port, '127.0.0.1', () => {
    say(`waits for events at http://127.0.0.1:${port}/`);
  });
}
