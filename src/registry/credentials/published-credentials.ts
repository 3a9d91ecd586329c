/** Credentials as everybody may see them: those that count now, and those that once did. */
import { and, desc, eq, inArray, notInArray, or, type SQL } from 'drizzle-orm';
import { encodePem } from '../../pki/pem.ts';
import type { Db } from '../../storage/connect.ts';
import { type CredentialUsage, credentials } from '../../storage/schema/credentials.ts';
import { type EntityMode, entities } from '../../storage/schema/entities.ts';
import { organisations, type ParticipantState } from '../../storage/schema/organisations.ts';
import type { Credential } from './credential.ts';
import { credentialStanding, IS_ANCHOR_LISTED, IS_PURPOSE_LISTED, isOpen } from './credential-standing.ts';

/** Whose credentials: one application's, or all of an organisation in one place. */
export type KeyStoreOwner = { organisationId: string } & (
  | { entityId: string }
  | { mode: EntityMode; environment: string }
);

/** Which of them. */
export type KeyStoreSelection =
  | { usages: readonly CredentialUsage[]; standing: 'active' | 'inactive' }
  /** A certificate by its key's thumbprint (RFC 7638) or its own, SHA-256 in base64url; also all bare keys. */
  | { fingerprint: string };

export interface PublishedCredential
  extends Pick<Credential, 'entityId' | 'usage' | 'kind' | 'kid' | 'publicJwk' | 'x5tS256' | 'x5c'> {
  /** Whether anybody should rely on it now; if not, it counted once. */
  isLive: boolean;
}

export interface PublishedCredentials {
  /** The newest first. */
  credentials: PublishedCredential[];
  /** Whether there are more of them. */
  isCut: boolean;
  /** When the clock next changes which they are; null: never. */
  changesAt: Date | null;
}

/** Most credentials that are looked at for one answer. */
export const MAX_PUBLISHED = 250;

/** Whoever never became active is nobody's business. */
const NEVER_ACTIVE: readonly ParticipantState[] = ['pending', 'rejected'];

/**
 * What never counted is left out: those of whoever was not approved, those whose time had not begun when they ended.
 * @returns undefined where there is no such organisation, or it has no such application, that ever was active
 */
export async function readPublishedCredentials(
  db: Db,
  owner: KeyStoreOwner,
  selection: KeyStoreSelection,
  now: Date,
): Promise<PublishedCredentials | undefined> {
  if (!(await isKnown(db, owner))) return undefined;
  const rows = await readRows(db, owner, selection, now);
  const moments = rows.flatMap((row) => nextMoments(row, now));
  const found = rows.slice(0, MAX_PUBLISHED).flatMap((row): PublishedCredential[] => {
    const { isLive } = credentialStanding(row, now, { mode: row.mode, environment: row.entityEnvironment });
    if (!isLive && !wasLive(row, now)) return [];
    const { entityId, usage, kind, kid, publicJwk, x5tS256, x5c } = row;
    return [{ entityId, usage, kind, kid, publicJwk, x5tS256, x5c, isLive }];
  });
  return {
    credentials: found,
    isCut: rows.length > MAX_PUBLISHED,
    changesAt: moments.length === 0 ? null : new Date(Math.min(...moments)),
  };
}

/** A chain as PEM, the leaf first. @param x5c base64 of DER */
export function chainPem(x5c: readonly string[]): string {
  return x5c.map((base64) => encodePem(Buffer.from(base64, 'base64'))).join('');
}

async function isKnown(db: Db, owner: KeyStoreOwner): Promise<boolean> {
  const wasActive = notInArray(organisations.state, [...NEVER_ACTIVE]);
  const isOrganisation = and(eq(organisations.id, owner.organisationId), wasActive);
  const { id } = organisations;
  if (!('entityId' in owner)) return (await db.select({ id }).from(organisations).where(isOrganisation)).length > 0;
  const found = await db
    .select({ id })
    .from(organisations)
    .innerJoin(entities, eq(entities.organisationId, organisations.id))
    .where(and(isOrganisation, eq(entities.id, owner.entityId), notInArray(entities.state, [...NEVER_ACTIVE])));
  return found.length > 0;
}

