/** What enforcement points ask for besides admission, and who of them asks. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Acknowledgements } from '../../../admission/acknowledgements.ts';
import type { KnownState } from '../../../admission/known-state.ts';
import type { Clock } from '../../../federation/time.ts';
import type { KnownEnforcementPoint } from '../../../registry/participants/known-participants.ts';
import { requireEnforcementPoint } from '../../admission/enforcement-point-caller.ts';
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
export function callerOf(c: Context<ApiEnv>, { clock, state }: EnforcementPointTools): KnownEnforcementPoint {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  const asking = incoming ?? { rawHeaders: [...c.req.raw.headers].flat() };
  return requireEnforcementPoint(asking, state(), clock.now());
}
