/** Options about a role of an organisation: shared by `role assign` and `role amend`. */
import type { Command } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import { type Moment, moment } from '../moment-option.ts';
import { repeatable } from '../option-values.ts';

export interface AssignmentOptions {
  registrationId?: string;
  jurisdiction?: string[];
  validFrom?: Moment;
  validTo?: Moment;
}

export function addAssignmentOptions(command: Command): Command {
  return command
    .option('--registration-id <id>', 'how the regulator that lets it have the role knows it')
    .option('--jurisdiction <country>', 'a country where it counts, such as GB; may be repeated', repeatable)
    .option('--valid-from <moment>', 'from then on: 2027-12-31, a moment, or never for no beginning', moment)
    .option('--valid-to <moment>', 'and no more from then on: 2027-12-31, a moment, or never for no end', moment);
}

/** The settings named, as the API takes them; `undefined` where nothing was said. */
export function assignmentSettings(options: AssignmentOptions): Record<string, JsonValue | undefined> {
  const { registrationId, jurisdiction, validFrom, validTo } = options;
  return { registrationId, jurisdictions: jurisdiction, validFrom: validFrom?.at, validTo: validTo?.at };
}
