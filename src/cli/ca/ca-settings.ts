/** Options about what a certification authority gives: shared by `ca init` and `ca update`. */
import { type Command, InvalidArgumentError } from 'commander';
import { positiveInteger, wholeNumber } from '../option-values.ts';

export interface CaSettingsOptions {
  publicUrl?: string;
  validityDays?: Record<string, number>;
  overlapDays?: number;
  revocationListLifetime?: number;
}

const PROFILES = ['client', 'server', 'signing'];

export function addCaSettings(command: Command): Command {
  return command
    .option(
      '--public-url <url>',
      'where clients find its list of revocations and its responder (default: the address of the service); http will do',
    )
    .option(
      '--validity-days <profile=days>',
      'longest validity of what it issues, by client, server, signing (default: 397); may be repeated',
      validityOf,
    )
    .option('--overlap-days <days>', 'how long an old certificate counts beside its renewal (default: 30)', wholeNumber)
    .option(
      '--revocation-list-lifetime <seconds>',
      'life of a list of revocations; the next one comes long before its end (default: 86400)',
      positiveInteger,
    );
}

/** As the API takes them. */
export function caSettings(options: CaSettingsOptions) {
  const { publicUrl, validityDays, overlapDays, revocationListLifetime } = options;
  return { publicUrl, validityDays, overlapDays, revocationListLifetimeSeconds: revocationListLifetime };
}

/** `client=90`, several times. @throws InvalidArgumentError */
function validityOf(value: string, previous: Record<string, number> | undefined): Record<string, number> {
  const [profile = '', days = '', ...rest] = value.split('=');
  if (rest.length > 0 || !PROFILES.includes(profile)) {
    throw new InvalidArgumentError(`Write it as client=90; the profiles are ${PROFILES.join(', ')}.`);
  }
  return { ...previous, [profile]: positiveInteger(days) };
}
