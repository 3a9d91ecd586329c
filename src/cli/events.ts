/** `holdfast events`: what happened, and what happens. */
import type { Command } from 'commander';
import { z } from 'zod';
import type { Query } from './api-client.ts';
import { findAuthority } from './find-record.ts';
import { example } from './help-text.ts';
import { positiveInteger } from './option-values.ts';
import { openServiceSession, type ServiceSession } from './session.ts';
import { stopSignal } from './stop-signal.ts';
import type { Surroundings } from './surroundings.ts';
import { shortMoment } from './times.ts';

const eventSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  timestamp: z.string(),
  seq: z.number(),
  data: z.looseObject({
    subject: z.looseObject({ kind: z.string(), id: z.string(), name: z.string() }),
    reasonCode: z.string().nullable(),
    affected: z.array(z.looseObject({})),
  }),
});

const pageSchema = z.object({ items: z.array(eventSchema), next: z.string() });

type Event = z.infer<typeof eventSchema>;

interface EventsOptions {
  after?: string;
  type?: string;
  role?: string;
  authority?: string;
  limit?: number;
  follow?: boolean;
}

const DESCRIPTION = `Show what happened, in the order of the changes: what others are told of by webhooks and streams. One
suspension is one event, with all that it affects (--json). With --follow it goes on from now, or from --after, with a
line for each event, until it is stopped.`;

const DEFAULT_LIMIT = 50;
const FOLLOWED_AT_A_TIME = 500;
const WAIT_SECONDS = 30;

export function addEventsCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('events')
    .summary('what happened, and what happens')
    .description(DESCRIPTION)
    .option('--after <place>', 'only what came after it: the id of an event, or the number of a change')
    .option('--type <types>', 'only these types, or kinds such as organisation.*; with commas')
    .option('--role <roles>', 'only about members with one of these roles; ids with commas')
    .option('--authority <authority>', 'only of one authority')
    .option('--limit <n>', `show at most this many (default: ${DEFAULT_LIMIT})`, positiveInteger)
    .option('--follow', 'go on with what comes')
    .addHelpText(
      'after',
      example("holdfast events --type 'organisation.*,entity.suspended'", 'holdfast events --follow --json'),
    );
  command.action(async ({ after, type, role, authority, limit = DEFAULT_LIMIT, follow }: EventsOptions) => {
    const session = openServiceSession(command, surroundings);
    const authorityId = authority && (await findAuthority(session.client, authority)).id;
    const query = { after, type, roleId: role, authorityId };
    if (follow === true) return await followEvents(session, query);
    const page = await session.client.send(
      { method: 'GET', path: 'events', query: { ...query, limit: String(limit) } },
      pageSchema,
    );
    session.output.result(page, (report) => report.table(['EVENT', 'AT', 'TYPE', 'ABOUT'], page.items.map(rowOf)));
    if (page.items.length === limit) session.output.note(`There may be more: --after ${page.next}`);
  });
}

async function followEvents(session: ServiceSession, { after, ...filters }: Query): Promise<void> {
  const stopped = new AbortController();
  void stopSignal().then(() => stopped.abort());
  let place = after ?? (await lastSeq(session));
  while (!stopped.signal.aborted) {
    const query = { ...filters, after: place, limit: String(FOLLOWED_AT_A_TIME), wait: String(WAIT_SECONDS) };
    const reading = session.client.send({ method: 'GET', path: 'events', query, signal: stopped.signal }, pageSchema);
    const page = await reading.catch((error: unknown) => {
      if (stopped.signal.aborted) return undefined;
      throw error;
    });
    if (page === undefined) return;
    for (const event of page.items) {
      if (session.output.isJson) session.stdout.write(`${JSON.stringify(event)}\n`);
      else session.output.text(rowOf(event).join('  '), event);
    }
    place = page.next;
  }
}

async function lastSeq({ client }: ServiceSession): Promise<string> {
  const { seq } = await client.send({ method: 'GET', path: '/readyz' }, z.looseObject({ seq: z.number() }));
  return String(seq);
}

function rowOf({ id, timestamp, type, data: { subject, reasonCode, affected } }: Event): string[] {
  const why = reasonCode === null || reasonCode === 'other' ? '' : ` (${reasonCode})`;
  const more = affected.length === 0 ? '' : `, affects ${affected.length}`;
  return [id, shortMoment(timestamp), type, `${subject.name}${why}${more}`];
}
