/** Takes in what an entity's configuration says about its keys: it may propose or add some, and never removes one. */
import { eq } from 'drizzle-orm';
import { FederationError } from '../../../federation/errors.ts';
import { isSamePublicKey, type Jwk, MAX_KEYS } from '../../../federation/jwk-set.ts';
import { publishedKeyComplaint } from '../../../federation/lint/published-key.ts';
import { verifySignature } from '../../../federation/signature.ts';
import type { EntityStatement } from '../../../federation/statement/entity-statement.ts';
import type { Tx } from '../../../storage/connect.ts';
import { authorities } from '../../../storage/schema/authorities.ts';
import { entities } from '../../../storage/schema/entities.ts';
import { authorise } from '../../actor.ts';
import { type ChangeContext, changeRegistry } from '../../change.ts';
import { RegistryError } from '../../registry-error.ts';
import { type EntityRow, entitySnapshot } from '../entity.ts';
import { lockOpenEntity } from '../lock-entity.ts';
import { readEntity, registeredKeysOf } from '../read-entity.ts';
import { barredKids, keyHistory, registerKeys, reusedKids } from '../register-keys.ts';
import { type Finding, type FindingKind, setFindings } from './findings.ts';
import { decide, proposalsOf, propose, settleProposals } from './key-proposals.ts';
import { acceptedStatements, recordAccepted } from './key-statements.ts';
import { isEffectivelyActive, isLive } from './keys-changeable.ts';

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
  const { authorityId } = await readEntity(context.db, context.actor, entityId);
  authorise(context.actor, ['admin', 'registrar'], authorityId);
  return await changeRegistry(context, async (tx, record) => {
    const before = await lockOpenEntity(tx, entityId);
    if (!(await isEffectivelyActive(tx, before))) {
      throw new RegistryError('entity_not_active', 'its keys do not change while it is not active');
    }
    const registered = await registeredKeysOf(tx, entityId);
    const keys = registered.map(({ jwk }) => jwk);
    const standing = await standingOf(tx, before, keys, configuration, context.now);
    if (standing.outcome !== 'followed') {
      await setFindings(tx, entityId, WHOLE, standing.findings, context.now);
      return { outcome: standing.outcome, proposed: [], added: [] };
    }
    const news = await newsOf(tx, before, keys, configuration);
    const taken = await takeIn(tx, before, keys, news, context.now);
    await recordAccepted(tx, entityId, { configurationIat: configuration.claims.iat });
    await setFindings(tx, entityId, [...WHOLE, ...KEYS], news.findings, context.now);
    if (taken.proposed.length + taken.added.length + taken.withdrawn.length > 0) {
      const after = { ...before, version: before.version + 1 };
      await tx.update(entities).set({ version: after.version }).where(eq(entities.id, entityId));
      record({
        action: taken.added.length > 0 ? 'entity.add_published_keys' : 'entity.propose_keys',
        authorityId,
        subjectKind: 'entity',
        subjectId: entityId,
        before: entitySnapshot(before, registered),
        after: { ...entitySnapshot(after, await registeredKeysOf(tx, entityId)), ...taken },
      });
    }
    return { outcome: 'followed', proposed: taken.proposed, added: taken.added };
  });
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
  try {
    await verifySignature(configuration, { keys: keys.filter((key) => isLive(key, now)) });
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const detail = `no registered key signed its configuration, but ${header.kid}: nothing of it counts; ask the partner`;
    return { outcome: 'unknown_key', findings: [{ kind: 'signed_by_unknown_key', detail }] };
  }
  const { configurationIat } = await acceptedStatements(tx, entity);
  const { iat: checkedIat } = entity.evidence;
  // The one that was checked last was accepted as well, but not yet taken in.
  const last = Math.max(configurationIat ?? 0, typeof checkedIat === 'number' ? checkedIat : 0);
  if (claims.iat === configurationIat) return { outcome: 'unchanged', findings: [] };
  if (claims.iat >= last) return { outcome: 'followed', findings: [] };
  const detail = `its iat, ${claims.iat}, lies before that of one accepted already, ${last}; it may be a replay`;
  return { outcome: 'older', findings: [{ kind: 'configuration_older', detail }] };
}

