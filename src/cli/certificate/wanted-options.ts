/** Options that say which certificate is wanted, and of whom. */
import { type Command, Option } from 'commander';
import { CERTIFICATE_PROFILES } from '../../registry/certification/certificate-request.ts';
import { isRecordId } from '../../registry/record-id.ts';
import type { ApiClient } from '../api-client.ts';
import { CA_ARGUMENT, findCa } from '../ca/find-ca.ts';
import { findAuthority } from '../find-record.ts';

export interface WantedOptions {
  profile: string;
  ca?: string;
  authority?: string;
}

export function addWantedOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--profile <profile>', 'what it is for: either end of TLS connections, or under what is signed')
        .choices(CERTIFICATE_PROFILES)
        .makeOptionMandatory(),
    )
    .option('--ca <ca>', `the certification authority that is asked, if several are active: ${CA_ARGUMENT}`)
    .option('--authority <authority>', 'the authority meant, if several have enrolled the entity');
}

/** What the API takes, and the authority that was named. @throws CommandError refused, usage */
export async function readWantedOptions(client: ApiClient, { profile, ca, authority }: WantedOptions) {
  const authorityId = authority === undefined ? undefined : (await findAuthority(client, authority)).id;
  // Whoever may ask for a certificate need not be one who may read them.
  const isFound = ca !== undefined && !isRecordId(ca);
  const certificationAuthorityId = isFound ? (await findCa(client, ca)).id : ca;
  return { authorityId, profile, certificationAuthorityId };
}
