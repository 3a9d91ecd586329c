/** `holdfast entity add` */
import type { Command } from 'commander';
import { z } from 'zod';
import { type EntityRecord, entitySchema } from '../api-records.ts';
import { CommandError } from '../command-error.ts';
import { enrolmentSchema, requirePassedSteps } from '../enrolment/enrolment-records.ts';
import { describeSteps } from '../enrolment/enrolment-report.ts';
import { findAuthority, findOrganisation } from '../find-record.ts';
import { example } from '../help-text.ts';
import { readJsonObjectInput } from '../input-file.ts';
import { HOLDFAST } from '../invocation.ts';
import { repeatable } from '../option-values.ts';
import { showRecord } from '../record-names.ts';
import { openServiceSession, type ServiceSession, type Session } from '../session.ts';
import type { Surroundings } from '../surroundings.ts';
import { type AttributeOptions, addAttributeOptions, attributeSettings } from './attribute-options.ts';
import { describeEntity, failedChecks } from './entity-report.ts';
import { type HandedOver, readHandedOver } from './handed-over.ts';
import { addSubordinateOptions, type SubordinateOptions, subordinateSettings } from './subordinate-options.ts';

interface AddOptions extends SubordinateOptions, AttributeOptions {
  organisation: string;
  authority?: string;
  entityType?: string[];
  handedOver?: string;
  outOfBandCheck?: string;
  hosted?: string;
  idempotencyKey?: string;
}

const addedEntitySchema = entitySchema.extend({ enrolmentId: z.string().nullable() });

const DESCRIPTION = `Enrol an entity: its Entity Configuration is fetched and checked, and it is recorded as pending.
Exits with 1 if a check failed; the record tells what the partner has to mend.

An entity that cannot publish is enrolled by the keys it hands over: \`holdfast entity challenge\` makes a challenge,
the partner answers it with \`holdfast configuration prove\`, and that answer goes into --handed-over.

One without a web server is hosted: --hosted takes its metadata, and its configuration is published here, under the
host name that the service has for that (HOLDFAST_HOSTED_BASE_URL), or under the partner's once that points here.

Where the authority has a flow of its own, the steps of an enrolment run at once, and that is approved.`;

export function addEntityAddCommand(parent: Command, surroundings: Surroundings): void {
  const command = parent
    .command('add')
    .summary('enrol an entity; it is pending until approved')
    .description(DESCRIPTION)
    .argument('[entity-identifier]', 'its Entity Identifier; may be left out with --handed-over')
    .requiredOption('--organisation <organisation>', 'the organisation that owns it: id, or name if unique')
    .option('--authority <authority>', 'where the organisation is looked for: id, Entity Identifier or name')
    .option('--entity-type <type>', 'an Entity Type that it is meant to play; may be repeated', repeatable)
    .option('--handed-over <file>', "the partner's answer to the challenge: JSON of `configuration prove`")
    .option('--out-of-band-check <text>', "how you made sure that the keys are the partner's")
    .option('--hosted <file>', 'JSON: its metadata by Entity Type, for a configuration that is published here')
    .option('--idempotency-key <key>', 'repeating the command with this key adds nothing twice');
  addAttributeOptions(command);
  addSubordinateOptions(command).addHelpText(
    'after',
    example('holdfast entity add https://rp.example.edu --organisation "Example University"'),
  );
  command.action(async (identifier: string | undefined, options: AddOptions) => {
    const session = openServiceSession(command, surroundings);
    const handedOver = await handedOverBody(identifier, options, session);
    const hosting = options.hosted && { metadata: await readJsonObjectInput(options.hosted, session) };
    const authorityId = options.authority && (await findAuthority(session.client, options.authority)).id;
    const organisation = await findOrganisation(session.client, options.organisation, authorityId);
    const body = {
      organisationId: organisation.id,
      entityIdentifier: identifier,
      entityTypes: options.entityType,
      ...(await attributeSettings(options, session.client, organisation.authorityId)),
      ...(await subordinateSettings(options, session)),
      ...handedOver,
      hosting,
    };
    const entity = await session.client.send(
      { method: 'POST', path: 'entities', body, idempotencyKey: options.idempotencyKey },
      addedEntitySchema,
    );
    await showRecord(session, entity, describeEntity);
    requirePassedChecks(entity);
    if (entity.enrolmentId !== null) return await showEnrolment(session, entity.enrolmentId);
    session.output.note(`Next: ${HOLDFAST} entity approve ${entity.entityIdentifier}`);
  });
}

/** Where its authority has a flow: how the steps came out that let it in. @throws CommandError refused, for the exit code */
async function showEnrolment(session: ServiceSession, id: string): Promise<void> {
  const enrolment = await session.client.send({ method: 'GET', path: `enrolments/${id}` }, enrolmentSchema);
  session.output.explain((report) => describeSteps(report, enrolment));
  requirePassedSteps(enrolment);
  session.output.note(`Next, with a token of somebody else: ${HOLDFAST} enrolment approve ${id}`);
}

/** What is sent of keys that are handed over. */
async function handedOverBody(
  identifier: string | undefined,
  { handedOver: file, outOfBandCheck }: AddOptions,
  session: Session,
): Promise<(HandedOver & { outOfBandCheck: string }) | undefined> {
  if ((file === undefined) !== (outOfBandCheck === undefined)) {
    throw new CommandError('usage', '--handed-over and --out-of-band-check go together', {
      hint: 'Say how the keys were compared, such as --out-of-band-check "call back to +46 8 …, thumbprints read aloud".',
    });
  }
  if (file !== undefined && outOfBandCheck !== undefined) {
    return { ...(await readHandedOver(file, identifier, session)), outOfBandCheck };
  }
  if (identifier !== undefined) return undefined;
  throw new CommandError('usage', 'name the Entity Identifier of the entity');
}

/** @throws CommandError refused, for the exit code */
export function requirePassedChecks(entity: EntityRecord): void {
  const failed = failedChecks(entity);
  if (failed.length === 0) return;
  throw new CommandError('refused', `checks failed: ${failed.join(', ')}; the entity is ${entity.state}`, {
    hint: `When the partner has mended it: \`holdfast entity check ${entity.entityIdentifier}\``,
    code: 'checks_failed',
  });
}
