/** Server-Sent Events on the wire. @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
import type { JsonValue } from '../federation/json.ts';

/** Not as a literal: of a literal the types would take it for JSON that a handler returns whole. */
export const EVENT_STREAM: string = 'text/event-stream';

/** For gateways, too, which would keep events back until there are more. */
export const EVENT_STREAM_HEADERS = { 'content-type': EVENT_STREAM, 'x-accel-buffering': 'no' };

const UTF_8 = new TextEncoder();

/**
 * @param name one line
 * @param id one line, which a reader that comes again sends as `Last-Event-ID`
 */
export function serverSentEvent(name: string, data: JsonValue, id?: string): Uint8Array {
  return UTF_8.encode(`${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
