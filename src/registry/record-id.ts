/** Ids of records: UUIDs of version 7, so that their order is the order of creation. @see RFC 9562 §5.7 */
import { randomBytes } from 'node:crypto';

const MAX_COUNTER = 0xfff;

/** Makes the ids of one process, each greater than the one before, also within a millisecond. */
export function createRecordIds(nowMs: () => number): () => string {
  let latestMs = 0;
  let counter = 0;
  return () => {
    const now = nowMs();
    if (now > latestMs) [latestMs, counter] = [now, 0];
    else if (counter < MAX_COUNTER) counter++;
    else [latestMs, counter] = [latestMs + 1, 0];
    return recordId(latestMs, counter);
  };
}

/**
 * @param ms milliseconds since the epoch
 * @param counter order within the millisecond, 12 bits
 */
export function recordId(ms: number, counter: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(ms, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isRecordId(value: string): boolean {
  return UUID.test(value);
}
