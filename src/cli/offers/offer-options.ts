/** Options about how long something is offered and what takes its place: of authorization servers and of APIs. */
import type { Command } from 'commander';
import type { JsonValue } from '../../federation/json.ts';
import { type Moment, moment } from '../moment-option.ts';

export interface OfferOptions {
  deprecated?: Moment;
  retires?: Moment;
  supersededBy?: string | false;
}

export function addOfferOptions(command: Command): Command {
  return command
    .option('--deprecated <day>', 'from then on nobody should begin to use it: 2027-12-31, a moment, or never', moment)
    .option('--retires <day>', 'from then on nobody uses it: 2027-12-31, a moment, or never', moment);
}

/** The dates named, as the API takes them; `undefined` where nothing was said. */
export function offerSettings({ deprecated, retires }: OfferOptions): Record<string, JsonValue | undefined> {
  return { deprecatedAt: deprecated?.at, retiresAt: retires?.at };
}

/** The id of what takes its place. */
export async function successorId(
  given: string | false | undefined,
  find: (given: string) => Promise<{ id: string }>,
): Promise<string | null | undefined> {
  if (given === false) return null;
  return given === undefined ? undefined : (await find(given)).id;
}
