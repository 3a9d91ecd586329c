/** A federation in a process of its own, served over HTTP on loopback. */
import path from 'node:path';
import type { JwkSet } from '../../../src/federation/jwk-set.ts';
import { startWorker, type Worker } from '../service/child-process.ts';
import type { FederationCommand, FederationPlan, FederationReply, PublishedEntity } from './federation-plan.ts';

export class RemoteFederation implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #entities: ReadonlyMap<string, PublishedEntity>;

  private constructor(worker: Worker, entities: Record<string, PublishedEntity>) {
    this.#worker = worker;
    this.#entities = new Map(Object.entries(entities));
  }

  static async start(plan: FederationPlan): Promise<RemoteFederation> {
    const worker = startWorker(path.join(import.meta.dirname, 'federation-server.ts'));
    try {
      const reply = await command(worker, { kind: 'publish', plan });
      if (reply.kind !== 'published') throw new Error(`the federation published nothing: ${reply.kind}`);
      return new RemoteFederation(worker, reply.entities);
    } catch (error) {
      await worker[Symbol.asyncDispose]();
      throw error;
    }
  }

  id(name: string): string {
    return this.#entity(name).identifier;
  }

  /** The public Federation Entity Keys of an entity. */
  jwks(name: string): JwkSet {
    return this.#entity(name).jwks;
  }

  /** Serves a text at a path of every server. */
  async publishText(path: string, text: string): Promise<void> {
    const reply = await command(this.#worker, { kind: 'publish-text', path, text });
    if (reply.kind !== 'text-published') throw new Error(`the federation did not publish the text: ${reply.kind}`);
  }

  /** How often each statement was asked for until now. */
  async requests(): Promise<ReadonlyMap<string, number>> {
    const reply = await command(this.#worker, { kind: 'count' });
    if (reply.kind !== 'counted') throw new Error(`the federation counted nothing: ${reply.kind}`);
    return new Map(Object.entries(reply.requests));
  }

  #entity(name: string): PublishedEntity {
    const entity = this.#entities.get(name);
    if (entity === undefined) throw new RangeError(`the federation has no entity ${name}`);
    return entity;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker[Symbol.asyncDispose]();
  }
}

async function command(worker: Worker, what: FederationCommand): Promise<FederationReply> {
  const reply = await worker.ask<FederationReply>(what);
  if (reply.kind === 'failed') throw new Error(reply.message);
  return reply;
}
