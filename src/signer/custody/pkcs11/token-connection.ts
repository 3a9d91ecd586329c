/** One process that talks to the token, from the service's side: orders go out, answers come back by their number. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import {
  type TokenAnswer,
  TokenFailure,
  type TokenFailureReport,
  type TokenOrder,
  type TokenOrderTo,
  type TokenReply,
  type TokenRequest,
  type TokenResults,
  type TokenSettings,
} from './token-messages.ts';

export interface ConnectionSettings extends TokenSettings {
  /** What the module may look at, such as SOFTHSM2_CONF. Nothing of ours, the PIN above all, belongs in there. */
  environment: Readonly<Record<string, string | undefined>>;
}

interface Pending {
  resolve: (result: TokenResults[TokenOrder['verb']]) => void;
  reject: (failure: TokenFailure) => void;
  timer: NodeJS.Timeout;
}

const OPEN_TIMEOUT_MS = 10_000;
/** Signing takes milliseconds; making an RSA key in a token may take a minute. */
const TIMEOUT_MS: Readonly<Record<TokenOrder['verb'], number>> = { sign: 5_000, generate: 90_000, destroy: 10_000 };
const GOODBYE_TIMEOUT_MS = 2_000;
/** More orders than this help nobody. */
const MAX_PENDING = 2_000;

/** Sources run as they are, a built package by its JavaScript. */
const PROGRAM = path.join(import.meta.dirname, `token-process${path.extname(import.meta.filename)}`);

export class TokenConnection implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #opened = Promise.withResolvers<void>();
  #lastNumber = 0;
  /** Orders that go out together, as soon as the present turn of the event loop is over. */
  #outbox: { number: number; order: TokenOrder }[] = [];
  /** Why it is of no more use. */
  #end: TokenFailure | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('error', (error) => this.#finish(`the process that talks to it failed: ${error.message}`));
    child.on('exit', (code, signal) => this.#finish(`the process that talks to it ended (${signal ?? code})`));
    child.on('message', (reply: TokenReply) => this.#receive(reply));
  }

  /** @throws TokenFailure */
  static async open({ environment, ...settings }: ConnectionSettings): Promise<TokenConnection> {
    const child = fork(PROGRAM, [], {
      env: { ...environment, UV_THREADPOOL_SIZE: String(settings.sessions + 2) },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const connection = new TokenConnection(child);
    try {
      await connection.#open(settings);
      return connection;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  async #open(settings: TokenSettings): Promise<void> {
    const timer = setTimeout(() => this.#finish('the token does not answer'), OPEN_TIMEOUT_MS);
    this.#post({ open: settings });
    await this.#opened.promise.finally(() => clearTimeout(timer));
  }

  /** Whether a new one has to take its place. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** @throws TokenFailure */
  carryOut<Verb extends TokenOrder['verb']>(order: TokenOrderTo<Verb>): Promise<TokenResults[Verb]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#pending.size >= MAX_PENDING) {
      return Promise.reject(new TokenFailure('refused', 'too much waits for the token already'));
    }
    const number = ++this.#lastNumber;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#finish('the token does not answer'), TIMEOUT_MS[order.verb]);
      const answer = resolve as Pending['resolve'];
      this.#pending.set(number, { resolve: answer, reject, timer });
      this.#outbox.push({ number, order });
      if (this.#outbox.length === 1) setImmediate(() => this.#sendOrders());
    });
  }

  #sendOrders(): void {
    const orders = this.#outbox;
    this.#outbox = [];
    this.#post({ orders });
  }

  #post(request: TokenRequest): void {
    if (!this.#child.connected) {
      this.#finish('the process that talks to it ended');
      return;
    }
    this.#child.send(request, (error) => {
      if (error !== null) this.#finish(`the process that talks to it failed: ${error.message}`);
    });
  }

  #receive(reply: TokenReply): void {
    if ('answers' in reply) {
      for (const answer of reply.answers) this.#settle(answer);
    } else if (reply.opened === null) {
      this.#opened.resolve();
    } else {
      this.#end = failureOf(reply.opened);
      this.#opened.reject(this.#end);
    }
  }

  #settle(answer: TokenAnswer): void {
    const pending = this.#pending.get(answer.number);
    if (pending === undefined) return;
    this.#pending.delete(answer.number);
    clearTimeout(pending.timer);
    if ('result' in answer) {
      pending.resolve(answer.result);
      return;
    }
    const failure = failureOf(answer.failure);
    pending.reject(failure);
    if (failure.kind === 'token_lost') this.#finish(failure.message);
  }

  /** Whatever it may still say counts no more. A process that hangs is not asked to go. */
  #finish(message: string): void {
    if (this.#end !== undefined) return;
    this.#end = new TokenFailure('token_lost', message);
    this.#opened.reject(this.#end);
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(this.#end);
    }
    this.#pending.clear();
    this.#child.kill('SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), GOODBYE_TIMEOUT_MS);
    if (this.#child.connected) this.#child.disconnect();
    await ended;
    clearTimeout(timer);
  }
}

function failureOf({ kind, message }: TokenFailureReport): TokenFailure {
  return new TokenFailure(kind, message);
}