type Row = Awaited<ReturnType<typeof readRows>>[number];

async function readRows(db: Db, owner: KeyStoreOwner, selection: KeyStoreSelection, now: Date) {
  return await db
    .select({
      entityId: credentials.entityId,
      usage: credentials.usage,
      kind: credentials.kind,
      kid: credentials.kid,
      publicJwk: credentials.publicJwk,
      x5tS256: credentials.x5tS256,
      x5c: credentials.x5c,
      path: credentials.path,
      notBefore: credentials.notBefore,
      notAfter: credentials.notAfter,
      state: credentials.state,
      stateChangedAt: credentials.stateChangedAt,
      revokedAt: credentials.revokedAt,
      supersededAt: credentials.supersededAt,
      createdAt: credentials.createdAt,
      environment: credentials.environment,
      mode: entities.mode,
      entityEnvironment: entities.environment,
      ownerState: entities.state,
      ownerStateChangedAt: entities.stateChangedAt,
      registeredAt: entities.registeredAt,
      organisationState: organisations.state,
      organisationStateChangedAt: organisations.stateChangedAt,
      isPurposeListed: IS_PURPOSE_LISTED,
      isAnchorListed: IS_ANCHOR_LISTED,
    })
    .from(credentials)
    .innerJoin(entities, eq(entities.id, credentials.entityId))
    .innerJoin(organisations, eq(organisations.id, entities.organisationId))
    .where(
      and(
        eq(entities.organisationId, owner.organisationId),
        'entityId' in owner
          ? eq(entities.id, owner.entityId)
          : and(eq(entities.mode, owner.mode), eq(entities.environment, owner.environment)),
        notInArray(entities.state, [...NEVER_ACTIVE]),
        ...selected(selection, now),
      ),
    )
    .orderBy(desc(credentials.createdAt), desc(credentials.id))
    .limit(MAX_PUBLISHED + 1);
}

function selected(selection: KeyStoreSelection, now: Date): (SQL | undefined)[] {
  if ('fingerprint' in selection) {
    const { fingerprint } = selection;
    return [or(eq(credentials.kid, fingerprint), eq(credentials.x5tS256, fingerprint), eq(credentials.kind, 'jwk'))];
  }
  const { usages, standing } = selection;
  const isOfUsage = inArray(credentials.usage, [...usages]);
  if (standing === 'inactive') return [isOfUsage];
  return [isOfUsage, isOpen(now), eq(entities.state, 'active'), eq(organisations.state, 'active')];
}

/** Moments to come at which the clock makes something else of it. A certificate counts in the whole second of its end. */
function nextMoments({ notBefore, notAfter, supersededAt, path, isPurposeListed }: Row, now: Date): number[] {
  const moments = [
    notBefore?.getTime(),
    supersededAt?.getTime(),
    notAfter === null ? undefined : notAfter.getTime() + 1000,
    path === null || !isPurposeListed ? undefined : (path.notAfter + 1) * 1000,
  ];
  return moments.filter((moment) => moment !== undefined).filter((moment) => moment > now.getTime());
}

/** Whether it counted until something ended that: its time had begun by then. What was lost and found again is not told. */
function wasLive(row: Row, now: Date): boolean {
  const { state, stateChangedAt, revokedAt, supersededAt, notBefore, notAfter, createdAt, registeredAt } = row;
  if (row.environment !== row.entityEnvironment || (row.isPurposeListed && row.path === null)) return false;
  const ends = [
    now,
    ...(state === 'on_hold' ? [stateChangedAt] : []),
    ...(row.ownerState === 'active' ? [] : [row.ownerStateChangedAt]),
    ...(row.organisationState === 'active' ? [] : [row.organisationStateChangedAt]),
    ...[revokedAt, supersededAt, notAfter].filter((end) => end !== null),
  ];
  const begins = [createdAt, ...[notBefore, registeredAt].filter((begin) => begin !== null)];
  return Math.max(...begins.map(Number)) <= Math.min(...ends.map(Number));
}
