/** `holdfast slo`: how the service kept to its objectives. */
import type { Command } from 'commander';
import { z } from 'zod';
import { example } from './help-text.ts';
import type { Report } from './report.ts';
import { openServiceSession } from './session.ts';
import type { Surroundings } from './surroundings.ts';
import { shortMoment } from './times.ts';

const burnSchema = z.looseObject({ share: z.number().nullable(), burnRate: z.number().nullable() });

const sloSchema = z.looseObject({
  evaluatedAt: z.string(),
  since: z.string().nullable(),
  availability: z.looseObject({
    objective: z.number(),
    windows: z.array(
      z.looseObject({
        hours: z.number(),
        minutes: z.number(),
        readyMinutes: z.number(),
        time: burnSchema,
        requests: z.array(
          z.looseObject({ surface: z.string(), requests: z.number(), failures: z.number(), burn: burnSchema }),
        ),
      }),
    ),
  }),
  propagation: z.looseObject({
    objective: z.number(),
    objectiveMs: z.number(),
    windows: z.array(
      z.looseObject({
        hours: z.number(),
        changes: z.number(),
        inTime: z.number(),
        late: z.number(),
        unknown: z.number(),
        burn: burnSchema,
      }),
    ),
  }),
});

type Slo = z.infer<typeof sloSchema>;
type Burn = z.infer<typeof burnSchema>;

const DESCRIPTION = `Show how the service kept to its objectives: whether some node was ready, how many requests
failed through us, and how quickly what takes a permission away reached enforcement points. A burn rate of 1 uses up exactly
the room for failures that the objective leaves; above it, the objective will be missed.
It is judged by what the nodes themselves know: what reached none of them is not in it.`;

export function addSloCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('slo')
    .summary('how the service kept to its objectives')
    .description(DESCRIPTION)
    .addHelpText('after', example('holdfast slo', 'holdfast slo --json'));
  command.action(async () => {
    const session = openServiceSession(command, surroundings);
    const slo = await session.client.send({ method: 'GET', path: 'slo' }, sloSchema);
    session.output.result(slo, (report) => describe(slo, report));
  });
}

function describe({ evaluatedAt, since, availability, propagation }: Slo, report: Report): void {
  report.heading(`Availability, objective ${percent(availability.objective)}, seen at ${shortMoment(evaluatedAt)}`);
  report.facts([['known since', since === null ? 'not yet' : shortMoment(since)]]);
  report.line();
  report.table(
    ['WINDOW', 'OF', 'SHARE', 'FAILED', 'BURN RATE'],
    availability.windows.flatMap(({ hours, minutes, readyMinutes, time, requests }) => [
      [windowText(hours), `${minutes} minutes`, shareText(time), String(minutes - readyMinutes), burnText(time)],
      ...requests.map(({ surface, requests: all, failures, burn }) => [
        '',
        `${all} requests (${surface})`,
        shareText(burn),
        String(failures),
        burnText(burn),
      ]),
    ]),
  );
  const { objective, objectiveMs, windows } = propagation;
  report.line();
  report.heading(`What takes a permission away, objective ${percent(objective)} within ${objectiveMs} ms`);
  report.table(
    ['WINDOW', 'CHANGES', 'IN TIME', 'LATE', 'UNKNOWN', 'SHARE', 'BURN RATE'],
    windows.map(({ hours, changes, inTime, late, unknown, burn }) => [
      windowText(hours),
      ...[changes, inTime, late, unknown].map(String),
      shareText(burn),
      burnText(burn),
    ]),
  );
}

function windowText(hours: number): string {
  return hours % 24 === 0 ? `${hours / 24} d` : `${hours} h`;
}

function percent(share: number): string {
  return `${Math.round(share * 1e5) / 1e3} %`;
}

/** Cut, not rounded: what is not all is never shown as 100 %. */
function shareText({ share }: Burn): string {
  return share === null ? '-' : `${Math.floor(share * 1e5) / 1e3} %`;
}

function burnText({ burnRate }: Burn): string {
  return burnRate === null ? '-' : String(burnRate);
}
