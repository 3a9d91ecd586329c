/** Tells of events as they come, for as long as the connection lasts. */
import { createRoute, z } from '@hono/zod-openapi';
import { eventsInReach } from '../../../registry/events/events-in-reach.ts';
import { invalidField } from '../../../registry/registry-error.ts';
import { presentedActor } from '../../middleware/authenticate.ts';
import { EVENT_STREAM, EVENT_STREAM_HEADERS } from '../../server-sent-events.ts';
import { BEARER, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { EVENT_FILTERS, parsePlace, placeOf, placeParameter, wantedEvents } from './event-query.ts';
import type { EventReader } from './event-streams.ts';

export const followEventsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/events/stream',
    operationId: 'followEvents',
    tags: ['Events'],
    summary: 'Follow events',
    description: `Server-Sent Events: each event under its type, with its id and what the list has as data; \`heartbeat\` every ten seconds, whose id is the change up to which there is nothing more. Who comes again sends the last id as \`Last-Event-ID\` and misses nothing. The stream ends with its token, and with the service; of one token the oldest ends when there are more than eight. ${whoMayAsk('followEvents')}`,
    security: BEARER,
    request: { query: z.strictObject({ ...EVENT_FILTERS, after: placeParameter }) },
    responses: {
      200: { description: 'The events.', content: { [EVENT_STREAM]: { schema: z.string() } } },
      ...problems(400, 404, 410, 429),
    },
  }),
  ({ db, eventStreams, authenticate }) =>
    async (c) => {
      const { after, ...filters } = c.req.valid('query');
      const last = c.req.header('last-event-id');
      if (last !== undefined && parsePlace(last) === undefined) {
        throw invalidField('/header/Last-Event-ID', 'is no id of an event of ours');
      }
      const wanted = wantedEvents(filters);
      const reader: EventReader = {
        actor: c.get('actor'),
        filterOf: (by) => eventsInReach(by, wanted),
        authenticate: () => presentedActor(c, { authenticate }),
      };
      const place = await placeOf(db, last ?? after);
      if (c.req.method === 'HEAD') return c.body('', 200, EVENT_STREAM_HEADERS);
      return c.body(await eventStreams.open(reader, place), 200, EVENT_STREAM_HEADERS);
    },
);
