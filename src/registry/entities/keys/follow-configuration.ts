/**
 * Takes in what an entity's configuration says about its keys: it may propose or add some, and never removes one. A
 * certificate that it no longer shows with a key is dropped.
 */
import { and, eq } from 'drizzle-orm';
import { FederationError } from '../../../federation/errors.ts';
import type { JsonObject } from '../../../federation/json.ts';
import { isSamePublicKey, type Jwk, MAX_KEYS } from '../../../federation/jwk-set.ts';
import { publishedKeyComplaint } from '../../../federation/lint/published-key.ts';
import { verifySignature } from '../../../federation/signature.ts';
import type { EntityStatement } from '../../../federation/statement/entity-statement.ts';
import type { Tx } from '../../../storage/connect.ts';
import { authorities } from '../../../storage/schema/authorities.ts';
import { entities, entityKeys } from '../../../storage/schema/entities.ts';
import { ACCESS } from '../../access.ts';
import { authorise } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import type { Action } from '../../events/event-types.ts';
import { RegistryError } from '../../registry-error.ts';
import { type EntityRow, entitySnapshot } from '../entity.ts';
import { lockOpenEntity } from '../lock-entity.ts';
import { readEntity, registeredKeysOf } from '../read-entity.ts';
import { registerKeys } from '../register-keys.ts';
import { type Finding, type FindingKind, namedKids, setFindings } from './findings.ts';
import { recertified, uncertified } from './key-certificates.ts';
import { barredKids, keyHistory, repeatedKids, reusedKids, roomFor, unusableKids } from './key-history.ts';
import {
  decide,
  isRefused,
  type KeyProposal,
  proposalsOf,
  propose,
  settleProposals,
  withdraw,
} from './key-proposals.ts';
import { acceptedStatements, lastConfigurationIat, recordAccepted } from './key-statements.ts';
import { activeSince, isLive } from './keys-changeable.ts';

/** `unknown_key`, `older`: not taken in; `unchanged`: this very configuration was taken in before. */
export type Following = 'unknown_key' | 'older' | 'unchanged' | 'followed';

export interface FollowedConfiguration {
  outcome: Following;
  /** kids that wait for a registrar since now, and that were registered. */
  proposed: string[];
  added: string[];
}

/** Findings about the configuration as a whole, and about its keys. */
const WHOLE: readonly FindingKind[] = [
  'configuration_unavailable',
  'configuration_invalid',
  'signed_by_unknown_key',
  'configuration_older',
];
const KEYS: readonly FindingKind[] = [
  'key_unsuitable',
  'kid_reused',
  'removed_key_published',
  'registered_key_missing',
  'key_certificate_held',
];

/**
 * @param configuration validated in itself: signed by one of its own keys
 * @throws RegistryError not_found, role_missing, illegal_transition when the record is closed, entity_not_active
 */
export async function followConfiguration(
  context: ChangeContext,
  entityId: string,
  configuration: EntityStatement,
): Promise<FollowedConfiguration> {
  const { authorityId, organisationId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ACCESS.refreshEntity.roles, authorityId, organisationId, entityId);
  const { header, claims } = configuration;
  return await changeRegistry(context, async (tx, record) => {
    const before = await lockOpenEntity(tx, entityId);
    if ((await activeSince(tx, before)) === undefined) {
      throw new RegistryError('entity_not_active', 'its keys do not change while it is not active');
    }
    const registered = await registeredKeysOf(tx, entityId);
    const keys = registered.map(({ jwk }) => jwk);
    const { outcome, findings } = await standingOf(tx, before, keys, configuration, context.now);
    if (outcome === 'unknown_key' || outcome === 'older') {
      await setFindings(tx, entityId, WHOLE, findings, context.now);
      return { outcome, proposed: [], added: [] };
    }
    const news = await newsOf(tx, before, keys, configuration);
    // What is registered may have changed since it was taken in, and cured something.
    await setFindings(tx, entityId, [...WHOLE, ...KEYS], news.findings, context.now);
    if (outcome === 'unchanged') return { outcome, proposed: [], added: [] };
    const taken = await takeIn(tx, before, keys, news, header.kid, context.now);
    await recordAccepted(tx, entityId, { configurationIat: claims.iat });
    if (Object.values(taken).some((kids) => kids.length > 0)) {
      const after = { ...before, version: before.version + 1 };
      await tx.update(entities).set({ version: after.version }).where(eq(entities.id, entityId));
      const signed = { signedBy: header.kid, iat: claims.iat };
      record({
        action: actionOf(taken),
        authorityId,
        subjectKind: 'entity',
        subjectId: entityId,
        before: entitySnapshot(before, registered),
        after: { ...entitySnapshot(after, await registeredKeysOf(tx, entityId)), ...taken, ...signed },
      });
    }
    return { outcome, proposed: taken.proposed, added: taken.added };
  });
}

