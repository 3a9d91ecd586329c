/** What is said of a certificate that we issued: the one rule for lists of revocations and the OCSP responder. */
import { and, asc, eq, gt, gte, isNull, lte, min, ne, or, type SQL } from 'drizzle-orm';
import { CRL_REASON, type CrlReason } from '../../pki/revocation-list/revocation-reason.ts';
import type { Db, Tx } from '../../storage/connect.ts';
import { type CredentialRevocationReason, credentials } from '../../storage/schema/credentials.ts';
import { entities } from '../../storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import type { CredentialRow } from '../credentials/credential.ts';

export type CertificateStatus = {
  /** When the clock alone makes another status of it, in whole seconds since the epoch; null: never. */
  changesAt: number | null;
} & (
  | { status: 'good' }
  | {
      /** For good, or as long as it is on hold. */
      status: 'revoked';
      reason: CrlReason;
      /** Since when, in whole seconds since the epoch. */
      revokedAt: number;
    }
);

/** What its status follows from. */
export interface CertificateStatusRow
  extends Pick<CredentialRow, 'state' | 'revocationReason' | 'revokedAt' | 'stateChangedAt' | 'supersededAt'> {
  ownerState: ParticipantState;
  ownerStateChangedAt: Date;
  organisationState: ParticipantState;
  organisationStateChangedAt: Date;
}

/** One that counts no more. */
export interface RevokedCertificate {
  /** In hexadecimal without leading zeros. */
  serial: string;
  reason: CrlReason;
  /** In whole seconds since the epoch. */
  revokedAt: number;
}

interface End {
  reason: CrlReason;
  at: Date;
}

const OWN_REASONS: Readonly<Record<CredentialRevocationReason, CrlReason>> = {
  unspecified: CRL_REASON.unspecified,
  key_compromise: CRL_REASON.keyCompromise,
  ca_compromise: CRL_REASON.cACompromise,
  affiliation_changed: CRL_REASON.affiliationChanged,
  superseded: CRL_REASON.superseded,
  cessation_of_operation: CRL_REASON.cessationOfOperation,
  privilege_withdrawn: CRL_REASON.privilegeWithdrawn,
};

/** States of its owner from which no way leads back. In any other one but `active` the certificate is on hold. */
const FINAL_STATES: ReadonlyMap<ParticipantState, CrlReason> = new Map([
  ['revoked', CRL_REASON.privilegeWithdrawn],
  ['withdrawn', CRL_REASON.cessationOfOperation],
  ['rejected', CRL_REASON.cessationOfOperation],
]);

/**
 * Good exactly where credentialStanding finds it live, dates of validity and the trust list apart. What is final wins over
 * a hold. Of several ends the first one gives the date, and the reason too, unless the certificate itself was revoked.
 */
export function certificateStatus(row: CertificateStatusRow, now: Date): CertificateStatus {
  const ends = endsOf(row, now);
  if (ends.length > 0) return revoked(ends, null);
  const { supersededAt } = row;
  // The first whole second at which it is superseded: clocks tick in whole ones.
  const changesAt = supersededAt === null ? null : Math.ceil(supersededAt.getTime() / 1000);
  const holds = holdsOf(row);
  return holds.length > 0 ? revoked(holds, changesAt) : { status: 'good', changesAt };
}

function revoked(ends: readonly End[], changesAt: number | null): CertificateStatus {
  const revokedAt = Math.min(...ends.map(({ at }) => secondsOf(at)));
  return { status: 'revoked', reason: ends[0]?.reason ?? CRL_REASON.unspecified, revokedAt, changesAt };
}

/** The one whose reason counts first. */
function endsOf(row: CertificateStatusRow, now: Date): End[] {
  const ends = ownersOf(row).flatMap(({ state, at }) => {
    const reason = FINAL_STATES.get(state);
    return reason === undefined ? [] : [{ reason, at }];
  });
  const { supersededAt } = row;
  if (supersededAt !== null && supersededAt.getTime() <= now.getTime()) {
    ends.push({ reason: CRL_REASON.superseded, at: supersededAt });
  }
  ends.sort((one, other) => one.at.getTime() - other.at.getTime());
  if (row.state !== 'revoked') return ends;
  return [
    { reason: OWN_REASONS[row.revocationReason ?? 'unspecified'], at: row.revokedAt ?? row.stateChangedAt },
    ...ends,
  ];
}

