/** The wiring of the canary: a client certificate, and a list of its own of where gateways may be. */

import packageJson from '../package.json' with { type: 'json' };
import type { KnownState } from './admission/known-state.ts';
import { type Instruments, measuredSend } from './compose-measured.ts';
import type { Config } from './config/config.ts';
import { Canary } from './jobs/knock-as-canary.ts';
import type { Log } from './observability/log.ts';
import { parseOutboundAllow } from './outbound/address-rules.ts';
import type { ClientCertificate } from './outbound/client-certificate.ts';
import { probeStatus } from './outbound/status-probe.ts';
import { effectiveState } from './registry/states.ts';
import type { Db } from './storage/connect.ts';

/** Name of the setting that lets gateways be at private addresses. */
export const CANARY_ALLOW_SETTING = 'HOLDFAST_CANARY_ALLOW';

export interface CanaryParts {
  config: Config;
  db: Db;
  log: Log;
  extraCas: readonly string[];
  clientCertificate: ClientCertificate;
  /** What admission knows as of now. */
  state: () => KnownState;
  instruments: Instruments;
}

export function composeCanary(parts: CanaryParts): Canary {
  const { config, db, log, extraCas, clientCertificate, state, instruments } = parts;
  const measured = measuredSend('canary', instruments);
  const allow = parseOutboundAllow(config.canaryAllow, CANARY_ALLOW_SETTING);
  const probe = { allow, clientCertificate, extraCas, userAgent: `holdfast/${packageJson.version} canary` };
  return new Canary({
    db,
    intervalSeconds: config.canaryIntervalSeconds,
    knock: (url, signal) => measured('GET', () => probeStatus(url, probe, signal)),
    objection: (authorityId) => objectionTo(clientCertificate, authorityId, state()),
    onAdmitted: log.canaryAdmitted,
    onUnclear: log.canaryUnclear,
  });
}

function objectionTo({ x5tS256 }: ClientCertificate, authorityId: string, state: KnownState): string | undefined {
  const applications = state
    .certificates(x5tS256, authorityId)
    .map(({ applicationId }) => state.application(applicationId))
    .filter((application) => application?.authorityId === authorityId);
  if (applications.length === 0) return 'its certificate is registered for nobody in this authority';
  for (const application of applications) {
    const organisation = application && state.organisation(application.organisationId);
    const standing = organisation && effectiveState(application.state, organisation.state);
    if (standing !== 'suspended') return `its participant is ${standing ?? 'not known'}; it has to be suspended`;
  }
  return undefined;
}
