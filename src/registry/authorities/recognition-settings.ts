/** Which Trust Marks a federation recognises, as its Trust Anchor's operator sets it. @see OIDFED §3.1.2, §7.2, §17.5 */
import { pointer } from '../../federation/errors.ts';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import type { TrustMarkOwnerSetting } from '../../storage/schema/authorities.ts';
import { inputHints, inputIdentifier, inputJwkSet } from '../claims-input.ts';
import { invalidField } from '../registry-error.ts';

export interface RecognitionSettings {
  /** `trust_mark_issuers`: by type who may issue it; an empty array lets anybody. */
  trustMarkIssuers: Record<string, string[]>;
  /** `trust_mark_owners`: by type whom it belongs to; its marks need the owner's delegation, every one of them. */
  trustMarkOwners: Record<string, TrustMarkOwnerSetting>;
}

export const NO_RECOGNITION: RecognitionSettings = { trustMarkIssuers: {}, trustMarkOwners: {} };

/** Most types, and issuers of one type: they stand in every Entity Configuration of the authority. */
export const MAX_RECOGNISED_TYPES = 200;
export const MAX_RECOGNISED_ISSUERS = 200;
/** Most bytes of JSON that both take together: a configuration that is too large is read by nobody. */
export const MAX_RECOGNITION_BYTES = 64 * 1024;

/** @throws RegistryError validation_failed */
export function inputRecognition(
  { trustMarkIssuers, trustMarkOwners }: RecognitionSettings,
  options: IdentifierOptions,
): void {
  requireFew(trustMarkIssuers, '/trustMarkIssuers');
  requireFew(trustMarkOwners, '/trustMarkOwners');
  for (const [type, issuers] of Object.entries(trustMarkIssuers)) {
    const field = `/trustMarkIssuers${pointer(type)}`;
    if (issuers.length > MAX_RECOGNISED_ISSUERS) throw invalidField(field, `names more than ${MAX_RECOGNISED_ISSUERS}`);
    inputHints(issuers, options, field);
  }
  for (const [type, { sub, jwks }] of Object.entries(trustMarkOwners)) {
    const field = `/trustMarkOwners${pointer(type)}`;
    inputIdentifier(sub, options, `${field}/sub`);
    inputJwkSet(jwks, `${field}/jwks`);
  }
  requireRoom({ trustMarkIssuers, trustMarkOwners });
}

/** Told of the larger one. */
function requireRoom(settings: RecognitionSettings): void {
  const sizes = Object.entries(settings).map(([name, value]) => {
    return [name, Buffer.byteLength(JSON.stringify(value))] as const;
  });
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  const [largest] = sizes.sort(([, a], [, b]) => b - a);
  if (total <= MAX_RECOGNITION_BYTES || largest === undefined) return;
  const message = `leads to ${total} bytes of issuers and owners; ${MAX_RECOGNITION_BYTES} are the limit`;
  throw invalidField(`/${largest[0]}`, message);
}

function requireFew(types: object, field: string): void {
  const names = Object.keys(types);
  if (names.length > MAX_RECOGNISED_TYPES) throw invalidField(field, `has more than ${MAX_RECOGNISED_TYPES} types`);
  if (names.includes('')) throw invalidField(`${field}/`, 'is the name of no type');
}
