/** Lets an authority show a Trust Mark that it was given, in place of an older one of the same type and issuer. */
import { and, eq, gt, isNull, ne, or, sql } from 'drizzle-orm';
import { FederationError } from '../../federation/errors.ts';
import { decodeJwt } from '../../federation/signature.ts';
import { checkTimes } from '../../federation/trust-mark/claim-checks.ts';
import { parseTrustMark, type TrustMark } from '../../federation/trust-mark/trust-mark.ts';
import type { Tx } from '../../storage/connect.ts';
import { authorities } from '../../storage/schema/authorities.ts';
import { heldTrustMarks } from '../../storage/schema/held-trust-marks.ts';
import { authorise, notFound } from '../actor.ts';
import { readAuthority } from '../authorities/read-authority.ts';
import { type ChangeContext, changeRegistry } from '../change.ts';
import { LATEST_EXPIRY } from '../entities/register-keys.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { isStorable } from '../storable.ts';
import { type HeldTrustMark, heldTrustMarkSnapshot } from './held-trust-mark.ts';

/**
 * Verifies the signature of a mark with the keys that its issuer publishes; filled by who composes the program.
 * @throws FederationError when it does not hold, or the issuer cannot be asked
 */
export type VerifyTrustMark = (mark: TrustMark) => Promise<void>;

/** What an issuer was asked for: nothing else counts as its answer. */
export interface AskedTrustMark {
  issuer: string;
  trustMarkType: string;
  /** The record that the answer is to refresh; without it a new one is made where there is none. */
  heldId?: string;
}

/**
 * Most marks that one authority shows, and the most characters of one and of all: readers stop at 256 KiB of
 * configuration.
 */
export const MAX_HELD_TRUST_MARKS = 20;
const MAX_HELD_MARK_LENGTH = 8 * 1024;
export const MAX_HELD_MARKS_LENGTH = 96 * 1024;

/** The least that is left of a mark: each takes another signature of the configuration, and a refresh before it ends. */
export const MIN_HELD_SECONDS = 600;

/** A mark without `exp` is asked for anew once a day: its issuer may have another key, or other claims. */
const DAY_MS = 86_400_000;
/** Share of the time left after which a fresh mark is asked for. */
const REFRESH_SHARE = 0.4;

/**
 * The mark must be about this authority, valid now and for a while, and signed by its issuer. The same mark again
 * changes nothing, and an older one does not take the place of a newer.
 * @param mark the compact JWT
 * @throws RegistryError not_found, also for a record to refresh that is held no longer; role_missing, validation_failed
 */
export async function holdTrustMark(
  context: ChangeContext,
  authorityId: string,
  mark: string,
  verify: VerifyTrustMark,
  asked?: AskedTrustMark,
): Promise<HeldTrustMark> {
  authorise(context.actor, ['admin'], authorityId);
  const { entityIdentifier } = await readAuthority(context.db, context.actor, authorityId);
  const { claims, jwt } = await validMark(mark, { bearer: entityIdentifier, asked }, verify, context);
  const expiresAt = claims.exp === undefined ? null : new Date(Math.floor(claims.exp) * 1000);
  return changeRegistry(context, async (tx, record) => {
    await lockHeld(tx, authorityId);
    const place = { authorityId, trustMarkType: claims.trust_mark_type, issuer: claims.iss as string };
    const before = await heldInPlace(tx, place);
    if (asked?.heldId !== undefined && before?.id !== asked.heldId) throw notFound('held trust mark', asked.heldId);
    if (before?.jwt === jwt) return await seenAgain(tx, before, context.now);
    if (before !== undefined) requireNewer(claims.iat, before);
    await requireRoom(tx, authorityId, jwt, context.now, before);
    const after: HeldTrustMark = {
      ...{ id: before?.id ?? context.newId(), ...place, jwt, expiresAt, state: 'held' },
      ...{ refreshedAt: context.now, nextRefreshAt: nextRefresh(expiresAt, context.now), refreshProblem: null },
      ...{ version: (before?.version ?? 0) + 1, createdAt: before?.createdAt ?? context.now },
    };
    if (before === undefined) await tx.insert(heldTrustMarks).values(after);
    else await tx.update(heldTrustMarks).set(after).where(eq(heldTrustMarks.id, before.id));
    record({
      action: before === undefined ? 'held_trust_mark.hold' : 'held_trust_mark.refresh',
      authorityId,
      subjectKind: 'held_trust_mark',
      subjectId: after.id,
      ...(before === undefined ? {} : { before: heldTrustMarkSnapshot(before) }),
      after: heldTrustMarkSnapshot(after),
    });
    return after;
  });
}

async function validMark(
  jwt: string,
  { bearer, asked }: { bearer: string; asked: AskedTrustMark | undefined },
  verify: VerifyTrustMark,
  { now, allowHttp }: ChangeContext,
): Promise<TrustMark> {
  try {
    const mark = parseTrustMark(jwt, { allowHttp });
    checkTimes('Trust Mark', mark.claims, { now: now.getTime() / 1000 });
    if (mark.claims.sub !== bearer) throw new FederationError('subject_mismatch', `is not about ${bearer}`, '/sub');
    if (asked !== undefined) requireAsked(mark, asked);
    requireLasting(mark, now);
    requireKeepable(mark);
    await verify(mark);
    return mark;
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    const detail = `${error.at} ${error.message}`.trim();
    const errors = [{ pointer: '/trustMark', detail }];
    const message = `/trustMark ${detail}`;
    throw new RegistryError('validation_failed', message, { errors, reason: error.reason }, { cause: error });
  }
}

