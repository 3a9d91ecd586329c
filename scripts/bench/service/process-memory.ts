/** How much memory processes hold, as the kernel counts it. */
import { readFileSync } from 'node:fs';

/** Resident memory of a process, in bytes. @throws Error where there is no /proc, or no such process any more */
export function residentMemoryBytes(pid: number): number {
  return statusBytes(pid, 'VmRSS');
}

/** The most that it ever was. @throws as `residentMemoryBytes` */
export function peakMemoryBytes(pid: number): number {
  return statusBytes(pid, 'VmHWM');
}

function statusBytes(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error('this system does not say how much memory a process uses');
  return Number(match[1]) * 1024;
}
