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
  if (state === 'revoked') return 'revoked';
  if (supersededAt !== null && supersededAt <= now) return 'superseded';
  if (notAfter !== null && notAfter <= secondBefore(now)) return 'expired';
  // On hold, or in a state that nobody knows: then it does not count either.
  if (state !== 'active') return 'on_hold';
  return notBefore !== null && notBefore > now ? 'not_yet_valid' : 'active';
}

/** Whether it may ever count again. */
export function isOpenState(state: CredentialState): boolean {
  return CREDENTIAL_STATES.indexOf(state) < CREDENTIAL_STATES.indexOf('superseded');
}

export type CredentialRefusal =
  | `credential_${Exclude<CredentialState, 'active'>}`
  | `organisation_${Exclude<ParticipantState, 'active'>}`
  | `entity_${Exclude<ParticipantState, 'active'>}`
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

type Judged = CredentialLife & Pick<Credential, 'ownerState' | 'organisationState' | 'mode' | 'environment'>;

/**
 * A credential is live when it is active and valid itself, its entity is, its organisation is, and it is shown where it
 * belongs.
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
    (isElsewhere ? 'wrong_environment' : null);
  return { state, entityState: effectiveState(ownerState, organisationState), isLive: refusal === null, refusal };
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
  return and(isInState('active', now), sql`${entities.state} = 'active'`, sql`${organisations.state} = 'active'`);
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
