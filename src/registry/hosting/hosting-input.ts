/** What an operator hands in about a hosted entity's configuration, refused with the field at fault. */
import { FederationError, pointer } from '../../federation/errors.ts';
import type { IdentifierOptions } from '../../federation/identifiers.ts';
import { checkMetadata } from '../../federation/metadata/metadata.ts';
import { inputLifetime, MAX_ENTITY_TYPES } from '../claims-input.ts';
import { invalidField } from '../registry-error.ts';
import type { HostingSettings } from './hosted-entity.ts';

/** Endpoints need a server, and who has them is somebody's superior or issuer. */
const NEEDS_SERVER = /^federation_\w+_endpoint(_auth_methods)?$/;

/** @param field where the settings stand in the request, as a JSON Pointer */
export function inputHosting(
  { metadata, configurationLifetimeSeconds }: HostingSettings,
  subject: string,
  options: IdentifierOptions,
  field = '',
): HostingSettings {
  inputLifetime(configurationLifetimeSeconds, `${field}/configurationLifetimeSeconds`);
  const at = `${field}/metadata`;
  const types = Object.keys(metadata).length;
  if (types === 0) throw invalidField(at, 'names no Entity Type; say what the entity is');
  if (types > MAX_ENTITY_TYPES) throw invalidField(at, `names more than ${MAX_ENTITY_TYPES} Entity Types`);
  try {
    const checked = checkMetadata(metadata, { subject, isConfiguration: true, identifierOptions: options }, '');
    const server = Object.keys(checked['federation_entity'] ?? {}).find((parameter) => NEEDS_SERVER.test(parameter));
    if (server !== undefined) {
      throw invalidField(`${at}${pointer('federation_entity', server)}`, 'is not for an entity without a server');
    }
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw invalidField(`${at}${error.at}`, error.message);
  }
  return { metadata, configurationLifetimeSeconds };
}
