/** `holdfast jobs`: what happens by itself, and how that fares. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { example } from '../help-text.ts';
import type { Report } from '../report.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { durationText, momentText } from '../times.ts';
import { jobListSchema, jobSchema } from './job-records.ts';
import { addJobsRunCommand } from './run.ts';

type Job = z.infer<typeof jobSchema>;

export function addJobsCommand(program: Command, surroundings: Surroundings): void {
  const jobs = program
    .command('jobs')
    .summary('what happens by itself, how that fares, and doing it now: show, run')
    .description(
      'Refreshes, expiries, reminders, mails, key rolls and the like. One node at a time does each; another takes it over\n' +
        'when that dies. One that fails is tried again, later and later, up to a quarter of an hour.\n' +
        'Without a subcommand: show.',
    )
    .addHelpText('after', example('holdfast jobs', 'holdfast jobs refresh_configurations'));
  addJobsShowCommand(jobs, surroundings);
  addJobsRunCommand(jobs, surroundings);
}

function addJobsShowCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show [name]', { isDefault: true })
    .summary('how jobs fare, or one of them')
    .description('Show how all jobs fare, or one of them. Exits with 1 if one of them failed at its last turn.')
    .addHelpText('after', example('holdfast jobs', 'holdfast jobs show send_mails'));
  command.action(async (name: string | undefined) => {
    const { client, output } = openServiceSession(command, surroundings);
    if (name === undefined) {
      const { items } = await client.send({ method: 'GET', path: 'jobs' }, jobListSchema);
      output.result({ items }, (report) =>
        report.table(['JOB', 'STATE', 'EVERY', 'LAST SUCCESS', 'NEXT', 'FAILURES'], items.map(row)),
      );
      return requireNoneFailed(items);
    }
    const job = await client.send({ method: 'GET', path: `jobs/${encodeURIComponent(name)}` }, jobSchema);
    output.result(job, (report) => describe(job, report));
    requireNoneFailed([job]);
  });
}

/** @throws CommandError refused */
function requireNoneFailed(jobs: readonly Job[]): void {
  const failed = jobs.filter(({ failures }) => failures > 0);
  if (failed.length === 0) return;
  throw new CommandError('refused', `failed at its last turn: ${failed.map(({ name }) => name).join(', ')}`, {
    hint: 'The log of the node says why: look for "a job failed".',
    code: 'job_failing',
  });
}

function row({ name, state, everySeconds, lastSucceededAt, nextRunAt, failures }: Job): string[] {
  const every = everySeconds === null ? 'always' : durationText(everySeconds);
  // Of what goes on all the time, what went well long ago is on record no more.
  const never = everySeconds === null ? '' : 'never';
  return [name, state, every, moment(lastSucceededAt) ?? never, moment(nextRunAt) ?? '', String(failures)];
}

function describe(job: Job, report: Report): void {
  const { name, summary, state, everySeconds, lastDurationMs, failures, lastError, runningOn } = job;
  report.heading(name);
  report.facts([
    ['what', summary],
    ['state', state],
    ['every', everySeconds === null ? 'all the time' : durationText(everySeconds)],
    ['running on', runningOn ?? undefined],
    ['last started', moment(job.lastStartedAt)],
    ['last success', moment(job.lastSucceededAt)],
    ['took', lastDurationMs === null ? undefined : `${lastDurationMs} ms`],
    ['last failure', moment(job.lastFailedAt)],
    ['failures in a row', failures === 0 ? undefined : String(failures)],
    ['last error', lastError ?? undefined],
    ['next', moment(job.nextRunAt)],
  ]);
}

function moment(at: string | null): string | undefined {
  return at === null ? undefined : momentText(at);
}