function requireAsked({ claims }: TrustMark, { issuer, trustMarkType }: AskedTrustMark): void {
  if (claims.iss !== issuer) throw new FederationError('issuer_mismatch', `is not by ${issuer}, who was asked`, '/iss');
  if (claims.trust_mark_type === trustMarkType) return;
  const message = `is not of the type ${trustMarkType}, which was asked for`;
  throw new FederationError('trust_mark_type_mismatch', message, '/trust_mark_type');
}

function requireLasting({ claims: { exp } }: TrustMark, now: Date): void {
  const left = exp === undefined ? Number.POSITIVE_INFINITY : exp - now.getTime() / 1000;
  if (left <= 0) throw new FederationError('trust_mark_expired', 'has expired', '/exp');
  if (left >= MIN_HELD_SECONDS) return;
  const message = `has less than ${MIN_HELD_SECONDS / 60} minutes left, too little to be shown; its issuer must give out longer ones`;
  throw new FederationError('trust_mark_expired', message, '/exp');
}

/** Marks go into a configuration that readers limit, and into a database. */
function requireKeepable({ jwt, claims: { trust_mark_type: type, exp } }: TrustMark): void {
  if (jwt.length > MAX_HELD_MARK_LENGTH) {
    throw new FederationError('jwt_too_large', `has more than ${MAX_HELD_MARK_LENGTH} characters`, '');
  }
  if (!isStorable(type))
    throw new FederationError('claim_invalid', 'has characters that cannot be kept', '/trust_mark_type');
  if (exp !== undefined && exp > LATEST_EXPIRY) throw new FederationError('claim_invalid', 'is too far ahead', '/exp');
}

/** Two who hold marks for one authority at once do it one after the other. */
async function lockHeld(tx: Tx, authorityId: string): Promise<void> {
  await tx.select({ id: authorities.id }).from(authorities).where(eq(authorities.id, authorityId)).for('no key update');
}

async function heldInPlace(
  tx: Tx,
  { authorityId, trustMarkType, issuer }: Pick<HeldTrustMark, 'authorityId' | 'trustMarkType' | 'issuer'>,
): Promise<HeldTrustMark | undefined> {
  const [held] = await tx
    .select()
    .from(heldTrustMarks)
    .where(
      and(
        eq(heldTrustMarks.authorityId, authorityId),
        eq(heldTrustMarks.trustMarkType, trustMarkType),
        eq(heldTrustMarks.issuer, issuer),
        eq(heldTrustMarks.state, 'held'),
      ),
    )
    .for('update');
  return held;
}

/** The issuer has nothing newer: it is asked again later. */
async function seenAgain(tx: Tx, held: HeldTrustMark, now: Date): Promise<HeldTrustMark> {
  const seen = { refreshedAt: now, nextRefreshAt: nextRefresh(held.expiresAt, now), refreshProblem: null };
  await tx.update(heldTrustMarks).set(seen).where(eq(heldTrustMarks.id, held.id));
  return { ...held, ...seen };
}

/** Somebody who keeps old answers must not bring one back. */
function requireNewer(iat: number, { jwt }: HeldTrustMark): void {
  if (iat >= Number(decodeJwt(jwt).claims['iat'])) return;
  throw invalidField('/trustMark', 'was issued before the one that is held');
}

/** What is shown already stays as long as it gets no longer; what has expired is shown no more. */
async function requireRoom(
  tx: Tx,
  authorityId: string,
  jwt: string,
  now: Date,
  before: HeldTrustMark | undefined,
): Promise<void> {
  if (before !== undefined && isShown(before, now) && jwt.length <= before.jwt.length) return;
  const [others] = await tx
    .select({
      count: sql<number>`count(*)::int`,
      length: sql<number>`coalesce(sum(length(${heldTrustMarks.jwt})), 0)::int`,
    })
    .from(heldTrustMarks)
    .where(
      and(
        eq(heldTrustMarks.authorityId, authorityId),
        eq(heldTrustMarks.state, 'held'),
        or(isNull(heldTrustMarks.expiresAt), gt(heldTrustMarks.expiresAt, now)),
        before === undefined ? undefined : ne(heldTrustMarks.id, before.id),
      ),
    );
  const { count, length } = others ?? { count: 0, length: 0 };
  if (count >= MAX_HELD_TRUST_MARKS) {
    throw invalidField('/trustMark', `is one too many: an authority shows at most ${MAX_HELD_TRUST_MARKS}`);
  }
  if (length + jwt.length <= MAX_HELD_MARKS_LENGTH) return;
  throw invalidField(
    '/trustMark',
    `is too long beside the others: all have at most ${MAX_HELD_MARKS_LENGTH} characters`,
  );
}

function isShown({ expiresAt }: HeldTrustMark, now: Date): boolean {
  return expiresAt === null || expiresAt > now;
}

function nextRefresh(expiresAt: Date | null, now: Date): Date {
  const leftMs = expiresAt === null ? DAY_MS / REFRESH_SHARE : expiresAt.getTime() - now.getTime();
  return new Date(now.getTime() + leftMs * REFRESH_SHARE);
}