function actionOf({ proposed, added, withdrawn, recertified }: Taken): Action {
  if (added.length > 0) return 'entity.add_published_keys';
  const isRecertified = recertified.length > 0 && proposed.length + withdrawn.length === 0;
  return isRecertified ? 'entity.follow_key_certificates' : 'entity.propose_keys';
}

interface Standing {
  outcome: Following;
  findings: Finding[];
}

/** Whether the configuration speaks for the entity, and says something later than what was taken in before. */
async function standingOf(
  tx: Tx,
  entity: EntityRow,
  keys: readonly Jwk[],
  configuration: EntityStatement,
  now: Date,
): Promise<Standing> {
  const { header, claims } = configuration;
  const live = keys.filter((key) => isLive(key, now));
  try {
    await verifySignature(configuration, { keys: live });
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const signer = namedKids([header.kid]);
    const detail = `no registered key signed its configuration, but ${signer}: nothing of it counts; ask the partner`;
    return { outcome: 'unknown_key', findings: [{ kind: 'signed_by_unknown_key', detail }] };
  }
  const { configurationIat } = await acceptedStatements(tx, entity);
  if (claims.iat === configurationIat) return { outcome: 'unchanged', findings: [] };
  const last = await lastConfigurationIat(tx, entity, live);
  if (claims.iat >= last) return { outcome: 'followed', findings: [] };
  const detail = `its iat, ${claims.iat}, lies before that of one accepted already, ${last}; it may be a replay`;
  return { outcome: 'older', findings: [{ kind: 'configuration_older', detail }] };
}

interface News {
  /** Keys that may be registered and are not. */
  fresh: Jwk[];
  /** Registered ones whose certificate the configuration shows no more, as they are from now on. */
  changed: Jwk[];
  /** All that the configuration shows. */
  shown: readonly Jwk[];
  /** Whether the authority takes what is published without asking anybody. */
  isAccepted: boolean;
  findings: Finding[];
}

/** Keys of a configuration that are looked at: as many as may be registered, and as many new ones in their place. */
const MAX_CONSIDERED = 2 * MAX_KEYS;

async function newsOf(tx: Tx, entity: EntityRow, keys: readonly Jwk[], { claims }: EntityStatement): Promise<News> {
  const history = await keyHistory(tx, entity);
  const shown = claims.jwks.keys;
  const isAccepted = await isAccepting(tx, entity);
  const { pushedIat } = await acceptedStatements(tx, entity);
  // What was said or decided later stands.
  const changed = claims.iat < Math.floor(pushedIat ?? 0) ? [] : recertified(keys, shown, isAccepted);
  const considered = { keys: shown.slice(0, MAX_CONSIDERED) };
  const reused = reusedKids(considered, history.recorded);
  const returning = barredKids(considered, history.barred);
  const isKnown = (key: Jwk) => keys.some((known) => known.kid === key.kid || isSamePublicKey(known, key));
  const isOut = ({ kid }: Jwk) => reused.includes(kid) || returning.includes(kid);
  const unknown = considered.keys.filter((key) => !isKnown(key) && !isOut(key));
  const repeated = repeatedKids({ keys: unknown }, history);
  const fit = unknown.filter((key) => publishedKeyComplaint(key) === undefined && !repeated.includes(key.kid));
  const room = Math.min(Math.max(0, MAX_KEYS - keys.length), roomFor(history));
  const unusable = await unusableKids(fit.slice(0, room));
  const fresh = fit.slice(0, room).filter(({ kid }) => !unusable.includes(kid));
  const unsuitable = [...unknown.filter((key) => !fresh.includes(key)), ...shown.slice(MAX_CONSIDERED)];
  const missing = keys.filter(({ kid }) => !shown.some((key) => key.kid === kid));
  const findings = [
    finding(
      'key_unsuitable',
      kidsOf(unsuitable),
      'cannot be vouched for: another type, too short, not for signatures, no key at all, there twice, or too many',
    ),
    finding('kid_reused', reused, 'stood for another key of this entity; the new key needs a new kid'),
    finding(
      'removed_key_published',
      returning,
      'was removed or is compromised and does not return; it is to be left out',
    ),
    finding(
      'registered_key_missing',
      kidsOf(missing),
      'is registered but no longer published: remove it if it is not used',
    ),
    finding(
      'key_certificate_held',
      kidsOf(uncertified(withChanged(keys, changed), shown)),
      'is published with another certificate than registered: add that as a transport credential, or have the entity push its set',
    ),
  ];
  return { fresh, changed, shown, isAccepted, findings: findings.filter((one) => one !== undefined) };
}

