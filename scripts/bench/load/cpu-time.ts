/** How long processes have computed, as the kernel counts it. */
import { readFileSync } from 'node:fs';

/** USER_HZ, the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time of a process, in seconds; NaN where there is no /proc. */
export function cpuSecondsOf(pid: number): number {
  try {
    // The name, in parentheses, may contain anything; the fields behind it are numbers.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}