interface News {
  /** Keys that may be registered and are not. */
  fresh: Jwk[];
  /** kids that the configuration shows. */
  shown: string[];
  findings: Finding[];
}

async function newsOf(tx: Tx, entity: EntityRow, keys: readonly Jwk[], { claims }: EntityStatement): Promise<News> {
  const { recorded, barred } = await keyHistory(tx, entity);
  const shown = claims.jwks.keys;
  const reused = reusedKids({ keys: shown }, recorded);
  const returning = barredKids({ keys: shown }, barred);
  const unknown = shown.filter((key) => !keys.some((known) => known.kid === key.kid || isSamePublicKey(known, key)));
  const usable = unknown.filter(({ kid }) => !reused.includes(kid) && !returning.includes(kid));
  const unsuitable = usable.filter((key) => publishedKeyComplaint(key) !== undefined);
  const surplus = usable.slice(Math.max(0, MAX_KEYS - keys.length));
  const fresh = usable.filter((key) => !unsuitable.includes(key) && !surplus.includes(key));
  const missing = keys.filter(({ kid }) => !shown.some((key) => key.kid === kid)).map(({ kid }) => kid);
  const unfit = [...unsuitable, ...surplus].map(({ kid }) => kid);
  const findings = [
    finding('key_unsuitable', unfit, 'cannot be vouched for: another type, too short, not for signatures, or too many'),
    finding('kid_reused', reused, 'stood for another key of this entity; the new key needs a new kid'),
    finding(
      'removed_key_published',
      returning,
      'was removed or is compromised and does not return; it is to be left out',
    ),
    finding('registered_key_missing', missing, 'is registered but no longer published: remove it if it is not used'),
  ];
  return { fresh, shown: shown.map(({ kid }) => kid), findings: findings.filter((one) => one !== undefined) };
}

function finding(kind: FindingKind, kids: readonly string[], text: string): Finding | undefined {
  return kids.length === 0 ? undefined : { kind, detail: `${kids.join(', ')}: ${text}` };
}

interface Taken {
  proposed: string[];
  added: string[];
  /** Proposals that the configuration no longer shows. */
  withdrawn: string[];
}

async function takeIn(tx: Tx, entity: EntityRow, keys: Jwk[], { fresh, shown }: News, now: Date): Promise<Taken> {
  const proposals = await proposalsOf(tx, entity.id);
  const stateOf = (kid: string) => proposals.find((proposal) => proposal.kid === kid)?.state;
  const withdrawn = proposals.filter(({ kid, state }) => state === 'proposed' && !shown.includes(kid));
  const gone = { state: 'withdrawn', reason: 'its configuration shows it no longer' } as const;
  await decide(tx, entity.id, kidsOf(withdrawn), gone, now);
  const wanted = fresh.filter(({ kid }) => stateOf(kid) !== 'refused');
  const [authority] = await tx
    .select({ keyProposals: authorities.keyProposals })
    .from(authorities)
    .where(eq(authorities.id, entity.authorityId));
  const isAccepted = authority?.keyProposals === 'accept';
  const isNew = (key: Jwk) =>
    stateOf(key.kid) !== 'proposed' ||
    !proposals.some(({ kid, publicJwk }) => kid === key.kid && isSamePublicKey(publicJwk as Jwk, key));
  const proposed = isAccepted ? [] : wanted.filter(isNew);
  await propose(tx, entity.id, isAccepted ? wanted : proposed, now);
  if (isAccepted && wanted.length > 0) {
    await registerKeys(tx, entity, { keys: [...keys, ...wanted] }, now, 'configuration');
    await decide(tx, entity.id, kidsOf(wanted), { state: 'accepted', reason: 'as the authority has it' }, now);
  }
  await settleProposals(tx, entity.id, now);
  return { proposed: kidsOf(proposed), added: isAccepted ? kidsOf(wanted) : [], withdrawn: kidsOf(withdrawn) };
}

function kidsOf(keys: readonly { kid: string }[]): string[] {
  return keys.map(({ kid }) => kid);
}
