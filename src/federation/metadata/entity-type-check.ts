/** What a check of one Entity Type's metadata is given, and the parameter shapes that several types share. @see OIDFED §5 */
import { FederationError, pointer } from '../errors.ts';
import { type IdentifierOptions, isEndpointUrl } from '../identifiers.ts';
import type { JsonObject } from '../json.ts';

export interface MetadataContext {
  /** Entity Identifier of the entity that the metadata describes, where it is known. */
  subject?: string;
  /** True for whole metadata (an Entity Configuration, Resolved Metadata), false for what a superior overlays. */
  isConfiguration: boolean;
  identifierOptions?: IdentifierOptions;
}

/**
 * Judges the parameters of one Entity Type; `at` is the place of the type, such as `/metadata/openid_provider`.
 * @throws FederationError metadata_invalid, or a reason of its own
 */
export type EntityTypeCheck = (parameters: JsonObject, context: MetadataContext, at: string) => void;

/** @throws FederationError metadata_invalid unless the parameter is absent or an array of strings */
export function checkStringArray(parameters: JsonObject, name: string, at: string): void {
  if (!Object.hasOwn(parameters, name)) return;
  const value = parameters[name];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new FederationError('metadata_invalid', 'must be an array of strings', at + pointer(name));
  }
}

/** @throws FederationError metadata_invalid unless the parameter is absent or an https URL without fragment */
export function checkUrl(parameters: JsonObject, name: string, context: MetadataContext, at: string): void {
  if (!Object.hasOwn(parameters, name)) return;
  if (!isEndpointUrl(parameters[name], context.identifierOptions)) {
    throw new FederationError('metadata_invalid', 'must be an https URL without fragment', at + pointer(name));
  }
}
