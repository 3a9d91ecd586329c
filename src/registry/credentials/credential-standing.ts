/** Whether a credential counts: the one rule that all readers go by, for one record and as a condition of a query. */
import { and, gt, gte, isNotNull, isNull, lt, lte, ne, not, or, type SQL, sql } from 'drizzle-orm';
import { credentials } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import { effectiveState } from '../states.ts';
import type { Credential, CredentialOwner, CredentialRow } from './credential.ts';

/** What was decided, by the clock. Those from `superseded` on are final. */
export const CREDENTIAL_STATES = ['active', 'not_yet_valid', 'on_hold', 'superseded', 'expired', 'revoked'] as const;

export type CredentialState = (typeof CREDENTIAL_STATES)[number];

export type CredentialLife = Pick<CredentialRow, 'state' | 'notBefore' | 'notAfter' | 'supersededAt'>;

/** The state of a credential by itself. A certificate is valid in the whole second that its end names (RFC 5280 §4.1.2.5). */
export function credentialState(
  { state, notBefore, notAfter, supersededAt }: CredentialLife,
  now: Date,
): CredentialState {
  const [begin, end, supersededMs] = [notBefore, notAfter, supersededAt].map((date) => date?.getTime());
  return stateAt({ state, notBefore: begin, notAfter: end, supersededAt: supersededMs }, now.getTime());
}

/** The same with all moments in milliseconds since the epoch, for who asks often. */
export function stateAt({ state, notBefore, notAfter, supersededAt }: LifeInMs, now: number): CredentialState {
  if (state === 'revoked') return 'revoked';
  if (supersededAt !== undefined && supersededAt <= now) return 'superseded';
  if (notAfter !== undefined && notAfter <= now - 1000) return 'expired';
  // On hold, or in a state that nobody knows: then it does not count either.
  if (state !== 'active') return 'on_hold';
  return notBefore !== undefined && notBefore > now ? 'not_yet_valid' : 'active';
}

interface LifeInMs {
  state: CredentialRow['state'];
  notBefore: number | undefined;
  notAfter: number | undefined;
  supersededAt: number | undefined;
}

/** Whether it may ever count again. */
export function isOpenState(state: CredentialState): boolean {
  return CREDENTIAL_STATES.indexOf(state) < CREDENTIAL_STATES.indexOf('superseded');
}

export type CredentialRefusal =
  | `credential_${Exclude<CredentialState, 'active'>}`
  | `organisation_${Exclude<ParticipantState, 'active'>}`
  | `entity_${Exclude<ParticipantState, 'active'>}`
  | 'chain_untrusted'
  | 'wrong_environment';

export interface CredentialStanding {
  /** Its own. */
  state: CredentialState;
  /** The stricter of its entity's and its organisation's. */
  entityState: ParticipantState;
  /** Whether anybody should rely on it now. */
  isLive: boolean;
  /** Why not; null while it is live. */
  refusal: CredentialRefusal | null;
}

/** Where a credential is shown: what counts in a sandbox is worth nothing in production. */
export interface Place {
  mode: CredentialOwner['mode'];
  environment: string;
}

type Judged = CredentialLife &
  Pick<Credential, 'ownerState' | 'organisationState' | 'mode' | 'environment'> &
  Pick<Credential, 'path' | 'isPurposeListed' | 'isAnchorListed'>;

/**
 * A credential is live when it is active and valid itself, its entity is, its organisation is, it is below the trust list
 * where its authority believes nothing else, and it is shown where it belongs.
 * @param shownAt left out by whoever asks about the record alone
 */
