/** Registrations: an organisation's number in a register of a country, which stands for it and for no other. */
import { and, desc, eq, inArray, notInArray, sql } from 'drizzle-orm';
import type { Tx } from '../../storage/connect.ts';
import { organisations } from '../../storage/schema/organisations.ts';
import { invalidField, RegistryError } from '../registry-error.ts';
import { LIVE_STATES } from '../states.ts';
import { isUniqueViolation } from '../unique-violation.ts';
import { isCountryCode } from './countries.ts';
import type { OrganisationRow } from './organisation.ts';

export interface Registration {
  number: string;
  /** Name of the register, such as `Companies House`. */
  register: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
}

type RegistrationColumns = Pick<OrganisationRow, 'registrationNumber' | 'registrationRegister' | 'registrationCountry'>;

/** A registration spelt in one way, so that white space and look-alike encodings make no second one. */
export function inputRegistration(registration: Registration | null): RegistrationColumns {
  if (registration === null) {
    return { registrationNumber: null, registrationRegister: null, registrationCountry: null };
  }
  const { number, register, country } = registration;
  if (!isCountryCode(country)) throw invalidField('/registration/country', 'is no country of ISO 3166-1, such as GB');
  return {
    registrationNumber: plainly(number),
    registrationRegister: plainly(register),
    registrationCountry: country,
  };
}

/** A text of a registration in its one spelling, letter case aside. */
export function plainly(text: string): string {
  return text.normalize('NFKC').trim().replace(/\s+/g, ' ');
}

export function registrationOf(organisation: RegistrationColumns): Registration | null {
  const { registrationNumber: number, registrationRegister: register, registrationCountry: country } = organisation;
  return number === null || register === null || country === null ? null : { number, register, country };
}

/** The closed record of this registration that was made last; a closed one is never opened again. */
export async function closedRecordOf(
  tx: Tx,
  authorityId: string,
  registration: RegistrationColumns,
): Promise<string | undefined> {
  if (registration.registrationNumber === null) return undefined;
  const [closed] = await tx
    .select({ id: organisations.id })
    .from(organisations)
    .where(and(isSame(authorityId, registration), notInArray(organisations.state, [...LIVE_STATES])))
    .orderBy(desc(organisations.id))
    .limit(1);
  return closed?.id;
}

/**
 * Runs what writes an organisation. When another open record has its registration, says which one.
 * @throws RegistryError organisation_exists
 */
export async function withUniqueRegistration(
  tx: Tx,
  organisation: OrganisationRow,
  write: (savepoint: Tx) => Promise<unknown>,
): Promise<void> {
  if (organisation.registrationNumber === null) {
    await write(tx);
    return;
  }
  try {
    await tx.transaction(write);
  } catch (error) {
    if (!isUniqueViolation(error, 'organisations_live_registration')) throw error;
    const { authorityId, registrationNumber, registrationRegister, registrationCountry } = organisation;
    const [existing] = await tx
      .select({ id: organisations.id, legalName: organisations.legalName })
      .from(organisations)
      .where(and(isSame(authorityId, organisation), inArray(organisations.state, [...LIVE_STATES])));
    const number = `${registrationNumber} of ${registrationRegister}, ${registrationCountry}`;
    const message = `${number} is on record already: ${existing?.legalName}`;
    throw new RegistryError('organisation_exists', message, { organisation: existing?.id }, { cause: error });
  }
}

function isSame(authorityId: string, registration: RegistrationColumns) {
  return and(
    eq(organisations.authorityId, authorityId),
    sql`lower(${organisations.registrationNumber}) = lower(${registration.registrationNumber})`,
    sql`lower(${organisations.registrationRegister}) = lower(${registration.registrationRegister})`,
    sql`${organisations.registrationCountry} = ${registration.registrationCountry}`,
  );
}
