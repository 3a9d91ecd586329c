/** Query parameters of federation endpoints; those not understood are ignored. @see OIDFED §8 */
import { FederationError } from '../../federation/errors.ts';
import { type EntityIdentifier, type IdentifierOptions, parseEntityIdentifier } from '../../federation/identifiers.ts';

/** The one value of a required parameter. @throws FederationError parameter_missing, parameter_repeated */
export function requiredParameter(query: URLSearchParams, name: string): string {
  const value = optionalParameter(query, name);
  if (value === undefined || value === '') {
    throw new FederationError('parameter_missing', `the parameter ${name} is required`, name);
  }
  return value;
}

/** @throws FederationError parameter_repeated */
export function optionalParameter(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw new FederationError('parameter_repeated', `the parameter ${name} is given twice`, name);
  return values[0];
}

/** @throws FederationError parameter_missing, parameter_repeated, entity_identifier_invalid */
export function identifierParameter(
  query: URLSearchParams,
  name: string,
  options: IdentifierOptions,
): EntityIdentifier {
  return asIdentifier(requiredParameter(query, name), name, options);
}

/** @throws FederationError entity_identifier_invalid */
export function asIdentifier(value: string, name: string, options: IdentifierOptions): EntityIdentifier {
  try {
    return parseEntityIdentifier(value, options, name);
  } catch (error) {
    if (!(error instanceof FederationError)) throw error;
    throw new FederationError(error.reason, `the parameter ${name} ${error.message}`, name);
  }
}

/** `true` filters, `false` and absence do not. @throws FederationError parameter_invalid */
export function booleanParameter(query: URLSearchParams, name: string): boolean {
  const value = optionalParameter(query, name);
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new FederationError('parameter_invalid', `the parameter ${name} is true or false`, name);
}

/** A positive number, and at most `max`; absence means `max`. @throws FederationError parameter_invalid, parameter_repeated */
export function limitParameter(query: URLSearchParams, max: number): number {
  const value = optionalParameter(query, 'limit');
  if (value === undefined) return max;
  if (/^0*[1-9]\d*$/.test(value)) return Math.min(Number(value), max);
  throw new FederationError('parameter_invalid', 'the parameter limit is a positive integer', 'limit');
}

/** A list as drafts write it: the parameter several times, or once with commas, or both. */
export function listParameter(query: URLSearchParams, name: string): string[] {
  return query
    .getAll(name)
    .flatMap((value) => value.split(','))
    .filter((value) => value !== '');
}

/** Those values that a database can hold; nothing there equals any other. */
export function storable(values: readonly string[]): string[] {
  return values.filter((value) => !value.includes('\0'));
}
