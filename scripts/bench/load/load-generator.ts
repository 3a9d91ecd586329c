/** A process that puts load on one server, as told. */
import path from 'node:path';
import { startWorker, type Worker } from '../service/child-process.ts';
import type { LoadCommand, LoadPlan, LoadReply, LoadResult } from './load-plan.ts';

export class LoadGenerator implements AsyncDisposable {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  static async start(plan: LoadPlan): Promise<LoadGenerator> {
    const generator = new LoadGenerator(startWorker(path.join(import.meta.dirname, 'generator.ts')));
    await generator.#command({ kind: 'plan', plan });
    return generator;
  }

  /** Requests paths at random for so long. @throws Error when an answer is not as it should be */
  async run(seconds: number): Promise<LoadResult> {
    return measured(await this.#command({ kind: 'random', seconds }));
  }

  /** Requests every path once. @throws Error when an answer is not as it should be */
  async visitEach(): Promise<LoadResult> {
    return measured(await this.#command({ kind: 'each-once' }));
  }

  async #command(command: LoadCommand): Promise<LoadReply> {
    const reply = await this.#worker.ask<LoadReply>(command);
    if (reply.kind === 'failed') throw new Error(reply.message);
    return reply;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
  }
}

function measured(reply: LoadReply): LoadResult {
  if (reply.kind !== 'measured') throw new Error(`the load generator measured nothing: ${reply.kind}`);
  return reply.result;
}
