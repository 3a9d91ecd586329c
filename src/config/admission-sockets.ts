/** `HOLDFAST_ADMISSION_SOCKETS`: UNIX sockets, each for one enforcement point. */
import type { z } from 'zod';
import { list } from './setting-values.ts';

export interface AdmissionSocket {
  enforcementPointId: string;
  /** Of the socket's file. */
  path: string;
}

/** What fits into the address of a UNIX socket. */
const MAX_PATH_BYTES = 103;

const ENTRY = /^([\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})=(\/.+)$/;

function isEntry(entry: string): boolean {
  const [, , path] = ENTRY.exec(entry) ?? [];
  return path !== undefined && Buffer.byteLength(path) <= MAX_PATH_BYTES;
}

/** `ID=/PATH[,ID=/PATH…]` */
export const admissionSocketsSetting = list
  .refine(
    (entries) => entries.every(isEntry),
    `must be ID=/PATH, the id of an enforcement point and a path of at most ${MAX_PATH_BYTES} bytes, separated by commas`,
  )
  .transform((entries) => entries.map(socketOf))
  .refine((sockets) => new Set(sockets.map(({ path }) => path)).size === sockets.length, 'names a path twice')
  .default([]) satisfies z.ZodType<AdmissionSocket[]>;

function socketOf(entry: string): AdmissionSocket {
  const [, enforcementPointId = '', path = ''] = ENTRY.exec(entry) ?? [];
  return { enforcementPointId, path };
}
