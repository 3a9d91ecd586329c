/** Types of receiver.js, for the tests that run it. */
import type { RequestListener } from 'node:http';

export interface ReceivedEvent {
  id: string;
  type: string;
  timestamp: string;
  seq: number;
  data: { subject: { kind: string; id: string; name: string } };
}

export function createReceiver(options: {
  secret: string;
  handle: (event: ReceivedEvent) => void | Promise<void>;
  seen?: { has(id: string): boolean | Promise<boolean>; add(id: string): unknown };
}): RequestListener;
