/** `holdfast entity keys`: the registered keys of an entity, their history, and what a registrar does with them. */
import type { Command } from 'commander';
import { type EntityKeysRecord, type EntityRecord, entityKeysSchema, entitySchema } from '../api-records.ts';
import { confirm } from '../confirm.ts';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import type { Report } from '../report.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { shortMoment } from '../times.ts';

const DESCRIPTION = `The Federation Entity Keys that are registered for an entity: its Subordinate Statement lists them. They change
  - when the entity pushes a set that it signed with one of them (\`holdfast configuration push-keys\`),
  - when its Entity Configuration, signed with one of them, shows new ones: these are proposed here, and registered
    once you accept them (or at once, with \`holdfast authority update --key-proposals accept\`),
  - by what you do here. A key that was removed or is compromised never returns. Without a subcommand: list.`;

export function addEntityKeysCommand(parent: Command, surroundings: Surroundings): void {
  const keys = parent
    .command('keys')
    .summary('its keys: list, accept, refuse, remove, …')
    .description(DESCRIPTION)
    .addHelpText('after', example('holdfast entity keys list https://rp.example.edu'));
  addListCommand(keys, surroundings);
  for (const change of CHANGES) addChangeCommand(keys, surroundings, change);
}

function addListCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('list', { isDefault: true })
    .description('List all keys that an entity ever had, and those that its configuration proposes.')
    .argument('<entity>', 'id, or Entity Identifier')
    .addHelpText('after', example('holdfast entity keys list https://rp.example.edu'));
  command.action(async (given: string) => {
    const session = openServiceSession(command, surroundings);
    const { id } = await findEntity(session.client, given);
    const keys = await session.client.send({ method: 'GET', path: `entities/${id}/keys` }, entityKeysSchema);
    session.output.result(keys, (report) => describeKeys(report, keys));
  });
}

function describeKeys(report: Report, { items, proposals }: EntityKeysRecord): void {
  report.table(
    ['KID', 'STATE', 'CAME BY', 'ADDED', 'REMOVED', 'BY'],
    items.map(({ kid, state, source, addedAt, removedAt, removal }) => [
      kid,
      state,
      source,
      shortMoment(addedAt),
      removedAt === null ? '-' : shortMoment(removedAt),
      removal ?? '-',
    ]),
  );
  if (proposals.length === 0) return;
  report.heading('Proposed by its configuration');
  report.table(
    ['KID', 'STATE', 'PROPOSED', 'REASON'],
    proposals.map(({ kid, state, proposedAt, reason }) => [kid, state, shortMoment(proposedAt), reason ?? '-']),
  );
}

interface ChangeOptions {
  reason: string;
  allowNoKeys?: boolean;
  yes?: boolean;
}

interface KeyChange {
  name: string;
  /** Last part of the path. */
  path: string;
  summary: string;
  description: string;
  /** What is asked before it is done; undefined where it can be mended. */
  question?: (kid: string, entity: EntityRecord) => string;
  done: (kid: string) => string;
}

const CHANGES: readonly KeyChange[] = [
  {
    name: 'accept',
    path: 'accept',
    summary: 'register a proposed key',
    description: 'Register a key that the configuration of an entity proposes, beside those that there are.',
    done: (kid) => `${kid} is registered.`,
  },
  {
    name: 'refuse',
    path: 'refuse',
    summary: 'let a proposed key be',
    description: 'Do not register a key that the configuration of an entity proposes; it is not proposed again.',
    done: (kid) => `${kid} is refused.`,
  },
  {
    name: 'remove',
    path: 'remove',
    summary: 'remove a registered key, for good',
    description:
      'Remove a registered key. It leaves the Subordinate Statement at once and does not return. Without any key that\n' +
      'counts an entity is not vouched for and has to be enrolled anew, so the last one goes with --allow-no-keys only.',
    question: (kid, { entityIdentifier }) => `remove the key ${kid} of ${entityIdentifier} for good?`,
    done: (kid) => `${kid} is removed.`,
  },
  {
    name: 'compromised',
    path: 'compromise',
    summary: 'somebody else may have a key: it counts no more, at once',
    description:
      'Mark a key that somebody else may have. At once it authorises nothing, no pushed set, no configuration, no client\n' +
      'assertion, and is listed in no statement, even if it is the last one. It never returns.',
    question: (kid, { entityIdentifier }) => `mark the key ${kid} of ${entityIdentifier} as compromised?`,
    done: (kid) => `${kid} is compromised and counts no more.`,
  },
];

function addChangeCommand(parent: Command, surroundings: Surroundings, change: KeyChange): void {
  const command = parent
    .command(change.name)
    .summary(change.summary)
    .description(change.description)
    .argument('<entity>', 'id, or Entity Identifier')
    .argument('<kid>', 'the kid of the key')
    .requiredOption('--reason <text>', 'why, for the audit trail');
  if (change.path === 'remove') command.option('--allow-no-keys', 'although no key that counts would be left');
  if (change.question !== undefined) command.option('--yes', 'do not ask; needed where there is no terminal');
  const sample = `holdfast entity keys ${change.name} https://rp.example.edu NzbLsXh8 --reason "told by telephone"`;
  command.addHelpText('after', example(sample));
  command.action(async (given: string, kid: string, { reason, allowNoKeys, yes }: ChangeOptions) => {
    const session = openServiceSession(command, surroundings);
    const found = await findEntity(session.client, given);
    const lookAt = `holdfast entity keys list ${found.entityIdentifier}`;
    if (change.question !== undefined) await confirm(change.question(kid, found), session, { yes, lookAt });
    const body = { kid, reason, ...(allowNoKeys === undefined ? {} : { allowNoKeys }) };
    const path = `entities/${found.id}/keys/${change.path}`;
    const entity = await session.client.send({ method: 'POST', path, body }, entitySchema);
    session.output.result(entity, (report) => {
      report.line(change.done(kid));
      report.facts(entity.jwks.keys.map((key) => ['registered', key.kid] as const));
    });
  });
}
