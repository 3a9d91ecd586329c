/** The commands that move an organisation or an entity from one state to another. */
import { type Command, Option } from 'commander';
import { z } from 'zod';
import { REASON_CODES_OF } from '../registry/life-cycle/reason-codes.ts';
import { type AffectedRecord, transitioned } from './api-records.ts';
import { CommandError } from './command-error.ts';
import { confirm } from './confirm.ts';
import { example } from './help-text.ts';
import { type Moment, moment } from './moment-option.ts';
import { recordVersion } from './option-values.ts';
import { withNames } from './record-names.ts';
import type { Report } from './report.ts';
import { openServiceSession, type ServiceSession } from './session.ts';
import { isInteractive, type Surroundings } from './surroundings.ts';
import { addSuspensionCommand } from './suspension-command.ts';
import { momentText } from './times.ts';

export interface Transitionable {
  id: string;
  state: string;
  version: number;
  allowedTransitions: readonly string[];
  suspendedUntil?: string | null | undefined;
}

/** How the transitions of one kind of record differ from those of another. */
export interface TransitionSubject<T extends Transitionable> {
  noun: 'organisation' | 'entity';
  /** Path segment of the API. */
  collection: 'organisations' | 'entities';
  record: z.ZodType<T>;
  argument: string;
  sample: string;
  find: (session: ServiceSession, given: string) => Promise<T>;
  describe: (report: Report, record: T) => void;
  title: (record: T) => string;
  /** What somebody who lets the record in again should know. */
  doubts?: (record: T) => string | undefined;
}

interface TransitionOptions {
  reason: string;
  reasonCode?: string;
  until?: Moment;
  dryRun?: boolean;
  ifMatch?: number;
  yes?: boolean;
}

/** Subordinate events tell the reasons of whatever follows a registration. */
const UNPUBLISHED: ReadonlySet<string> = new Set(['approve', 'reject']);
export const WHY_IN_PUBLIC = 'why, for the audit trail and the public history of the entity';

/** What each transition does, and the reason that it has unless another is given. */
const TRANSITIONS = {
  approve: { summary: 'admit it: from now on it is vouched for', reason: 'approved' },
  reject: { summary: 'turn down what is pending' },
  suspend: { summary: 'stop vouching for it at once; can be undone' },
  reinstate: { summary: 'let it in again after a suspension', reason: 'reinstated' },
  withdraw: { summary: 'close it because it leaves; final' },
  revoke: { summary: 'close it because trust is lost; final' },
} as const satisfies Record<string, { summary: string; reason?: string }>;

type Transition = keyof typeof TRANSITIONS;

const TRANSITIONED = z.looseObject(transitioned);

export function addTransitionCommands<T extends Transitionable>(
  parent: Command,
  surroundings: Surroundings,
  subject: TransitionSubject<T>,
): void {
  for (const transition of Object.keys(TRANSITIONS) as Transition[]) {
    addTransitionCommand(parent, surroundings, subject, transition);
  }
  addSuspensionCommand(parent, surroundings, subject);
}

function addTransitionCommand<T extends Transitionable>(
  parent: Command,
  surroundings: Surroundings,
  subject: TransitionSubject<T>,
  transition: Transition,
): void {
  const { summary, reason } = { reason: undefined, ...TRANSITIONS[transition] };
  const command = parent.command(transition).summary(summary).argument(`<${subject.noun}>`, subject.argument);
  command.description(descriptionOf(subject.noun, transition));
  const why = UNPUBLISHED.has(transition) ? 'why, for the audit trail' : WHY_IN_PUBLIC;
  if (reason === undefined) command.requiredOption('--reason <text>', why);
  else command.option('--reason <text>', why, reason);
  addDecisionOptions(command, transition);
  command
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example(exampleOf(subject, transition, reason)))
    .action(async (given: string, options: TransitionOptions) => {
      const session = openServiceSession(command, surroundings);
      const seen = await subject.find(session, given);
      requirePossible(subject, transition, seen);
      const isDryRun = options.dryRun === true;
      if (!isDryRun) await askFor(session, subject, transition, { seen, options });
      const { record, affected, whole } = await decide(session, subject, transition, seen, options, isDryRun);
      const title = subject.title(record);
      session.output.result(whole, (report) => {
        const outcome = isDryRun ? `is ${record.state}, and nothing was changed` : `is ${record.state} now`;
        const { suspendedUntil } = record;
        report.line(`${title} ${outcome}.${suspendedUntil ? ` Until ${momentText(suspendedUntil)}.` : ''}`);
        describeAffected(report, affected, isDryRun);
      });
    });
}

