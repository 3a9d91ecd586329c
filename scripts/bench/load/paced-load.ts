/** Puts requests on a server at fixed times, from a process that does nothing else. */
import path from 'node:path';
import { startWorker } from '../service/child-process.ts';
import type { PacedPlan, PacedReply, PacedResult } from './paced-plan.ts';

/** Resolves when every request was answered or given up. */
export async function sendPaced(plan: PacedPlan): Promise<PacedResult> {
  await using worker = startWorker(path.join(import.meta.dirname, 'paced-generator.ts'));
  const reply = await worker.ask<PacedReply>(plan);
  if (reply.kind === 'failed') throw new Error(reply.message);
  return reply.result;
}

/** @param share 0.99 for what 99 of 100 do not exceed */
export function percentile(values: Float64Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
