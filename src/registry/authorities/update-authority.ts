/** Changes what an authority publishes and puts into its statements. */
import { and, asc, eq, inArray, or, sql } from 'drizzle-orm';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import { type JsonObject, jsonEquals } from '../../federation/json.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { entities } from '../../storage/schema/entities.ts';
import { authorise, notFound } from '../actor.ts';
import { type ChangeContext, changeRegistry, requireVersion, withChanges } from '../change.ts';
import { inputConstraints, inputHints, inputLifetime, inputOwnMetadata, inputPolicy } from '../claims-input.ts';
import { invalidField } from '../registry-error.ts';
import { hasRole, requireMergeable } from '../roles/role-holders.ts';
import { LIVE_STATES } from '../states.ts';
import { requireOwnTypesListed } from '../trust-marks/own-recognition.ts';
import { type Authority, authoritySnapshot } from './authority.ts';
import { inputEndpointAuthentication } from './endpoint-authentication.ts';
import { inputEnrolmentFlow } from './enrolment-flow.ts';
import { inputKeySettings } from './keys/key-settings.ts';
import { longestOwnLifetime, raiseLongestLifetime } from './keys/longest-lifetime.ts';
import { inputRecognition, type RecognitionSettings } from './recognition-settings.ts';

/** What may be changed after an authority was made; its Entity Identifier may not. */
export interface AuthoritySettings extends RecognitionSettings {
  name: string;
  authorityHints: string[];
  /** Informational parameters of its federation_entity metadata (OIDFED §5.2.2). */
  metadata: JsonObject;
  defaultMetadataPolicy: JsonObject;
  defaultConstraints: JsonObject | null;
  configurationLifetimeSeconds: number;
  statementLifetimeSeconds: number;
  resolveLifetimeSeconds: number;
  /** How long a new key is published before it signs; null: five lives of the Entity Configuration, a day at least. */
  keyAnnounceSeconds: number | null;
  /** How long a key signs before the next takes its place; null: until somebody rolls it. */
  keyRollIntervalSeconds: number | null;
  /** Whether a key is kept announced at all times, so that an emergency finds one that others know already. */
  isStandbyKeyKept: boolean;
  /** What becomes of keys that the configuration of a subordinate proposes: held for a registrar, or registered. */
  keyProposals: Authority['keyProposals'];
  /** By endpoint whether callers prove who they are; an update changes those that it names. */
  endpointAuthentication: Authority['endpointAuthentication'];
  /** Contacts without which none of its organisations becomes active. */
  requiredContactTypes: Authority['requiredContactTypes'];
  /** How long a contact counts as right after it was confirmed, or added; null: for good. */
  contactConfirmationDays: number | null;
  /** From a reminder until what was not confirmed counts as lapsed, and again until `onLapse` acts. */
  lapseGraceDays: number;
  /** What becomes of an active member whose contacts or certification lapsed. */
  onLapse: Authority['onLapse'];
  /** What enrolments go through; null: the usual flow, and registrars may do without. */
  enrolmentFlow: Authority['enrolmentFlow'];
  /** Whether whoever added an entity without an enrolment may approve it, too. */
  fourEyes: Authority['fourEyes'];
  /** For these it believes only what is below its trust list. */
  listedPurposes: Authority['listedPurposes'];
}

/** The settings of an authority as they will be kept. @throws RegistryError validation_failed */
export function inputAuthoritySettings<T extends AuthoritySettings>(
  settings: T,
  entityIdentifier: string,
  options: IdentifierOptions,
): T {
  const { authorityHints } = settings;
  inputHints(authorityHints, options, '/authorityHints');
  const ownPlace = authorityHints.indexOf(entityIdentifier);
  if (ownPlace !== -1) throw invalidField(`/authorityHints/${ownPlace}`, 'names the authority itself');
  inputOwnMetadata(settings.metadata, options, '/metadata');
  inputPolicy(settings.defaultMetadataPolicy, '/defaultMetadataPolicy');
  for (const name of ['configurationLifetimeSeconds', 'statementLifetimeSeconds', 'resolveLifetimeSeconds'] as const) {
    inputLifetime(settings[name], `/${name}`);
  }
  inputKeySettings(settings);
  inputRecognition(settings, options);
  inputEndpointAuthentication(settings.endpointAuthentication);
  if (settings.enrolmentFlow !== null) inputEnrolmentFlow(settings.enrolmentFlow, '/enrolmentFlow');
  // In one order, since a list in another one says the same.
  const listedPurposes = [...new Set(settings.listedPurposes)].toSorted();
  return {
    ...settings,
    listedPurposes,
    defaultConstraints: inputConstraints(settings.defaultConstraints, '/defaultConstraints'),
  };
}

/**
 * Changes settings; all statements of the authority follow at once. A default policy that contradicts an entity's own
 * is refused. Settings that are so already change nothing.
 * @throws RegistryError not_found, role_missing, validation_failed, policy_conflict, version_mismatch
 */
export async function updateAuthority(
  context: ChangeContext,
  authorityId: string,
  settings: Partial<AuthoritySettings>,
  expectedVersion?: number,
): Promise<Authority> {
  authorise(context.actor, ['admin'], authorityId);
  return changeRegistry(context, async (tx, record) => {
    const [before] = await tx.select().from(authorities).where(eq(authorities.id, authorityId)).for('update');
    if (before === undefined) throw notFound('authority', authorityId);
    requireVersion(before, expectedVersion);
    // To name one endpoint must not open another.
    const endpointAuthentication = { ...before.endpointAuthentication, ...settings.endpointAuthentication };
    const wanted = withChanges(before, { ...settings, endpointAuthentication });
    const changed = inputAuthoritySettings(wanted, before.entityIdentifier, context);
    const after: Authority = { ...changed, version: before.version + 1 };
    if (jsonEquals(authoritySnapshot(before), authoritySnapshot(after))) return before;
    if (settings.defaultMetadataPolicy !== undefined) {
      await checkAgainstEntities(tx, authorityId, settings.defaultMetadataPolicy);
    }
    if (settings.trustMarkIssuers !== undefined) await requireOwnTypesListed(tx, after);
    await tx.update(authorities).set(after).where(eq(authorities.id, authorityId));
    await raiseLongestLifetime(tx, authorityId, longestOwnLifetime(after));
    record({
      action: 'authority.update',
      authorityId,
      subjectKind: 'authority',
      subjectId: authorityId,
      before: authoritySnapshot(before),
      after: authoritySnapshot(after),
    });
    return after;
  });
}

/** Only what has a policy of its own, or of a role, can contradict the default. */
async function checkAgainstEntities(tx: Tx, authorityId: string, policy: JsonObject): Promise<void> {
  const { id, entityIdentifier, metadataPolicy } = entities;
  const withPolicy = await tx
    .select({ id, entityIdentifier, metadataPolicy })
    .from(entities)
    .where(
      and(
        eq(entities.authorityId, authorityId),
        inArray(entities.state, [...LIVE_STATES]),
        or(sql`${entities.metadataPolicy} <> '{}'::jsonb`, hasRole(tx)),
      ),
    )
    .orderBy(asc(id));
  await requireMergeable(tx, policy, withPolicy, '/defaultMetadataPolicy');
}
