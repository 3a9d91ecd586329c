/** The commands that move an organisation or an entity from one state to another. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { CommandError } from './command-error.ts';
import { confirm } from './confirm.ts';
import { example } from './help-text.ts';
import { recordVersion } from './option-values.ts';
import type { Report } from './report.ts';
import { openServiceSession, type ServiceSession } from './session.ts';
import { isInteractive, type Surroundings } from './surroundings.ts';

interface Transitionable {
  id: string;
  state: string;
  version: number;
  allowedTransitions: readonly string[];
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

export function addTransitionCommands<T extends Transitionable>(
  parent: Command,
  surroundings: Surroundings,
  subject: TransitionSubject<T>,
): void {
  for (const transition of Object.keys(TRANSITIONS) as Transition[]) {
    addTransitionCommand(parent, surroundings, subject, transition);
  }
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
  command
    .option('--if-match <version>', 'the version that was looked at; refused if it has changed since', recordVersion)
    .option('--yes', 'do not ask; needed where there is no terminal')
    .addHelpText('after', example(exampleOf(subject, transition, reason)))
    .action(async (given: string, options: TransitionOptions) => {
      const session = openServiceSession(command, surroundings);
      const seen = await subject.find(session, given);
      requirePossible(subject, transition, seen);
      const ifMatch = options.ifMatch ?? (transition === 'approve' ? seen.version : undefined);
      await askFor(session, subject, transition, { seen, yes: options.yes });
      const path = `${subject.collection}/${seen.id}/${transition}`;
      const body = { reason: options.reason };
      const record = await session.client.send({ method: 'POST', path, body, ifMatch }, subject.record);
      session.output.result(record, (report) => report.line(`${subject.title(record)} is ${record.state} now.`));
    });
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

/** Shows what is decided about, the evidence above all, and asks at a terminal. */
async function askFor<T extends Transitionable>(
  session: ServiceSession,
  subject: TransitionSubject<T>,
  transition: Transition,
  { seen, yes }: { seen: T; yes?: boolean },
): Promise<void> {
  if (transition === 'approve' && yes !== true && isInteractive(session)) {
    session.output.explain((report) => subject.describe(report, seen));
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
  return `holdfast ${noun} ${transition} ${sample}${reason}`;
}
