/** What an authority does with a Trust Mark type must fit what the same authority lists of it. @see OIDFED §7.2, §7.3, §17.5 */
import { and, asc, eq } from 'drizzle-orm';
import { FederationError, pointer } from '../../federation/errors.ts';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import { isSamePublicKey, type Jwk, type JwkSet } from '../../federation/jwk-set.ts';
import { validateOwnDelegation } from '../../federation/trust-mark/delegation.ts';
import type { Tx } from '../../storage/connect.ts';
import { trustMarkTypes } from '../../storage/schema/trust-mark-types.ts';
import type { Authority, AuthorityKey } from '../authorities/authority.ts';
import { invalidField } from '../registry-error.ts';
import type { DelegationTerms } from './trust-mark-delegation.ts';
import type { Ownership } from './trust-mark-type.ts';

type Lists = Pick<Authority, 'entityIdentifier' | 'trustMarkIssuers' | 'trustMarkOwners'>;

/**
 * Refuses a type whose marks the authority would not recognise itself: its lists let others alone issue it, or name
 * another owner, or other keys of the owner.
 * @throws RegistryError validation_failed
 */
export async function requireRecognisedIssue(
  authority: Lists,
  trustMarkType: string,
  ownership: Ownership | null,
  { now, allowHttp }: { now: Date } & IdentifierOptions,
): Promise<void> {
  requireOwnIssue(authority, trustMarkType);
  const issuer = authority.entityIdentifier;
  const issuers = listed(authority.trustMarkIssuers, trustMarkType);
  const owner = listed(authority.trustMarkOwners, trustMarkType);
  if (owner === undefined) {
    if (ownership === null || issuers === undefined) return;
    const detail =
      'is unknown to trustMarkOwners of this authority, which recognises the type; add the owner there first';
    throw invalidField('/ownership', detail);
  }
  if (ownership === null) {
    throw invalidField(
      '/ownership',
      `is needed: trustMarkOwners of this authority says that ${owner.sub} owns the type`,
    );
  }
  const given = { owner: owner.sub, ownerJwks: owner.jwks as JwkSet, issuer, trustMarkType };
  try {
    const time = { now: now.getTime() / 1000, leewaySeconds: 0, allowHttp };
    await validateOwnDelegation(ownership.delegation, given, time);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const detail = `does not fit the owner in trustMarkOwners of this authority: ${error.at} ${error.message}`;
    throw invalidField('/ownership/delegation', detail);
  }
}

/** Refuses a type that by the authority's own list others alone may issue. @throws RegistryError validation_failed */
export function requireOwnIssue(
  { entityIdentifier, trustMarkIssuers }: Pick<Lists, 'entityIdentifier' | 'trustMarkIssuers'>,
  trustMarkType: string,
): void {
  if (!isClosedTo(entityIdentifier, listed(trustMarkIssuers, trustMarkType))) return;
  throw invalidField('/trustMarkType', 'has other issuers in trustMarkIssuers of this authority; add it there first');
}

/**
 * Refuses a list of issuers that is closed to the authority for a type that it issues itself: the type is retired first.
 * @throws RegistryError validation_failed
 */
export async function requireOwnTypesListed(
  tx: Tx,
  { id, entityIdentifier, trustMarkIssuers }: Pick<Authority, 'id' | 'entityIdentifier' | 'trustMarkIssuers'>,
): Promise<void> {
  const { authorityId, state, trustMarkType } = trustMarkTypes;
  const issued = await tx
    .select({ type: trustMarkType })
    .from(trustMarkTypes)
    .where(and(eq(authorityId, id), eq(state, 'active')))
    .orderBy(asc(trustMarkType));
  for (const { type } of issued) {
    if (!isClosedTo(entityIdentifier, listed(trustMarkIssuers, type))) continue;
    const detail = `leaves out ${entityIdentifier}, which issues this type; retire the type first`;
    throw invalidField(`/trustMarkIssuers${pointer(type)}`, detail);
  }
}

/**
 * Refuses a delegation that the authority's own lists make void: they name another owner, other keys of it, or do not
 * let the issuer issue.
 * @param keys of the authority
 * @throws RegistryError validation_failed
 */
export function requireRecognisedDelegation(
  authority: Lists,
  { trustMarkType, issuer }: Pick<DelegationTerms, 'trustMarkType' | 'issuer'>,
  keys: readonly Pick<AuthorityKey, 'state' | 'kid' | 'publicJwk'>[],
): void {
  const issuers = listed(authority.trustMarkIssuers, trustMarkType);
  if (isClosedTo(issuer, issuers)) {
    throw invalidField('/issuer', 'is no issuer of the type in trustMarkIssuers of this authority; add it there first');
  }
  const owner = listed(authority.trustMarkOwners, trustMarkType);
  if (owner === undefined) return;
  if (owner.sub !== authority.entityIdentifier) {
    throw invalidField('/trustMarkType', `belongs to ${owner.sub} by trustMarkOwners of this authority`);
  }
  const active = keys.find(({ state }) => state === 'active');
  if (active === undefined) return;
  const isListed = owner.jwks.keys.some(
    (key) => key.kid === active.kid && isSamePublicKey(key as Jwk, active.publicJwk as Jwk),
  );
  if (isListed) return;
  const detail = `has other keys of the owner in trustMarkOwners of this authority; add ${active.kid} there first`;
  throw invalidField('/trustMarkType', detail);
}

/** An empty list lets anybody issue; so does none, as far as this authority is concerned. */
function isClosedTo(issuer: string, issuers: readonly string[] | undefined): boolean {
  return issuers !== undefined && issuers.length > 0 && !issuers.includes(issuer);
}

/** Types are any strings, `constructor` too. */
function listed<T>(record: Record<string, T>, type: string): T | undefined {
  return Object.hasOwn(record, type) ? record[type] : undefined;
}