function finding(kind: FindingKind, kids: readonly string[], text: string): Finding | undefined {
  return kids.length === 0 ? undefined : { kind, detail: `${namedKids(kids)}: ${text}` };
}

function withChanged(keys: readonly Jwk[], changed: readonly Jwk[]): Jwk[] {
  return keys.map((key) => changed.find(({ kid }) => kid === key.kid) ?? key);
}

async function isAccepting(tx: Tx, { authorityId }: EntityRow): Promise<boolean> {
  const [authority] = await tx
    .select({ keyProposals: authorities.keyProposals })
    .from(authorities)
    .where(eq(authorities.id, authorityId));
  return authority?.keyProposals === 'accept';
}

interface Taken {
  proposed: string[];
  added: string[];
  /** Proposals that the configuration no longer shows. */
  withdrawn: string[];
  /** Keys that lost their certificate or have another. */
  recertified: string[];
}

async function takeIn(
  tx: Tx,
  entity: EntityRow,
  keys: Jwk[],
  { fresh, changed, shown, isAccepted }: News,
  signedBy: string,
  now: Date,
): Promise<Taken> {
  const proposals = await proposalsOf(tx, entity.id);
  const open = proposals.filter(({ state }) => state === 'proposed');
  const isShown = ({ kid, publicJwk }: KeyProposal) =>
    shown.some((key) => key.kid === kid && isSamePublicKey(publicJwk as Jwk, key));
  const withdrawn = kidsOf(open.filter((proposal) => !isShown(proposal)));
  await withdraw(tx, entity.id, withdrawn);
  const wanted = fresh.filter((key) => !isRefused(key, proposals));
  const isOpen = ({ kid }: Jwk) => open.some((proposal) => proposal.kid === kid && !withdrawn.includes(kid));
  const proposed = isAccepted ? [] : wanted.filter((key) => !isOpen(key));
  await propose(tx, entity.id, isAccepted ? wanted : proposed, signedBy, now);
  for (const key of changed) {
    const isKey = and(eq(entityKeys.entityId, entity.id), eq(entityKeys.kid, key.kid));
    await tx
      .update(entityKeys)
      .set({ publicJwk: key as JsonObject })
      .where(isKey);
  }
  if (isAccepted && wanted.length > 0) {
    await registerKeys(tx, entity, { keys: [...withChanged(keys, changed), ...wanted] }, now, 'configuration');
    await decide(tx, entity.id, kidsOf(wanted), { state: 'accepted', reason: 'as the authority has it' }, now);
  }
  await settleProposals(tx, entity.id, now);
  return {
    proposed: kidsOf(proposed),
    added: isAccepted ? kidsOf(wanted) : [],
    withdrawn,
    recertified: kidsOf(changed),
  };
}

function kidsOf(keys: readonly { kid: string }[]): string[] {
  return keys.map(({ kid }) => kid);
}
