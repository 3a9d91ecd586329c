/** Lists events, and waits for the next if there are none yet. */
import { createRoute, z } from '@hono/zod-openapi';
import { ALL_EVENT_TYPES } from '../../../registry/events/event-types.ts';
import { eventBodyFor, eventsInReach } from '../../../registry/events/events-in-reach.ts';
import { presentedActor } from '../../middleware/authenticate.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { PAGE_PARAMETERS } from '../paging.ts';
import { EVENT_FILTERS, placeOf, placeParameter, placeText, wantedEvents } from './event-query.ts';

const MAX_WAIT_SECONDS = 30;

const EventSchema = z
  .object({
    id: z.string().openapi({ description: 'The same however often it is told.', example: 'evt_42_0' }),
    type: z
      .string()
      .openapi({ description: `One of: ${ALL_EVENT_TYPES.join(', ')}.`, example: 'organisation.suspended' }),
    timestamp: z.iso.datetime().openapi({ description: 'When the change was made.' }),
    seq: z.int().openapi({ description: 'Of the change: the same on every surface.', example: 42 }),
    data: z
      .object({
        authority: z.object({ id: z.string(), entityIdentifier: z.string().nullable() }).nullable(),
        subject: z.object({
          kind: z.string().openapi({ example: 'organisation' }),
          id: z.string(),
          name: z.string(),
          entityIdentifier: z.string().optional(),
          organisationId: z.string().optional(),
          status: z.string().optional().openapi({ example: 'suspended' }),
        }),
        reasonCode: z.string().nullable().openapi({ example: 'security_incident' }),
        affected: z
          .array(
            z.object({
              kind: z.string(),
              id: z.string(),
              name: z.string(),
              statusBefore: z.string(),
              status: z.string(),
            }),
          )
          .openapi({ description: 'Everything else whose state that counts is another by it.' }),
      })
      .openapi('EventData'),
  })
  .openapi('Event');

const EventPageSchema = z
  .object({
    items: z.array(EventSchema),
    next: z.string().openapi({ description: 'What to ask for next, as `after`.', example: 'evt_42_0' }),
  })
  .openapi('EventPage');

const waitParameter = z
  .string()
  .regex(/^\d{1,2}$/, 'is a number of seconds')
  .default('0')
  .transform(Number)
  .refine((seconds) => seconds <= MAX_WAIT_SECONDS, `is ${MAX_WAIT_SECONDS} at most`)
  .openapi({
    ...{ type: 'integer', minimum: 0, maximum: MAX_WAIT_SECONDS, default: 0 },
    description: 'Seconds in which the answer waits for an event, where there is none yet.',
  });

export const listEventsOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/events',
    operationId: 'listEvents',
    tags: ['Events'],
    summary: 'Read events',
    description: `What happened, in the order of the changes; one suspension is one event, with all that it affects. Read on after \`next\`, also when nothing came. What is too old is no longer kept (410 \`resync_required\`). Members see what is about their organisations. ${whoMayAsk('listEvents')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        ...EVENT_FILTERS,
        after: placeParameter,
        limit: PAGE_PARAMETERS.limit,
        wait: waitParameter,
      }),
    },
    responses: { 200: jsonReply('Events.', EventPageSchema), ...problems(400, 404, 410, 429) },
  }),
  ({ db, eventStreams, authenticate }) =>
    async (c) => {
      const { after, limit, wait, ...filters } = c.req.valid('query');
      const actor = c.get('actor');
      const wanted = wantedEvents(filters);
      const page = await eventStreams.poll(
        {
          actor,
          filterOf: (by) => eventsInReach(by, wanted),
          authenticate: () => presentedActor(c, { authenticate }),
        },
        { after: await placeOf(db, after), limit, waitMs: wait * 1000, signal: c.req.raw.signal },
      );
      const items = page.items.map((event) => eventBodyFor(actor, event)) as z.infer<typeof EventSchema>[];
      return c.json({ items, next: placeText(page.reached) }, 200);
    },
);
