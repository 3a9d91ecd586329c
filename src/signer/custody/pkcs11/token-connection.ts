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
  number: number;
  order: TokenOrder;
  resolve: (result: TokenResults[TokenOrder['verb']]) => void;
  reject: (failure: TokenFailure) => void;
  timer: NodeJS.Timeout;
}

const OPEN_TIMEOUT_MS = 10_000;
/**
 * A token that answers none of its orders for so long is given up, with the process that talks to it. Signing takes
 * milliseconds; making an RSA key in a token may take a minute, and it may do nothing else meanwhile.
 */
const SILENCE_MS: Readonly<Record<TokenOrder['verb'], number>> = { sign: 5_000, generate: 90_000, destroy: 10_000 };
/** Who waited so long for its turn does so no longer: the token is slow, but works. */
const PATIENCE_MS = 5_000;
/** Nor does who waits for one answer while others come: the session is stuck. */
const STUCK_MS: Readonly<Record<TokenOrder['verb'], number>> = { sign: 15_000, generate: 90_000, destroy: 20_000 };
const GOODBYE_TIMEOUT_MS = 2_000;
/** Orders with the process for each session: enough that no session waits for an order. */
const SENT_PER_SESSION = 8;
/** More orders than this help nobody. */
const MAX_WAITING = 2_000;

/** Sources run as they are, a built package by its JavaScript. */
const PROGRAM = path.join(import.meta.dirname, `token-process${path.extname(import.meta.filename)}`);

export class TokenConnection implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** The token, for messages. */
  readonly #token: string;
  readonly #mostSent: number;
  /** Orders that have not gone out yet: who gives up before costs the token nothing. */
  readonly #waiting = new Set<Pending>();
  /** Orders that went out and were not answered yet, whether anybody still waits for it or not. */
  readonly #sent = new Map<number, Pending>();
  readonly #opened = Promise.withResolvers<void>();
  #lastNumber = 0;
  #isSendDue = false;
  /** Since when the process owes an answer, in milliseconds that nobody can set. */
  #silentSince = 0;
  #silence: NodeJS.Timeout | undefined;
  /** Why it is of no more use. */
  #end: TokenFailure | undefined;

  private constructor(child: ChildProcess, { label, sessions }: TokenSettings) {
    this.#child = child;
    this.#token = `the token ${JSON.stringify(label)}`;
    this.#mostSent = SENT_PER_SESSION * sessions;
    const processOf = `the process that talks to ${this.#token}`;
    child.on('error', (error) => this.#finish(`${processOf} failed: ${error.message}`));
    child.on('exit', (code, signal) => this.#finish(`${processOf} ended (${signal ?? code})`));
    child.on('message', (reply: TokenReply) => this.#receive(reply));
  }

  /** @throws TokenFailure */
  static async open({ environment, ...settings }: ConnectionSettings): Promise<TokenConnection> {
    const child = fork(PROGRAM, [], {
      env: { ...environment, UV_THREADPOOL_SIZE: String(settings.sessions + 2) },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const connection = new TokenConnection(child, settings);
    try {
      await connection.#open(settings);
      return connection;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  async #open(settings: TokenSettings): Promise<void> {
    const timer = setTimeout(() => this.#finish(`${this.#token} does not answer`), OPEN_TIMEOUT_MS);
    this.#post({ open: settings });
    await this.#opened.promise.finally(() => clearTimeout(timer));
  }

  /** Whether a new one has to take its place. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /**
   * An order that is late fails alone; what ends the connection is silence.
   * @throws TokenFailure
   */
  carryOut<Verb extends TokenOrder['verb']>(order: TokenOrderTo<Verb>): Promise<TokenResults[Verb]> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#waiting.size >= MAX_WAITING) {
      return Promise.reject(new TokenFailure('late', `too much waits for ${this.#token} already`));
    }
    return new Promise((resolve, reject) => {
      const answer = resolve as Pending['resolve'];
      const timer = setTimeout(() => this.#giveUp(pending), PATIENCE_MS);
      const pending: Pending = { number: ++this.#lastNumber, order, resolve: answer, reject, timer };
      this.#waiting.add(pending);
      this.#sendSoon();
    });
  }

  #giveUp(pending: Pending): void {
    this.#waiting.delete(pending);
    pending.reject(new TokenFailure('late', `${this.#token} did not get round to it in time`));
  }

  /** Orders go out together, as soon as the present turn of the event loop is over. */
  #sendSoon(): void {
    if (this.#isSendDue || this.#waiting.size === 0 || this.#sent.size >= this.#mostSent) return;
    this.#isSendDue = true;
    setImmediate(() => this.#sendOrders());
  }

  #sendOrders(): void {
    this.#isSendDue = false;
    if (this.#end !== undefined) return;
    const orders: { number: number; order: TokenOrder }[] = [];
    for (const pending of this.#waiting) {
      if (this.#sent.size >= this.#mostSent) break;
      const { number, order } = pending;
      this.#waiting.delete(pending);
      clearTimeout(pending.timer);
      pending.timer = setTimeout(() => this.#giveUp(pending), STUCK_MS[order.verb]);
      this.#sent.set(number, pending);
      orders.push({ number, order });
    }
    if (orders.length === 0) return;
    if (this.#sent.size === orders.length) this.#silentSince = performance.now();
    this.#post({ orders });
    this.#listen();
  }

  #listen(): void {
    clearTimeout(this.#silence);
    if (this.#sent.size === 0 || this.#end !== undefined) return;
    const longestMs = Math.max(...[...this.#sent.values()].map(({ order }) => SILENCE_MS[order.verb]));
    const leftMs = this.#silentSince + longestMs - performance.now();
    this.#silence = setTimeout(() => this.#finish(`${this.#token} does not answer`), leftMs);
  }

  #post(request: TokenRequest): void {
    const failed = (why: string) => this.#finish(`the process that talks to ${this.#token} ${why}`);
    if (!this.#child.connected) {
      failed('ended');
      return;
    }
    this.#child.send(request, (error) => {
      if (error !== null) failed(`failed: ${error.message}`);
    });
  }

  #receive(reply: TokenReply): void {
    if ('answers' in reply) {
      for (const answer of reply.answers) this.#settle(answer);
      this.#silentSince = performance.now();
      this.#listen();
      this.#sendSoon();
    } else if (reply.opened === null) {
      this.#opened.resolve();
    } else {
      this.#end = failureOf(reply.opened);
      this.#opened.reject(this.#end);
    }
  }

  #settle(answer: TokenAnswer): void {
    const pending = this.#sent.get(answer.number);
    if (pending === undefined) return;
    this.#sent.delete(answer.number);
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
    clearTimeout(this.#silence);
    for (const { reject, timer } of [...this.#waiting, ...this.#sent.values()]) {
      clearTimeout(timer);
      reject(this.#end);
    }
    this.#waiting.clear();
    this.#sent.clear();
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
