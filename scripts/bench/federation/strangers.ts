/** Hosts of strangers in a process of their own, which count who knocks. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { startWorker, type Worker } from '../service/child-process.ts';
import { MANNERS, type Manner, type StrangersCommand, type StrangersReply } from './strangers-plan.ts';

export class Strangers implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #origins: Record<Manner, string>;

  private constructor(worker: Worker, origins: Record<Manner, string>) {
    this.#worker = worker;
    this.#origins = origins;
  }

  static async start(): Promise<Strangers> {
    const worker = startWorker(path.join(import.meta.dirname, 'strangers-server.ts'));
    const reply = await command(worker, { kind: 'listen' });
    if (reply.kind !== 'listening') throw new Error(`the strangers do not listen: ${reply.kind}`);
    return new Strangers(worker, reply.origins);
  }

  /** So many Entity Identifiers that nobody heard of, on each host by turns. */
  identifiers(count: number): string[] {
    const origins = MANNERS.map((manner) => this.#origins[manner]);
    return Array.from({ length: count }, (_, index) => `${origins[index % origins.length]}/${randomUUID()}`);
  }

  /** When somebody knocked, at any host, in order: milliseconds since the epoch. */
  async arrivals(): Promise<number[]> {
    const reply = await command(this.#worker, { kind: 'count' });
    if (reply.kind !== 'counted') throw new Error(`the strangers counted nothing: ${reply.kind}`);
    return Object.values(reply.arrivals)
      .flat()
      .toSorted((a, b) => a - b);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
  }
}

async function command(worker: Worker, what: StrangersCommand): Promise<StrangersReply> {
  const reply = await worker.ask<StrangersReply>(what);
  if (reply.kind === 'failed') throw new Error(reply.message);
  return reply;
}
