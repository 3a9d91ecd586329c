/** What enforcement points ask for besides admission, and who of them asks. */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import type { Acknowledgements } from '../../../admission/acknowledgements.ts';
import type { KnownState } from '../../../admission/known-state.ts';
import type { Clock } from '../../../federation/time.ts';
import type { KnownEnforcementPoint } from '../../../registry/participants/known-participants.ts';
import { type Asking, enforcementPointOf, requireEnforcementPoint } from '../../admission/enforcement-point-caller.ts';
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
  return requireEnforcementPoint(askingOf(c), state(), clock.now());
}

/** Whether that is still so by now: not once its token was rotated, or its certificate ended. */
export function isCaller(c: Context<ApiEnv>, { clock, state }: EnforcementPointTools, id: string): boolean {
  return enforcementPointOf(askingOf(c), state(), clock.now())?.id === id;
}

function askingOf(c: Context<ApiEnv>): Asking {
  const { incoming } = (c.env ?? {}) as { incoming?: IncomingMessage };
  return incoming ?? { rawHeaders: [...c.req.raw.headers].flat() };
}
