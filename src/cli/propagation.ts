/** `holdfast propagation`: which enforcement points act on a change, and how long that took. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import { CommandError } from './command-error.ts';
import { findAuthority } from './find-record.ts';
import { example } from './help-text.ts';
import { positiveInteger } from './option-values.ts';
import { Report } from './report.ts';
import { openServiceSession, type ServiceSession } from './session.ts';
import { stopSignal } from './stop-signal.ts';
import type { Surroundings } from './surroundings.ts';
import { durationText, shortMoment } from './times.ts';

const pointSchema = z.looseObject({
  enforcementPointId: z.string(),
  name: z.string(),
  acknowledgedAt: z.string().nullable(),
  lagMs: z.number().nullable(),
  via: z.string().nullable(),
  lastSeenSecondsAgo: z.number().nullable(),
  canary: z.looseObject({ outcome: z.string(), detail: z.string(), triedAt: z.string() }).nullable(),
});

const propagationSchema = z.looseObject({
  seq: z.number(),
  writtenAt: z.string(),
  evaluatedAt: z.string(),
  acknowledged: z.number(),
  p50LagMs: z.number().nullable(),
  p95LagMs: z.number().nullable(),
  worstLagMs: z.number().nullable(),
  laggards: z.array(z.string()),
  points: z.array(pointSchema),
});

type Propagation = z.infer<typeof propagationSchema>;
type Point = z.infer<typeof pointSchema>;

interface PropagationOptions {
  authority?: string;
  watch?: boolean;
  timeout?: number;
}

const DESCRIPTION = `Show which enforcement points act on a change of the registry, the last one unless told otherwise:
how long it took from when it was written until each was first answered by it, or acknowledged it, and who still waits.
An enforcement point that nobody calls has nothing to say: see when it was last seen. Exits with 1 while one waits, or
if the canary, a member that is always suspended, was let in somewhere.
With --watch it goes on: a table that is redrawn on a terminal, otherwise a line for whatever is new; of a given change
until all act on it, of the last one until it is stopped.`;

/** From one look to the next. */
const EVERY_MS = 500;

export function addPropagationCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('propagation [seq]')
    .summary('which enforcement points act on a change, and how long that took')
    .description(DESCRIPTION)
    .option('--authority <authority>', 'only enforcement points of one authority')
    .option('--watch', 'go on, and show what changes')
    .option('--timeout <seconds>', 'with --watch: give up after so long', positiveInteger)
    .addHelpText(
      'after',
      example('holdfast propagation', 'holdfast propagation 4711 --watch --timeout 10', 'holdfast propagation --watch'),
    );
  command.action(async (seq: string | undefined, { authority, watch, timeout }: PropagationOptions) => {
    const which = whichSeq(seq);
    if (timeout !== undefined && watch !== true) throw new CommandError('usage', '--timeout goes with --watch');
    const session = openServiceSession(command, surroundings);
    const authorityId = authority && (await findAuthority(session.client, authority)).id;
    const read = () =>
      session.client.send({ method: 'GET', path: `propagation/${which}`, query: { authorityId } }, propagationSchema);
    const last =
      watch === true
        ? await watchPropagation(read, which === 'latest', timeout, session)
        : await showOnce(read, session);
    requireAllWell(last);
  });
}

/** @throws CommandError usage */
function whichSeq(seq: string | undefined): string {
  if (seq === undefined || seq === 'latest') return 'latest';
  if (/^\d{1,15}$/.test(seq)) return seq;
  throw new CommandError('usage', 'SEQ is the number of a change, or latest.');
}

async function showOnce(read: () => Promise<Propagation>, { output }: ServiceSession): Promise<Propagation> {
  const propagation = await read();
  output.result(propagation, (report) => describe(propagation, report));
  return propagation;
}

/** @throws CommandError refused */
function requireAllWell(propagation: Propagation): void {
  const { seq, points, laggards } = propagation;
  const admitted = points.filter(({ canary }) => canary?.outcome === 'admitted').map(({ name }) => name);
  if (admitted.length > 0) {
    throw new CommandError('refused', `a member that is suspended was let in at ${admitted.join(', ')}`, {
      hint: 'Compare the configuration of the gateway with the ready one: it must ask for each request.',
      code: 'canary_admitted',
    });
  }
  if (laggards.length === 0) return;
  const named = (isSilent: boolean) =>
    points.filter((point) => point.lagMs === null && wasSilentSince(point, propagation) === isSilent);
  const list = (some: readonly Point[]) => some.map(({ name }) => name).join(', ');
  const [behind, silent] = [named(false), named(true)];
  const complaints = [
    behind.length === 0 ? '' : `${list(behind)} asked since and did not get as far as change ${seq}`,
    silent.length === 0 ? '' : `nobody has called since change ${seq} at ${list(silent)}, so it has not come there yet`,
  ];
  throw new CommandError('refused', complaints.filter(Boolean).join('; '), {
    hint:
      behind.length === 0
        ? 'No request passed there since either: its next one is answered by the change. Suspend what is gone for good.'
        : 'Look at the log of the node that it asks, and whether that is ready (/readyz).',
    code: 'propagation_incomplete',
  });
}

