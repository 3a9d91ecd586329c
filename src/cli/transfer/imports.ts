/** `holdfast imports`: restores that wait for a second admin, and what became of them. */
import type { Command } from 'commander';
import { z } from 'zod';
import { CommandError, EXIT } from '../command-error.ts';
import { confirm } from '../confirm.ts';
import { example } from '../help-text.ts';
import { addListOptions, type ListOptions, showList } from '../list-options.ts';
import type { Report } from '../report.ts';
import { openServiceSession, type ServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { momentText, shortMoment } from '../times.ts';
import { describeDifferences, type Outcome, outcomeSchema, TIMEOUT_MS } from './import.ts';

const person = z.looseObject({ id: z.string(), name: z.string() });

const importSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  digest: z.string(),
  summary: z.record(z.string(), z.looseObject({ added: z.number(), changed: z.number() })),
  requester: person,
  requestedAt: z.string(),
  lapsesAt: z.string(),
  decider: person.nullable(),
  stateReason: z.string().nullable(),
  seq: z.number().nullable(),
});

type ImportRecord = z.infer<typeof importSchema>;

const SAMPLE = '019baf5e-4c00-7d3a-9f6e-2b1c8a7d4e5f';

export function addImportsCommand(program: Command, surroundings: Surroundings): void {
  const imports = program
    .command('imports')
    .summary('restores that wait for a second admin')
    .description(
      'What `holdfast import --restore` handed in waits for seven days: another admin sees what it\n' +
        'changes (`holdfast imports show`), compares its digest with that of the export (`holdfast import PLACE --restore\n' +
        '--dry-run`), then approves or rejects it.',
    )
    .addHelpText('after', example('holdfast imports list'));
  addList(imports, surroundings);
  addShow(imports, surroundings);
  addDecision(imports, surroundings, 'approve', 'apply a document as it is, states included');
  addDecision(imports, surroundings, 'reject', 'forget a document');
}

function addList(parent: Command, surroundings: Surroundings): void {
  const command = addListOptions(parent.command('list').description('List restores, the latest first.')).addHelpText(
    'after',
    example('holdfast imports list'),
  );
  command.action(async (options: ListOptions) => {
    const session = openServiceSession(command, surroundings);
    const columns = ['ID', 'STATE', 'REQUESTED', 'BY', 'LAPSES'];
    const row = ({ id, state, requestedAt, requester, lapsesAt }: ImportRecord) => [
      ...[id, state, shortMoment(requestedAt), requester.name, state === 'waiting' ? shortMoment(lapsesAt) : ''],
    ];
    await showList(session, { path: 'imports', query: {}, record: importSchema, columns, row }, options);
  });
}

function addShow(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('show')
    .description('Show a restore and, while it waits, what it would change and for which members.')
    .argument('<import>', 'id')
    .addHelpText('after', example(`holdfast imports show ${SAMPLE}`));
  command.action(async (id: string) => {
    const session = openServiceSession(command, surroundings);
    const found = await readStored(session, id);
    session.output.result(found, (report) => describeImport(report, found));
  });
}

interface StoredImport extends ImportRecord {
  /** What it would change now; undefined: it was decided, or lapsed, or would be refused. */
  outcome: Outcome | undefined;
  /** Why it would be refused now. */
  objection: string | undefined;
}

async function readStored({ client }: ServiceSession, id: string): Promise<StoredImport> {
  const path = `imports/${encodeURIComponent(id)}`;
  const found = await client.send({ method: 'GET', path }, importSchema);
  const stored = { ...found, outcome: undefined, objection: undefined };
  if (found.state !== 'waiting') return stored;
  try {
    const request = { method: 'GET', path: `${path}/differences`, timeoutMs: TIMEOUT_MS } as const;
    return { ...stored, outcome: await client.send(request, outcomeSchema) };
  } catch (error) {
    // It can be looked at, and rejected, all the same.
    if (!(error instanceof CommandError) || error.exitCode !== EXIT.refused) throw error;
    return { ...stored, objection: error.message };
  }
}

function describeImport(report: Report, found: StoredImport): void {
  report.heading(`import ${found.id}`);
  report.facts([
    ['state', found.state],
    ['digest', found.digest],
    ['handed in by', `${found.requester.name}, ${momentText(found.requestedAt)}`],
    ['lapses', found.state === 'waiting' ? momentText(found.lapsesAt) : undefined],
    ['decided by', found.decider?.name],
    ['because', found.stateReason ?? undefined],
    ['change', found.seq === null ? undefined : String(found.seq)],
    ['now refused', found.objection],
  ]);
  report.table(
    ['KIND', 'ADDED', 'CHANGED'],
    Object.entries(found.summary).map(([kind, { added, changed }]) => [kind, String(added), String(changed)]),
  );
  if (found.outcome === undefined) return;
  report.heading(`Members affected: ${affectedText(found.outcome)}`);
  describeDifferences(report, found.outcome);
}

/** How many organisations and entities are new, or other than here. */
function affectedText({ differences, differencesLeftOut }: Outcome): string {
  const count = (wanted: string) => differences.filter(({ kind }) => kind === wanted).length;
  const least = differencesLeftOut > 0 ? 'at least ' : '';
  return `${least}${count('organisations')} organisations, ${count('entities')} entities`;
}

function addDecision(parent: Command, surroundings: Surroundings, verb: 'approve' | 'reject', summary: string): void {
  const command = parent
    .command(verb)
    .summary(summary)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    .argument('<import>', 'id')
    .requiredOption('--reason <text>', 'why, for the audit trail')
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example(`holdfast imports ${verb} ${SAMPLE} --reason "compared the digest"`));
  command.action(async (id: string, { reason, yes }: { reason: string; yes?: boolean }) => {
    const session = openServiceSession(command, surroundings);
    const path = `imports/${encodeURIComponent(id)}`;
    const seen = await readStored(session, id);
    session.output.explain((report) => describeImport(report, seen));
    const lookAt = `holdfast imports show ${id}`;
    await confirm(`${verb} it?`, session, { ...(yes !== undefined && { yes }), lookAt });
    const request = { method: 'POST', path: `${path}/${verb}`, body: { reason }, timeoutMs: TIMEOUT_MS } as const;
    const decided = await session.client.send(request, importSchema);
    session.output.result(decided, (report) => report.line(`It is ${decided.state}.`));
  });
}
