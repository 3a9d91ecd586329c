/** Delivers what one webhook is about: in order for each subject, several subjects at a time. */
import { eventId } from '../registry/events/event-body.ts';
import {
  type DueDelivery,
  dueDeliveries,
  giveUpOverdue,
  hasten,
  nextAttempt,
  planDeliveries,
  readActiveWebhook,
  recordDelivered,
  recordFailed,
} from '../registry/webhooks/deliveries.ts';
import type { WebhookRow } from '../registry/webhooks/webhook.ts';
import type { Db } from '../storage/connect.ts';
import { GIVEN_UP_AFTER_MS, ReceiverPatience, retryPauseMs } from './receiver-patience.ts';
import { type Attempt, sendWebhookMessage, type WebhookMessages } from './webhook-message.ts';

/** What a log is told of a receiver that fails for long. */
export interface FailingReceiver {
  webhookId: string;
  webhook: string;
  /** Since when the event waits that was tried. */
  waitingSince: Date;
  failure: string;
}

export interface EventDeliveryOptions extends WebhookMessages {
  db: Db;
  /** Pauses a webhook whose receiver says that it is gone. */
  pause: (webhookId: string, reason: string) => Promise<void>;
  /** Told of a receiver that has failed for an hour, and each hour after that. */
  onFailing: (report: FailingReceiver) => void;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** Deliveries taken into memory at a time. */
const LOADED_AT_A_TIME = 100;
/** Those of subjects that are not under way; when there are fewer, more are looked for. */
const KEPT_READY = 16;

/** Changes within this time are planned together; those that a failing receiver cannot take yet have more time. */
const PLANNING_EVERY_MS = 100;
const PLANNING_EVERY_MS_SPARED = 2_000;

/** Were it never woken, as by a clock that was set back, it would look nevertheless. */
const LOOKS_ANYHOW_EVERY_MS = 60_000;

const TOLD_EVERY_MS = 3_600_000;

const GONE = 410;

export class WebhookDrain {
  readonly webhookId: string;
  readonly #options: EventDeliveryOptions;
  readonly #patience: ReceiverPatience;
  /** Of each subject that is seen to, what is to be delivered, in order; the first may be under way. */
  readonly #queues = new Map<string, DueDelivery[]>();
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  #webhook: WebhookRow | undefined;
  #isRecordOld = true;
  /** Whether there may be more to deliver now than what is in memory. */
  #mayHaveMore = true;
  /** Whether the last look left out subjects that were seen to. */
  #hasLeftOut = false;
  #announcedSeq = Number.POSITIVE_INFINITY;
  #plannedThroughSeq = 0;
  /** By the clock that nobody can set. */
  #nextPlanMs = 0;
  /** When a delivery is due that is not due yet. */
  #nextAttemptMs = Number.POSITIVE_INFINITY;
  #toldMs = Number.NEGATIVE_INFINITY;
  #error: { cause: unknown } | undefined;
  #wake: () => void = () => {};
  #isWoken = false;

  constructor(options: EventDeliveryOptions, webhookId: string) {
    this.#options = options;
    this.webhookId = webhookId;
    this.#patience = new ReceiverPatience(options.random);
  }

