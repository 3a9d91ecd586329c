/** The wiring of enrolment: what its steps ask outside, each with the list of who may be asked. */

import packageJson from '../package.json' with { type: 'json' };
import { type Instruments, measuredClient } from './compose-measured.ts';
import type { Config } from './config/config.ts';
import type { RetrieveConfiguration } from './enrolment/configuration-checks.ts';
import { createHookCaller } from './enrolment/flow/call-hook.ts';
import type { EnrolmentTools } from './enrolment/flow/step-subject.ts';
import type { HouseRules } from './federation/lint/house-rules.ts';
import type { Clock } from './federation/time.ts';
import { enrolmentHookSigner } from './issuance/enrolment-hook-signer.ts';
import { parseOutboundAllow } from './outbound/address-rules.ts';
import { createOutboundClient, type OutboundClient } from './outbound/outbound-client.ts';
import { createTextLookup } from './outbound/text-records.ts';
import type { AuthorityDirectory } from './registry/authorities/authority-directory.ts';
import type { Signer } from './signer/signer.ts';

export interface EnrolmentMaterials {
  config: Config;
  extraCas: readonly string[];
  /** Reaches what participants name. */
  participants: OutboundClient;
  retrieveConfiguration: RetrieveConfiguration;
  directory: AuthorityDirectory;
  signer: Signer;
  houseRules: HouseRules;
  clock: Clock;
  instruments: Instruments;
}

export interface ComposedEnrolment extends AsyncDisposable {
  tools: EnrolmentTools;
}

/** Name of the setting that lets hooks be at private addresses. */
export const HOOK_ALLOW_SETTING = 'HOLDFAST_HOOK_ALLOW';

export function composeEnrolment(materials: EnrolmentMaterials): ComposedEnrolment {
  const { config, extraCas, participants, retrieveConfiguration, directory, signer, houseRules, clock } = materials;
  const { nameServers } = config;
  const client = createOutboundClient({
    allow: parseOutboundAllow(config.hookAllow, HOOK_ALLOW_SETTING),
    allowHttp: false,
    userAgent: `holdfast/${packageJson.version}`,
    extraCas,
  });
  const hooks = measuredClient(client, 'hooks', materials.instruments);
  const sign = enrolmentHookSigner({ directory, signer, houseRules });
  return {
    tools: {
      retrieve: retrieveConfiguration,
      outbound: participants,
      lookUpText: createTextLookup(nameServers.length > 0 ? { nameServers } : {}),
      callHook: createHookCaller({ outbound: hooks, sign, clock }),
    },
    [Symbol.asyncDispose]: () => hooks[Symbol.asyncDispose](),
  };
}