export function credentialStanding(credential: Judged, now: Date, shownAt?: Place): CredentialStanding {
  const { ownerState, organisationState, mode, environment } = credential;
  const state = credentialState(credential, now);
  const isElsewhere = shownAt !== undefined && (shownAt.mode !== mode || shownAt.environment !== environment);
  const refusal: CredentialRefusal | null =
    (state === 'active' ? null : (`credential_${state}` as const)) ??
    (organisationState === 'active' ? null : (`organisation_${organisationState}` as const)) ??
    (ownerState === 'active' ? null : (`entity_${ownerState}` as const)) ??
    (isTrusted(credential, now) ? null : 'chain_untrusted') ??
    (isElsewhere ? 'wrong_environment' : null);
  return { state, entityState: effectiveState(ownerState, organisationState), isLive: refusal === null, refusal };
}

function isTrusted({ path, isPurposeListed, isAnchorListed }: Judged, now: Date): boolean {
  return !isPurposeListed || (path !== null && isAnchorListed && Math.floor(now.getTime() / 1000) <= path.notAfter);
}

/** The same as credentialState of what a query finds. */
export function isInState(state: CredentialState, now: Date): SQL | undefined {
  const revoked = sql`${credentials.state} = 'revoked'`;
  const superseded = lte(credentials.supersededAt, now);
  const expired = lte(credentials.notAfter, secondBefore(now));
  const held = sql`${credentials.state} = 'on_hold'`;
  const early = gt(credentials.notBefore, now);
  if (state === 'revoked') return revoked;
  if (state === 'superseded') return and(unless(revoked), superseded);
  if (state === 'expired') return and(unless(revoked), unless(superseded), expired);
  if (state === 'on_hold') return and(isOpen(now), held);
  return and(isOpen(now), unless(held), state === 'active' ? unless(early) : early);
}

/** The same as isOpenState. */
export function isOpen(now: Date): SQL | undefined {
  return and(
    ne(credentials.state, 'revoked'),
    or(isNull(credentials.supersededAt), gt(credentials.supersededAt, now)),
    or(isNull(credentials.notAfter), gt(credentials.notAfter, secondBefore(now))),
  );
}

/** The same as `isLive`, where entities and organisations are joined. */
export function isLive(now: Date): SQL | undefined {
  return and(isLiveItself(now), or(unless(IS_PURPOSE_LISTED), hasListedPath(now)));
}

/** The same, whether it is below the trust list or not. */
export function isLiveItself(now: Date): SQL | undefined {
  return and(isInState('active', now), sql`${entities.state} = 'active'`, sql`${organisations.state} = 'active'`);
}

// By their names in the following: of one table, drizzle writes columns without, which are then those of the subquery.

/** Whether the authority believes nothing for this use but what is below its trust list. */
export const IS_PURPOSE_LISTED = sql<boolean>`exists (
  select 1 from authorities judging
  where judging.id = credentials.authority_id and judging.listed_purposes @> to_jsonb(credentials.usage))`;

/** Whether the path that was found leads to what is on the trust list now. */
export const IS_ANCHOR_LISTED = sql<boolean>`exists (
  select 1 from trust_list_entries listed
  where listed.authority_id = credentials.authority_id and listed.purpose = credentials.usage
    and listed.x5t_s256 = credentials.path ->> 'anchor' and listed.removed_at is null)`;

/** The same, and all certificates of the path are valid. */
export function hasListedPath(now: Date): SQL {
  const second = Math.floor(now.getTime() / 1000);
  return sql`(coalesce((credentials.path ->> 'notAfter')::numeric >= ${second}, false) and ${IS_ANCHOR_LISTED})`;
}

/** Open, and past its end within so many days. */
export function expiresWithin(days: number, now: Date): SQL | undefined {
  const end = new Date(now.getTime() + days * 86_400_000);
  return and(
    isOpen(now),
    isNotNull(credentials.notAfter),
    lt(credentials.notAfter, end),
    gte(credentials.notAfter, secondBefore(now)),
  );
}

/** True where a condition is not, also where a date is missing. */
export function unless(condition: SQL): SQL {
  return not(sql`coalesce(${condition}, false)`);
}

function secondBefore(now: Date): Date {
  return new Date(now.getTime() - 1000);
}
