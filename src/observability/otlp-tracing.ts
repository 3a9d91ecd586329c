/** Traces for a collector that speaks OTLP over HTTP. Loaded only where one is set up. @see W3C Trace Context §3.2 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Tracing } from './tracing.ts';

export interface OtlpOptions {
  /** Of the collector; traces go to `/v1/traces` below it. */
  endpoint: string;
  /** Share of the traces that are recorded, 0 to 1. */
  ratio: number;
  version: string;
}

/** Spans that wait for the collector; further ones are dropped. */
const MAX_WAITING = 4096;
const EXPORT_EVERY_MS = 2_000;
/** A collector that is away holds up a stop no longer than this. */
const EXPORT_TIMEOUT_MS = 5_000;
const SPANS_AN_EXPORT = 512;
/** At the stop all that wait are sent at once, beside those under way. */
const MAX_EXPORTS_AT_A_TIME = MAX_WAITING / SPANS_AN_EXPORT + 1;

export function createOtlpTracing({ endpoint, ratio, version }: OtlpOptions): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
    concurrencyLimit: MAX_EXPORTS_AT_A_TIME,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'holdfast', 'service.version': version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: MAX_WAITING,
        maxExportBatchSize: SPANS_AN_EXPORT,
        scheduledDelayMillis: EXPORT_EVERY_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('holdfast', version);
  const present = new AsyncLocalStorage<Span>();
  const parent = () => {
    const span = present.getStore();
    return span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
  };

  return {
    request(traceparent, work) {
      const links = linksTo(traceparent);
      const span = tracer.startSpan('request', { kind: SpanKind.SERVER, links, root: true }, ROOT_CONTEXT);
      return during(span, present, work);
    },
    span(name, attributes, work) {
      const span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes }, parent());
      return during(span, present, work);
    },
    tell(name, attributes) {
      const span = present.getStore();
      span?.setAttributes(attributes);
      if (name !== undefined) span?.updateName(name);
    },
    answered(name, attributes, durationMs) {
      const startTime = Date.now() - durationMs;
      tracer.startSpan(name, { kind: SpanKind.SERVER, attributes, startTime, root: true }, ROOT_CONTEXT).end();
    },
    ids() {
      const context = present.getStore()?.spanContext();
      return context && { traceId: context.traceId, spanId: context.spanId };
    },
    async [Symbol.asyncDispose]() {
      // Nobody waits longer for a collector that is away.
      await provider.shutdown().catch(() => undefined);
    },
  };
}

/** The span ends with its work. */
function during<T>(span: Span, present: AsyncLocalStorage<Span>, work: () => T): T {
  const failed = (error: unknown): never => {
    const message = error instanceof Error ? error.name : typeof error;
    span.setStatus({ code: SpanStatusCode.ERROR, message }).end();
    throw error;
  };
  try {
    const result = present.run(span, work);
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    const ended = result.then((value: unknown) => {
      span.end();
      return value;
    }, failed);
    return ended as T;
  } catch (error) {
    return failed(error);
  }
}

const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/;

/** What a client says that its request is part of. */
function linksTo(traceparent: string | null): Link[] {
  const [, traceId = '', spanId = ''] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!/[^0]/.test(traceId) || !/[^0]/.test(spanId)) return [];
  const context: SpanContext = { traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true };
  return [{ context }];
}
