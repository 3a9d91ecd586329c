/** `holdfast entity keys`: the registered keys of an entity, their history, and what a registrar does with them. */
import type { Command } from 'commander';
import { grouped } from '../anchor/thumbprints.ts';
import type { ApiClient } from '../api-client.ts';
import { type EntityKeysRecord, type EntityRecord, entityKeysSchema, entitySchema } from '../api-records.ts';
import { CommandError } from '../command-error.ts';
import { confirm } from '../confirm.ts';
import { findEntity } from '../find-record.ts';
import { example } from '../help-text.ts';
import type { Report } from '../report.ts';
import { openServiceSession } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { shortMoment } from '../times.ts';
import { WHY_IN_PUBLIC } from '../transition-commands.ts';

const WHY = 'why, for the audit trail';

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
  addAcceptCommand(keys, surroundings);
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
    ['KID', 'STATE', 'CAME BY', 'ADDED', 'REMOVED', 'BY', 'THUMBPRINT'],
    items.map(({ kid, state, source, addedAt, removedAt, removal, thumbprint }) => [
      kid,
      state,
      source,
      shortMoment(addedAt),
      removedAt === null ? '-' : shortMoment(removedAt),
      removal ?? '-',
      thumbprint,
    ]),
  );
  if (proposals.length === 0) return;
  report.heading('Proposed by its configuration');
  report.table(
    ['KID', 'STATE', 'PROPOSED', 'SIGNED BY', 'REASON', 'THUMBPRINT'],
    proposals.map(({ kid, state, proposedAt, signedBy, reason, thumbprint }) => [
      kid,
      state,
      shortMoment(proposedAt),
      signedBy ?? '-',
      reason ?? '-',
      thumbprint,
    ]),
  );
}

function addAcceptCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('accept')
    .summary('register a proposed key')
    .description(
      'Register a key that the configuration of an entity proposes, beside those that there are. Compare its thumbprint\n' +
        'with the partner first, out of band: it is asked for, or given here.',
    )
    .argument('<entity>', 'id, or Entity Identifier')
    .argument('<kid>', 'the kid of the key')
    .requiredOption('--reason <text>', WHY)
    .option('--thumbprint <text>', 'of the key that was looked at; needed where there is no terminal', ungrouped)
    .addHelpText(
      'after',
      example('holdfast entity keys accept https://rp.example.edu NzbLsXh8 --reason "told by telephone"'),
    );
  command.action(async (given: string, kid: string, options: { reason: string; thumbprint?: string }) => {
    const session = openServiceSession(command, surroundings);
    const entity = await findEntity(session.client, given);
    const lookAt = `holdfast entity keys list ${entity.entityIdentifier}`;
    const proposed = await proposedThumbprint(session.client, entity, kid);
    const question = `did ${entity.entityIdentifier} tell you ${grouped(proposed)}? Register this key, ${kid}?`;
    await confirm(question, session, { yes: options.thumbprint !== undefined, lookAt, instead: '--thumbprint' });
    const { reason, thumbprint = proposed } = options;
    const body = { kid, thumbprint, reason };
    const path = `entities/${entity.id}/keys/accept`;
    const changed = await session.client.send({ method: 'POST', path, body }, entitySchema);
    session.output.result(changed, (report) => {
      report.line(`${kid} is registered: ${grouped(thumbprint)}.`);
      describeRegistered(report, changed);
    });
  });
}

/** A thumbprint as people write it down. */
function ungrouped(value: string): string {
  return value.replace(/\s/g, '');
}

/** @throws CommandError refused when no such key waits for a decision */
async function proposedThumbprint(
  client: ApiClient,
  { id, entityIdentifier }: EntityRecord,
  kid: string,
): Promise<string> {
  const { proposals } = await client.send({ method: 'GET', path: `entities/${id}/keys` }, entityKeysSchema);
  const proposal = proposals.find((candidate) => candidate.kid === kid && candidate.state === 'proposed');
  if (proposal !== undefined) return proposal.thumbprint;
  throw new CommandError('refused', `${entityIdentifier} proposes no key ${kid}`, {
    code: 'not_found',
    hint: `\`holdfast entity keys list ${entityIdentifier}\` shows what it proposes.`,
  });
}

function describeRegistered(report: Report, { entityIdentifier, jwks }: EntityRecord): void {
  if (jwks.keys.length === 0) {
    report.line(`${entityIdentifier} has no key left: it is not vouched for, and has to be enrolled anew with others.`);
  }
  report.facts(jwks.keys.map(({ kid }) => ['registered', kid] as const));
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
  /** The subordinate events of the entity tell it. */
  isReasonPublic?: true;
  done: (kid: string) => string;
}

const CHANGES: readonly KeyChange[] = [
  {
    name: 'refuse',
    path: 'refuse',
    summary: 'let a proposed key be',
    description:
      'Do not register a key that the configuration of an entity proposes; it is not proposed again, under whatever\nkid.',
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
    isReasonPublic: true,
    done: (kid) => `${kid} is removed.`,
  },
  {
    name: 'compromised',
    path: 'compromise',
    summary: 'somebody else may have a key: it counts no more, at once',
    description:
      'Mark a key that somebody else may have. At once it authorises nothing, no pushed set, no configuration, no client\n' +
      'assertion, and is listed in no statement, even if it is the last one: then the entity is not vouched for any more.\n' +
      'It never returns.',
    question: (kid, { entityIdentifier }) => `mark the key ${kid} of ${entityIdentifier} as compromised?`,
    isReasonPublic: true,
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
    .requiredOption('--reason <text>', change.isReasonPublic ? WHY_IN_PUBLIC : WHY);
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
      describeRegistered(report, entity);
    });
  });
}