function holdsOf(row: CertificateStatusRow): End[] {
  const reason = CRL_REASON.certificateHold;
  const holds = ownersOf(row).flatMap(({ state, at }) => (state === 'active' ? [] : [{ reason, at }]));
  return row.state === 'active' ? holds : [{ reason, at: row.stateChangedAt }, ...holds];
}

function ownersOf(row: CertificateStatusRow): { state: ParticipantState; at: Date }[] {
  return [
    { state: row.ownerState, at: row.ownerStateChangedAt },
    { state: row.organisationState, at: row.organisationStateChangedAt },
  ];
}

function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

const STATUS_COLUMNS = {
  state: credentials.state,
  revocationReason: credentials.revocationReason,
  revokedAt: credentials.revokedAt,
  stateChangedAt: credentials.stateChangedAt,
  supersededAt: credentials.supersededAt,
  ownerState: entities.state,
  ownerStateChangedAt: entities.stateChangedAt,
  organisationState: organisations.state,
  organisationStateChangedAt: organisations.stateChangedAt,
};

/**
 * @param serial in hexadecimal without leading zeros, in small letters
 * @returns undefined for a certificate that this one never issued
 */
export async function readCertificateStatus(
  db: Db | Tx,
  certificationAuthorityId: string,
  serial: string,
  now: Date,
): Promise<CertificateStatus | undefined> {
  const [row] = await db
    .select(STATUS_COLUMNS)
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(and(isIssuedBy(certificationAuthorityId), eq(credentials.serial, serial)));
  return row === undefined ? undefined : certificateStatus(row, now);
}

export interface RevokedPageRequest {
  /** `next` of the page before; left out of the first. */
  after?: string | undefined;
  limit: number;
  /** Certificates that ended before are left out. */
  endedSince: Date;
}

export interface RevokedPage {
  revoked: RevokedCertificate[];
  /** Where the next page begins; undefined: this is the last one. */
  next: string | undefined;
}

/** A page of those that count no more, in an order of serial numbers that stays the same. */
export async function readRevokedCertificates(
  db: Db | Tx,
  certificationAuthorityId: string,
  now: Date,
  { after, limit, endedSince }: RevokedPageRequest,
): Promise<RevokedPage> {
  const rows = await db
    .select({ serial: credentials.serial, ...STATUS_COLUMNS })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        isIssuedBy(certificationAuthorityId),
        isNotGood(now),
        or(isNull(credentials.notAfter), gte(credentials.notAfter, endedSince)),
        after === undefined ? undefined : gt(credentials.serial, after),
      ),
    )
    .orderBy(asc(credentials.serial))
    .limit(limit);
  const revoked = rows.flatMap(({ serial, ...row }) => {
    const status = certificateStatus(row, now);
    return serial === null || status.status === 'good'
      ? []
      : [{ serial, reason: status.reason, revokedAt: status.revokedAt }];
  });
  return { revoked, next: rows.length < limit ? undefined : (rows.at(-1)?.serial ?? undefined) };
}

/** When the clock alone changes the status of one of its certificates next; null: never. */
export async function nextStatusChange(db: Db | Tx, certificationAuthorityId: string, now: Date): Promise<Date | null> {
  const [next] = await db
    .select({ at: min(credentials.supersededAt) })
    .from(credentials)
    .where(and(isIssuedBy(certificationAuthorityId), gt(credentials.supersededAt, now)));
  return next?.at ?? null;
}

function isIssuedBy(certificationAuthorityId: string): SQL {
  return eq(credentials.certificationAuthorityId, certificationAuthorityId);
}

/** The same as certificateStatus of what a query finds. */
function isNotGood(now: Date): SQL | undefined {
  return or(
    ne(credentials.state, 'active'),
    lte(credentials.supersededAt, now),
    ne(entities.state, 'active'),
    ne(organisations.state, 'active'),
  );
}
