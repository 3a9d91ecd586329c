/** What enforcement points ask for besides admission, and who of them asks. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Acknowledgements } from '../../../admission/acknowledgements.ts';
import type { KnownState } from '../../../admission/known-state.ts';
import type { Clock } from '../../../federation/time.ts';
import type { KnownEnforcementPoint } from '../../../registry/participants/known-participants.ts';
import { RegistryError } from '../../../registry/registry-error.ts';
import { enforcementPointOf } from '../../admission/enforcement-point-caller.ts';
import type { ApiEnv } from '../api-env.ts';
import type { SeqStreams } from './seq-streams.ts';

export interface EnforcementPointTools {
  clock: Clock;
  /** As of now. */
  state: () => KnownState;
  acknowledgements: Pick<Acknowledgements, 'note'>;
  streams: Pick<SeqStreams, 'open'>;
  /** Resolves when this node answers by the seq; rejects when it does not within some seconds. */
  caughtUp: (seq: number) => Promise<void>;
}

/** @throws RegistryError unauthenticated */
export function requireEnforcementPoint(
  c: Context<ApiEnv>,
  { clock, state }: EnforcementPointTools,
): KnownEnforcementPoint {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  const point = incoming && enforcementPointOf(incoming, state(), clock.now());
  if (point !== undefined) return point;
  throw new RegistryError('unauthenticated', 'this is for enforcement points: prove who you are as for admission');
}
