/** Endpoints that speak of somebody, watched from the moment from which they may not any more. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './federation-client.ts';
import { millisecondsText } from './narrator.ts';
import type { Stage } from './stage.ts';

/** A place where the federation speaks of an entity. */
export interface Witness {
  endpoint: string;
  ask: () => Promise<Answer>;
}

interface FirstRefusal {
  endpoint: string;
  says: string;
  /** Since the moment that counts; undefined when it did not refuse in time. */
  afterMs?: number;
}

/** After that an endpoint counts as one that does not refuse. */
const PATIENCE_MS = 5000;
const PAUSE_MS = 1;

/** What all of them say now, in a line. @returns whether each vouches */
export async function tellBefore(
  { narrator }: Stage,
  witnesses: readonly Witness[],
  when: 'before' | 'now' = 'before',
): Promise<boolean> {
  const answers = await Promise.all(witnesses.map(({ ask }) => ask()));
  narrator.tell(`${when}: ${witnesses.map(({ endpoint }, index) => `${endpoint} ${answers[index]?.says}`).join('; ')}`);
  return answers.every(({ isVouchedFor }) => isVouchedFor);
}

/**
 * Watches all until each refuses, and tells when that was.
 * @param since the moment of `performance.now()` that counts
 * @returns how long it took the last one, in milliseconds; null if one did not refuse
 */
export async function watchRefusals(
  stage: Stage,
  witnesses: readonly Witness[],
  since: number,
): Promise<number | null> {
  return latest(await watchEachRefusal(stage, witnesses, since));
}

/** The same. @returns how long it took each, in milliseconds; null where it did not refuse */
export async function watchEachRefusal(
  { narrator }: Stage,
  witnesses: readonly Witness[],
  since: number,
): Promise<(number | null)[]> {
  const refusals = await Promise.all(witnesses.map((witness) => firstRefusal(witness, since)));
  narrator.table(
    refusals.map(({ endpoint, says, afterMs }) => [
      afterMs === undefined ? 'no refusal' : `refused ${millisecondsText(afterMs)} after that answer`,
      endpoint,
      says,
    ]),
  );
  return refusals.map(({ afterMs }) => (afterMs === undefined ? null : Math.round(afterMs * 10) / 10));
}

/** Whether all refuse now. */
export async function refuseAll(witnesses: readonly Witness[]): Promise<boolean> {
  const answers = await Promise.all(witnesses.map(({ ask }) => ask()));
  return answers.every(({ isVouchedFor }) => !isVouchedFor);
}

async function firstRefusal({ endpoint, ask }: Witness, since: number): Promise<FirstRefusal> {
  while (true) {
    const { isVouchedFor, says } = await ask();
    const afterMs = performance.now() - since;
    if (!isVouchedFor) return { endpoint, says, afterMs };
    if (afterMs > PATIENCE_MS) return { endpoint, says };
    await delay(PAUSE_MS);
  }
}

function latest(times: readonly (number | null)[]): number | null {
  return times.reduce((one, other) => (one === null || other === null ? null : Math.max(one, other)), 0);
}