function addDecisionOptions(command: Command, transition: Transition): void {
  const codes = new Option('--reason-code <code>', 'the same in a word that can be counted').choices([
    ...REASON_CODES_OF[transition],
  ]);
  command.addOption(codes.default('other'));
  if (transition === 'suspend') {
    command.option('--until <moment>', 'when it ends by itself, such as 2027-12-31T12:00:00Z', moment);
  }
  command.option('--dry-run', 'show what would be affected, and do nothing');
}

interface Decided<T> {
  record: T;
  affected: AffectedRecord[];
  /** As the service said it. */
  whole: unknown;
}

async function decide<T extends Transitionable>(
  { client }: ServiceSession,
  subject: TransitionSubject<T>,
  transition: Transition,
  seen: T,
  { reason, reasonCode, until, ifMatch }: TransitionOptions,
  isDryRun: boolean,
): Promise<Decided<T>> {
  const path = `${subject.collection}/${seen.id}/${transition}`;
  const end = until?.at == null ? {} : { until: until.at };
  const decision = { reasonCode, ...end, ...(isDryRun && { dryRun: true }) };
  const seenVersion = ifMatch ?? (transition === 'approve' ? seen.version : undefined);
  const request = { method: 'POST', path, body: { reason, ...decision }, ifMatch: seenVersion } as const;
  const whole = await client.send(request, TRANSITIONED);
  return { record: subject.record.parse(whole), affected: whole.affected, whole };
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  authorization_server: 'authorization server',
  api_resource: 'API',
  trust_mark: 'Trust Mark',
  role_assignment: 'role',
  entity_role_assignment: 'role of an entity',
};

function describeAffected(report: Report, affected: readonly AffectedRecord[], isDryRun: boolean): void {
  if (affected.length === 0) {
    if (isDryRun) report.line('Nothing below it would be affected.');
    return;
  }
  report.heading(isDryRun ? 'Would be affected' : 'Affected');
  report.table(
    ['WHAT', 'NAME', 'BEFORE', 'AFTER'],
    affected.map(({ kind, name, stateBefore, stateAfter }) => [
      KIND_WORDS[kind] ?? kind,
      name,
      stateBefore,
      stateAfter,
    ]),
  );
}

/** Nobody is asked for a decision that the service would refuse. @throws CommandError refused */
function requirePossible<T extends Transitionable>(
  subject: TransitionSubject<T>,
  transition: Transition,
  seen: T,
): void {
  const { state, allowedTransitions } = seen;
  if (allowedTransitions.includes(transition)) return;
  const possible = allowedTransitions.length === 0 ? 'nothing, this is final' : allowedTransitions.join(', ');
  throw new CommandError('refused', `cannot ${transition} ${subject.title(seen)}, which is ${state}`, {
    hint: `Possible: ${possible}.`,
    code: 'illegal_transition',
  });
}

/** Shows what is decided about, the evidence above all or what it would affect, and asks at a terminal. */
async function askFor<T extends Transitionable>(
  session: ServiceSession,
  subject: TransitionSubject<T>,
  transition: Transition,
  { seen, options }: { seen: T; options: TransitionOptions },
): Promise<void> {
  const { yes } = options;
  if (yes !== true && isInteractive(session)) {
    if (transition === 'approve') {
      const [readable = seen] = await withNames(session, [seen]);
      session.output.explain((report) => subject.describe(report, readable));
    }
    // The approval of an entity fetches its configuration: once is enough.
    if (transition !== 'approve' || subject.noun === 'organisation') {
      const { affected } = await decide(session, subject, transition, seen, options, true);
      if (affected.length > 0) session.output.explain((report) => describeAffected(report, affected, true));
    }
  }
  const doubts = transition === 'reinstate' ? subject.doubts?.(seen) : undefined;
  if (doubts !== undefined) session.output.warn(doubts);
  const lookAt = `holdfast ${subject.noun} show ${seen.id}`;
  await confirm(`${transition} ${subject.title(seen)}, which is ${seen.state}?`, session, { yes, lookAt });
}

function descriptionOf(noun: string, transition: Transition): string {
  const { summary } = TRANSITIONS[transition];
  const text = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  if (transition !== 'approve') return text;
  return `${text}\nShows the ${noun} first and approves exactly what it showed: if that has changed, nothing is approved.`;
}

function exampleOf<T extends Transitionable>(
  { noun, sample }: TransitionSubject<T>,
  transition: Transition,
  defaultReason: string | undefined,
): string {
  const reason = defaultReason === undefined ? ' --reason "ticket 4711"' : '';
  return `holdfast ${noun} ${transition} ${sample}${reason}${transition === 'suspend' ? ' --dry-run' : ''}`;
}
