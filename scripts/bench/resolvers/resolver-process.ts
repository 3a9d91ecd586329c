/** A resolver in a process of its own, so that none runs in the heap and with the compiled code of another. */
import path from 'node:path';
import type { Work } from '../rounds.ts';
import { startWorker, type Worker } from '../service/child-process.ts';
import type { ResolveCommand, ResolvePlan, ResolveReply } from './resolve-plan.ts';

/** The resolver runs, but the subject does not resolve with it. */
export class Unresolved extends Error {
  override readonly name = 'Unresolved';
}

export class ResolverProcess implements AsyncDisposable {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** @throws Unresolved when a first resolution fails */
  static async start(plan: ResolvePlan): Promise<ResolverProcess> {
    const worker = startWorker(path.join(import.meta.dirname, 'resolver-worker.ts'));
    try {
      const reply = await command(worker, { kind: 'plan', plan });
      if (reply.kind === 'unresolved') throw new Unresolved(reply.message);
      return new ResolverProcess(worker);
    } catch (error) {
      await worker[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Resolves over and over, so many at a time. */
  resolutions(concurrency: number): Work {
    return async (seconds) => {
      const reply = await command(this.#worker, { kind: 'run', seconds, concurrency });
      if (reply.kind !== 'measured') throw new Error(`the resolver measured nothing: ${reply.kind}`);
      return reply.run;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
  }
}

async function command(worker: Worker, what: ResolveCommand): Promise<ResolveReply> {
  const reply = await worker.ask<ResolveReply>(what);
  if (reply.kind === 'failed') throw new Error(reply.message);
  return reply;
}
