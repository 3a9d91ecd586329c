/** `holdfast import`: shows what an export would change here, and changes it. */
import type { Command } from 'commander';
import { z } from 'zod';
import { CommandError } from '../command-error.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import type { Report } from '../report.ts';
import { openServiceSession, type ServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type ReadDocument, readExport } from './export-directory.ts';

/** A whole registry takes its time. */
export const TIMEOUT_MS = 300_000;

const counts = z.looseObject({ added: z.number(), changed: z.number(), unchanged: z.number(), heldBack: z.number() });

export const outcomeSchema = z.looseObject({
  seq: z.number().nullable(),
  digest: z.string(),
  summary: z.record(z.string(), counts),
  differences: z.array(
    z.looseObject({
      kind: z.string(),
      id: z.string(),
      name: z.string(),
      what: z.string(),
      members: z.array(z.looseObject({ member: z.string(), before: z.unknown(), after: z.unknown(), how: z.string() })),
    }),
  ),
  differencesLeftOut: z.number(),
  stored: z.string().nullable(),
});

export type Outcome = z.infer<typeof outcomeSchema>;

interface ImportOptions {
  dryRun?: boolean;
  restore?: boolean;
  yes?: boolean;
}

export function addImportCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('import')
    .summary('bring what an export has into the registry')
    .description(
      'Shows the difference, then makes new what is missing here and changes settings, all at once or nothing.\n' +
        'What the export does not name stays. Organisations and entities arrive pending, and what decides about those that\n' +
        'are here stays as it is; --restore takes states as they are, once another admin approved it (`holdfast imports`).',
    )
    .argument('<place>', 'a directory or a file of `holdfast export`')
    .option('--dry-run', 'show the difference, change nothing')
    .option('--restore', 'as it is, states included; another admin has to approve it')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example('holdfast import registry --dry-run'));
  command.action(async (place: string, { dryRun = false, restore = false, yes }: ImportOptions) => {
    const session = openServiceSession(command, surroundings);
    const read = await readExport(place);
    const tried = await send(session, read, { dryRun: true, restore });
    if (dryRun) {
      session.output.result(tried, (report) => describeOutcome(report, tried));
      return;
    }
    session.output.explain((report) => describeOutcome(report, tried));
    await confirm(restore ? 'hand this in to be restored?' : 'import this?', session, {
      ...(yes !== undefined && { yes }),
      lookAt: `holdfast import ${place} --dry-run`,
    });
    const outcome = await send(session, read, { dryRun: false, restore });
    session.output.result(outcome, (report) => report.line(resultOf(outcome)));
  });
}

function resultOf({ seq, stored, digest }: Outcome): string {
  if (stored !== null) {
    return `It waits as ${stored} for another admin, who compares the digest ${digest}: \`holdfast imports approve\`.`;
  }
  return seq === null ? 'Everything is so already; nothing was changed.' : `Imported as change ${seq}.`;
}

/** Complaints name the files that they are about. */
async function send(
  { client }: ServiceSession,
  { document, placeOf }: ReadDocument,
  { dryRun, restore }: { dryRun: boolean; restore: boolean },
): Promise<Outcome> {
  const query = { dryRun: String(dryRun), restore: String(restore) };
  try {
    const request = { method: 'POST', path: 'imports', query, body: document, timeoutMs: TIMEOUT_MS } as const;
    return await client.send(request, outcomeSchema);
  } catch (error) {
    if (!(error instanceof CommandError) || error.fields.length === 0) throw error;
    const fields = error.fields.map(({ pointer, detail }) => ({ pointer: placeOf(pointer), detail }));
    throw new CommandError('refused', error.message, { code: error.code, fields, cause: error });
  }
}

const MARKS: Readonly<Record<string, string>> = { added: '+', changed: '~', held_back: '·', differs: '·' };

const WHY: Readonly<Record<string, string>> = {
  restore_only: ' (only --restore changes it)',
  kept: ' (changes by its own ways)',
};

function describeOutcome(report: Report, outcome: Outcome): void {
  const { summary, digest } = outcome;
  report.table(
    ['KIND', 'ADDED', 'CHANGED', 'UNCHANGED', 'HELD BACK'],
    Object.entries(summary).map(([kind, { added, changed, unchanged, heldBack }]) => [
      ...[kind, String(added), String(changed), String(unchanged), String(heldBack)],
    ]),
  );
  describeDifferences(report, outcome);
  report.line(`digest ${digest}`);
}

export function describeDifferences(report: Report, { differences, differencesLeftOut }: Outcome): void {
  for (const { kind, id, name, what, members } of differences) {
    const held = what === 'held_back' ? ' (only --restore brings it)' : '';
    report.line(`${MARKS[what] ?? '?'} ${kind} ${name} ${id}${held}`);
    for (const { member, before, after, how } of members) {
      report.line(`    ${member}: ${short(before)} -> ${short(after)}${WHY[how] ?? ''}`);
    }
  }
  if (differencesLeftOut > 0) report.line(`and ${differencesLeftOut} more`);
}

const MAX_SHOWN = 120;

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