/** Whether nothing was heard of it since the change was written: nobody called it then. */
function wasSilentSince({ lastSeenSecondsAgo }: Point, { writtenAt, evaluatedAt }: Propagation): boolean {
  if (lastSeenSecondsAgo === null) return true;
  return Date.parse(evaluatedAt) - lastSeenSecondsAgo * 1000 < Date.parse(writtenAt);
}

/** What the screen is told before each table: back to the first line that it wrote, and clear from there on. */
const CLEAR_BELOW = '\u001b[0J';

async function watchPropagation(
  read: () => Promise<Propagation>,
  isEndless: boolean,
  timeoutSeconds: number | undefined,
  session: ServiceSession,
): Promise<Propagation> {
  const stopped = new AbortController();
  void stopSignal().then(() => stopped.abort());
  const endsAtMs = performance.now() + (timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  const show = session.stdout.isTTY === true && !session.output.isJson ? redrawing(session) : line(session);
  for (;;) {
    const propagation = await read();
    show(propagation);
    const isDone = !isEndless && propagation.laggards.length === 0;
    if (isDone || stopped.signal.aborted || performance.now() >= endsAtMs) return propagation;
    await pause(EVERY_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
  }
}

function redrawing({ stdout }: ServiceSession): (propagation: Propagation) => void {
  let lines = 0;
  return (propagation) => {
    const report = new Report(stdout);
    describe(propagation, report);
    const text = report.toString();
    const back = lines === 0 ? '' : `\u001b[${lines}A\r`;
    stdout.write(`${back}${CLEAR_BELOW}${text}`);
    lines = text.split('\n').length - 1;
  };
}

/** A line for each enforcement point whenever there is something new about it. */
function line({ output, stdout }: ServiceSession): (propagation: Propagation) => void {
  const told = new Map<string, string>();
  return (propagation) => {
    const { seq, evaluatedAt, points } = propagation;
    for (const point of points) {
      const { enforcementPointId, name, lagMs, canary } = point;
      const news = JSON.stringify([seq, lagMs, canary?.outcome, canary?.triedAt]);
      if (told.get(enforcementPointId) === news) continue;
      told.set(enforcementPointId, news);
      if (output.isJson) stdout.write(`${JSON.stringify({ seq, evaluatedAt, ...point })}\n`);
      else
        output.text(
          [shortMoment(evaluatedAt), `seq ${seq}`, name, lagText(point, propagation), canaryText(point)].join('  '),
          {},
        );
    }
  };
}

function describe(propagation: Propagation, report: Report): void {
  const { seq, writtenAt, evaluatedAt, points, acknowledged, laggards } = propagation;
  report.heading(`Change ${seq}, written ${shortMoment(writtenAt)}, seen at ${shortMoment(evaluatedAt)}`);
  report.facts([
    ['acknowledged', `${acknowledged} of ${points.length} enforcement points`],
    ['lag', lagSummary(propagation)],
    ['waiting', laggards.length === 0 ? undefined : String(laggards.length)],
  ]);
  report.line();
  report.table(
    ['ENFORCEMENT POINT', 'LAG', 'VIA', 'LAST SEEN', 'CANARY'],
    points.map((point) => [
      point.name,
      lagText(point, propagation),
      point.via ?? '',
      seenText(point),
      canaryText(point),
    ]),
  );
}

function lagSummary({ p50LagMs, p95LagMs, worstLagMs }: Propagation): string | undefined {
  if (p50LagMs === null || p95LagMs === null || worstLagMs === null) return undefined;
  return `p50 ${msText(p50LagMs)}, p95 ${msText(p95LagMs)}, worst ${msText(worstLagMs)}`;
}

function lagText(point: Point, propagation: Propagation): string {
  if (point.lagMs !== null) return msText(point.lagMs);
  return wasSilentSince(point, propagation) ? 'no call since' : 'waiting';
}

function msText(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : durationText(Math.round(ms / 1000));
}

function seenText({ lastSeenSecondsAgo }: Point): string {
  return lastSeenSecondsAgo === null ? 'never' : `${durationText(Math.round(lastSeenSecondsAgo))} ago`;
}

function canaryText({ canary }: Point): string {
  if (canary === null) return '';
  return canary.outcome === 'refused' ? 'refused' : `${canary.outcome.toUpperCase()}: ${canary.detail}`;
}
