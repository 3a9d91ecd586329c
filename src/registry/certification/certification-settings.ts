/** What may be set of a certification authority: bounds, and what goes for one that says nothing. */
import { isEntityIdentifier } from '../../federation/identifiers.ts';
import { MAX_OVERLAP_DAYS } from '../credentials/credential.ts';
import { isLine } from '../plain-text.ts';
import { invalidField } from '../registry-error.ts';
import { CERTIFICATE_PROFILES } from './certificate-request.ts';
import {
  type CertificationSettings,
  MAX_CERTIFICATION_NAME_LENGTH,
  MAX_VALIDITY_DAYS,
  REVOCATION_LIST_LIFETIME,
} from './certification-authority.ts';

/** URLs in certificates are short: each client downloads them with every handshake. */
const MAX_PUBLIC_URL_LENGTH = 200;

/**
 * `http` is as good as `https` here: lists, answers and certificates are signed themselves (RFC 5280 §8).
 * @throws RegistryError validation_failed
 */
export function requireValidSettings(settings: CertificationSettings): void {
  const { name, publicUrl, validityDays, overlapDays, revocationListLifetimeSeconds } = settings;
  if (!isLine(name) || name.length > MAX_CERTIFICATION_NAME_LENGTH) {
    throw invalidField('/name', `is one line of at most ${MAX_CERTIFICATION_NAME_LENGTH} characters`);
  }
  const isUrl = isEntityIdentifier(publicUrl, { allowHttp: true }) && !publicUrl.endsWith('/');
  if (!isUrl || publicUrl.length > MAX_PUBLIC_URL_LENGTH) {
    const what = `is a URL of at most ${MAX_PUBLIC_URL_LENGTH} characters without query and without a slash at its end`;
    throw invalidField('/publicUrl', what);
  }
  for (const profile of CERTIFICATE_PROFILES) {
    requireWithin(validityDays[profile], { min: 1, max: MAX_VALIDITY_DAYS }, `/validityDays/${profile}`);
  }
  requireWithin(overlapDays, { min: 0, max: MAX_OVERLAP_DAYS }, '/overlapDays');
  requireWithin(revocationListLifetimeSeconds, REVOCATION_LIST_LIFETIME, '/revocationListLifetimeSeconds');
}

function requireWithin(value: number, { min, max }: { min: number; max: number }, pointer: string): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw invalidField(pointer, `is a whole number from ${min} to ${max}`);
}