  /** @param isRecordOld whether the webhook itself changed */
  announce(seq: number, isRecordOld: boolean): void {
    // A first plan reads how far the registry is; what comes meanwhile is more than that.
    if (Number.isFinite(this.#announcedSeq)) this.#announcedSeq = Math.max(this.#announcedSeq, seq);
    if (isRecordOld) this.#isRecordOld = true;
    this.#wakeUp();
  }

  async run(signal: AbortSignal): Promise<void> {
    const end = () => {
      this.#stop.abort(signal.reason);
      this.#wakeUp();
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      while (!signal.aborted && (await this.#isActive())) {
        await this.#plan();
        await this.#load();
        this.#startDeliveries();
        await this.#untilWoken();
        if (this.#error !== undefined) throw this.#error.cause;
      }
    } finally {
      signal.removeEventListener('abort', end);
      this.#stop.abort(new Error('the webhook is not active any more'));
      await Promise.allSettled(this.#underWay.values());
    }
  }

  get #nowMs(): number {
    return this.#options.now().getTime();
  }

  /** For pauses, which must not last longer when the clock is set back. */
  get #steadyMs(): number {
    return performance.now();
  }

  async #isActive(): Promise<boolean> {
    if (!this.#isRecordOld) return true;
    this.#isRecordOld = false;
    this.#webhook = await readActiveWebhook(this.#options.db, this.webhookId);
    // It may have been told to go on from elsewhere, or to tell things again.
    this.#forgetReady();
    this.#plannedThroughSeq = this.#webhook?.plannedThroughSeq ?? 0;
    return this.#webhook !== undefined;
  }

  async #plan(): Promise<void> {
    const { db, now } = this.#options;
    if (this.#announcedSeq <= this.#plannedThroughSeq || this.#steadyMs < this.#nextPlanMs) return;
    const isFirst = !Number.isFinite(this.#announcedSeq);
    if (isFirst) this.#announcedSeq = 0;
    const plan = await planDeliveries(db, this.webhookId, now());
    if (plan === undefined) {
      this.#isRecordOld = true;
      this.#wakeUp();
      return;
    }
    const { planned, plannedThroughSeq, hasMore } = plan;
    this.#plannedThroughSeq = plannedThroughSeq;
    if (planned > 0) this.#mayHaveMore = true;
    if (hasMore) {
      this.#announcedSeq = Math.max(this.#announcedSeq, plannedThroughSeq + 1);
      this.#wakeUp();
    } else {
      this.#nextPlanMs = this.#steadyMs + (this.#patience.isSpared ? PLANNING_EVERY_MS_SPARED : PLANNING_EVERY_MS);
    }
  }

  async #load(): Promise<void> {
    const { db, now } = this.#options;
    if (this.#nowMs >= this.#nextAttemptMs) {
      this.#nextAttemptMs = Number.POSITIVE_INFINITY;
      this.#mayHaveMore = true;
    }
    if (!this.#mayHaveMore || this.#queues.size - this.#underWay.size >= KEPT_READY) return;
    this.#mayHaveMore = false;
    const at = now();
    const busy = [...this.#queues.keys()];
    const due = await dueDeliveries(db, this.webhookId, { now: at, limit: LOADED_AT_A_TIME, busy });
    this.#hasLeftOut = busy.length > 0;
    for (const delivery of due) {
      const queue = this.#queues.get(delivery.subjectId);
      if (queue === undefined) this.#queues.set(delivery.subjectId, [delivery]);
      else queue.push(delivery);
    }
    if (due.length === LOADED_AT_A_TIME) this.#mayHaveMore = true;
    // Whatever fails while it is looked up counts as well.
    this.#nextAttemptMs = Number.POSITIVE_INFINITY;
    const next = await nextAttempt(db, this.webhookId, at);
    if (next !== undefined) this.#nextAttemptMs = Math.min(this.#nextAttemptMs, next.getTime());
  }

  /** What is not under way is looked up anew. */
  #forgetReady(): void {
    for (const [subjectId, queue] of this.#queues) {
      if (this.#underWay.has(subjectId)) queue.splice(1);
      else this.#queues.delete(subjectId);
    }
    this.#hasLeftOut = true;
    this.#mayHaveMore = true;
  }

  #startDeliveries(): void {
    let room = this.#patience.room(this.#underWay.size, this.#steadyMs);
    for (const [subjectId, [first]] of this.#queues) {
      if (room <= 0) return;
      if (first === undefined || this.#underWay.has(subjectId)) continue;
      room--;
      const delivery = this.#deliver(first)
        .catch((cause: unknown) => {
          this.#queues.delete(subjectId);
          // What was broken off is nobody's failure; it is sent again.
          if (!this.#stop.signal.aborted) this.#error ??= { cause };
        })
        .finally(() => {
          this.#underWay.delete(subjectId);
          if (!this.#queues.has(subjectId) && this.#hasLeftOut) this.#mayHaveMore = true;
          this.#wakeUp();
        });
      this.#underWay.set(subjectId, delivery);
    }
  }

  async #deliver(delivery: DueDelivery): Promise<void> {
    const webhook = this.#webhook;
    const { event, subjectId } = delivery;
    if (webhook === undefined) return;
    if (event === undefined) {
      const lost = { isDelivered: false, status: null, failure: 'the event is kept no more' } as const;
      await this.#putOff(delivery, { ...lost, askedSeconds: undefined }, null);
      return this.#goOn(subjectId);
    }
    const attempt = await sendWebhookMessage(this.#options, webhook, event, this.#stop.signal);
    if (attempt.isDelivered) {
      const { db, now } = this.#options;
      await recordDelivered(db, this.webhookId, delivery, { status: attempt.status, now: now() });
      this.#goOn(subjectId);
      if (this.#patience.succeeded()) await this.#recover();
    } else {
      await this.#failed(delivery, attempt, webhook);
    }
  }

  #goOn(subjectId: string): void {
    const queue = this.#queues.get(subjectId);
    queue?.shift();
    if (queue?.length === 0) this.#queues.delete(subjectId);
  }

  /** What waited because the receiver was away need not wait longer. */
  async #recover(): Promise<void> {
    const { db, now } = this.#options;
    await hasten(db, this.webhookId, now());
    this.#mayHaveMore = true;
    this.#nextPlanMs = 0;
  }

  async #failed(delivery: DueDelivery, attempt: Attempt & { isDelivered: false }, webhook: WebhookRow): Promise<void> {
    const { db, now, random, pause } = this.#options;
    const at = now();
    const isOverdue = at.getTime() - delivery.plannedAt.getTime() >= GIVEN_UP_AFTER_MS;
    const nextMs = at.getTime() + retryPauseMs(delivery.attempts + 1, random());
    await this.#putOff(delivery, attempt, isOverdue ? null : new Date(nextMs));
    // The others of the subject wait with it; not before that is on record, or it would be looked up again.
    this.#queues.delete(delivery.subjectId);
    if (!isOverdue) this.#nextAttemptMs = Math.min(this.#nextAttemptMs, nextMs);
    this.#patience.failed(eventId(delivery), this.#steadyMs, attempt.askedSeconds);
    this.#tellOfLongFailure(delivery, attempt.failure, webhook);
    if (attempt.status === GONE) {
      await pause(this.webhookId, 'the receiver answered 410: it is gone');
      this.#isRecordOld = true;
    } else if (isOverdue) {
      // The next of its subject may be tried.
      this.#mayHaveMore = true;
      if (this.#patience.isSpared) {
        const plannedBefore = new Date(at.getTime() - GIVEN_UP_AFTER_MS);
        await giveUpOverdue(db, this.webhookId, { plannedBefore, failure: attempt.failure });
        this.#forgetReady();
      }
    }
  }

  async #putOff(
    delivery: DueDelivery,
    { status, failure }: Attempt & { isDelivered: false },
    nextAttemptAt: Date | null,
  ): Promise<void> {
    const { db, now } = this.#options;
    await recordFailed(db, this.webhookId, delivery, { status, failure, nextAttemptAt, now: now() });
  }

  #tellOfLongFailure({ plannedAt }: DueDelivery, failure: string, { name }: WebhookRow): void {
    const nowMs = this.#nowMs;
    if (nowMs - plannedAt.getTime() < TOLD_EVERY_MS || nowMs - this.#toldMs < TOLD_EVERY_MS) return;
    this.#toldMs = nowMs;
    this.#options.onFailing({ webhookId: this.webhookId, webhook: name, waitingSince: plannedAt, failure });
  }

  #wakeUp(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** Until something happens, or it is time for what is known to be due. */
  async #untilWoken(): Promise<void> {
    if (!this.#isWoken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const idleMs = this.#idleMs();
      const wake = idleMs > LOOKS_ANYHOW_EVERY_MS ? () => this.#lookAnyhow() : () => this.#wakeUp();
      const timer = setTimeout(wake, Math.min(LOOKS_ANYHOW_EVERY_MS, idleMs));
      timer.unref();
      await promise;
      clearTimeout(timer);
      this.#wake = () => {};
    }
    this.#isWoken = false;
  }

  #idleMs(): number {
    const steadyMs = this.#steadyMs;
    const waits = [this.#nextAttemptMs - this.#nowMs];
    if (this.#announcedSeq > this.#plannedThroughSeq) waits.push(this.#nextPlanMs - steadyMs);
    const hasReady = this.#queues.size > this.#underWay.size;
    if (hasReady && this.#patience.notBeforeMs > steadyMs) waits.push(this.#patience.notBeforeMs - steadyMs);
    return Math.max(1, Math.min(...waits));
  }

  #lookAnyhow(): void {
    this.#isRecordOld = true;
    this.#announcedSeq = Math.max(this.#announcedSeq, this.#plannedThroughSeq + 1);
    this.#wakeUp();
  }
}
