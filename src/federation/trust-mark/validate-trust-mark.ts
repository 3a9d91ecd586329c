/** Validation of a Trust Mark that an entity shows in its Entity Configuration. @see OIDFED §7.3, §17.5 */
import type { EntityIdentifier } from '../identifiers.ts';
import type { JwkSet } from '../jwk-set.ts';
import type { EntityStatement, TrustMarkEntry } from '../statement/entity-statement.ts';
import type { NumericDate } from '../time.ts';
import { checkTimes, type JudgingTime } from './claim-checks.ts';
import { validateDelegation } from './delegation.ts';
import { checkRecognised } from './recognition.ts';
import {
  checkBearer,
  parseTrustMark,
  type TrustMark,
  type TrustMarkOptions,
  verifyTrustMarkSignature,
} from './trust-mark.ts';

export interface TrustMarkContext extends TrustMarkOptions, JudgingTime {
  /** The entity whose Entity Configuration carries the mark. */
  bearer: EntityIdentifier;
  /** The Entity Configuration of the Trust Anchor that the chain in question ends at; it alone says what counts. */
  trustAnchor: EntityStatement;
}

/** A mark that holds as far as can be told, and until when; `expiresAt` is undefined where nothing limits it. */
export interface JudgedTrustMark {
  mark: TrustMark;
  /** The smaller `exp` of mark and delegation, seconds since the epoch. */
  expiresAt: NumericDate | undefined;
}

/**
 * Judges all of a mark that can be told without its issuer's keys: shape, bearer, type, times, recognition by the
 * Trust Anchor, delegation. What passes still needs its signature verified; what does not is not worth a request.
 * @throws FederationError with a place inside the mark, such as `/exp` or `/delegation header/typ`
 * @see OIDFED §7.3, §17.5
 */
export async function judgeUnverifiedTrustMark(
  entry: TrustMarkEntry,
  context: TrustMarkContext,
): Promise<JudgedTrustMark> {
  const mark = parseTrustMark(entry.trust_mark, context);
  checkBearer(mark, { bearer: context.bearer, trustMarkType: entry.trust_mark_type });
  checkTimes('Trust Mark', mark.claims, context);
  checkRecognised(mark, context.trustAnchor);
  const delegation = await validateDelegation(mark, context.trustAnchor, context);
  return { mark, expiresAt: earliest(mark.claims.exp, delegation?.claims.exp) };
}

/**
 * Validates a mark whose issuer was resolved: it has a valid Trust Chain to the same Trust Anchor.
 * @param issuerKeys the issuer's Federation Entity Keys
 * @throws FederationError as judgeUnverifiedTrustMark does; key_not_found, key_unsuitable, signature_invalid
 * @see OIDFED §7.3
 */
export async function validateTrustMark(
  entry: TrustMarkEntry,
  context: TrustMarkContext & { issuerKeys: JwkSet },
): Promise<JudgedTrustMark> {
  const judged = await judgeUnverifiedTrustMark(entry, context);
  await verifyTrustMarkSignature(judged.mark, context.issuerKeys);
  return judged;
}

function earliest(...times: (NumericDate | undefined)[]): NumericDate | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
