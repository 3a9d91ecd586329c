/** Tells an enforcement point of each change, and hears which it acts on. */
import { createRoute, z } from '@hono/zod-openapi';
import { invalidField } from '../../../registry/registry-error.ts';
import { EVENT_STREAM, EVENT_STREAM_HEADERS } from '../../server-sent-events.ts';
import { jsonBody, problems } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { callerOf, isCaller } from './enforcement-point-tools.ts';

const FOR_POINTS = 'For enforcement points, which prove who they are as for admission: no token of the API counts.';

export const followSeqOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/enforcement-points/self/seq',
    operationId: 'followSeq',
    tags: ['Admission'],
    summary: 'Follow changes as an enforcement point',
    description: `Server-Sent Events for who keeps decisions or does not call often: \`seq\` at once and after each change of the registry, as soon as this node answers by it; \`heartbeat\` every five seconds. Both have \`{"seq":42,"ageSeconds":0.1}\` as data; \`ageSeconds\` is how long ago the database confirmed that nothing is newer. Whoever hears nothing for longer than it may be out of date stops to rely on what it keeps. ${FOR_POINTS}`,
    security: [],
    responses: {
      200: { description: 'The events.', content: { [EVENT_STREAM]: { schema: z.string() } } },
      ...problems(),
    },
  }),
  ({ enforcementPoints }) =>
    (c) => {
      const { id } = callerOf(c, enforcementPoints);
      const isKnown = () => isCaller(c, enforcementPoints, id);
      const stream = c.req.method === 'HEAD' ? '' : enforcementPoints.streams.open(id, isKnown);
      return c.body(stream, 200, EVENT_STREAM_HEADERS);
    },
);

const AcknowledgementSchema = z
  .strictObject({ seq: z.int().nonnegative().openapi({ example: 42 }) })
  .openapi('SeqAcknowledgement');

export const acknowledgeSeqOperation = defineOperation(
  createRoute({
    method: 'post',
    path: '/api/v1/enforcement-points/self/acknowledgements',
    operationId: 'acknowledgeSeq',
    tags: ['Admission'],
    summary: 'Acknowledge a change as an enforcement point',
    description: `Says that whatever it lets in from now on goes by this change. Whoever asks for each decision need not: its calls say so. ${FOR_POINTS}`,
    security: [],
    request: { body: jsonBody(AcknowledgementSchema) },
    responses: { 204: { description: 'It is noted.' }, ...problems(400, 413, 415) },
  }),
  ({ enforcementPoints: tools }) =>
    async (c) => {
      const { id } = callerOf(c, tools);
      const { seq } = c.req.valid('json');
      // Another node may have told it first.
      if (seq > tools.state().seq) await tools.caughtUp(seq).catch(() => undefined);
      const known = tools.state().seq;
      if (seq > known) throw invalidField('/seq', `is beyond ${known}, the last change that this node knows`);
      tools.acknowledgements.note(id, seq, 'stream');
      return c.body(null, 204);
    },
);
