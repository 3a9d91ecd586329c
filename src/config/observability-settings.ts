/** Settings of what an operator watches the service with. */
import { z } from 'zod';
import { wholeNumber } from './setting-values.ts';

export interface MetricsConfig {
  port: number;
  listen: string;
}

export interface TracesConfig {
  /** Of a collector that speaks OTLP over HTTP, without `/v1/traces`. */
  endpoint: string;
  /** Share of the traces that are recorded, 0 to 1. */
  ratio: number;
}

/** A login in a URL would be a secret among settings that may be shown; headers for the exporter have their own variable. */
function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}` === '';
}

export const OBSERVABILITY_ENVIRONMENT = {
  HOLDFAST_METRICS_PORT: wholeNumber(1, 65535).optional(),
  HOLDFAST_METRICS_LISTEN: z.string().min(1).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .refine(isEndpoint, 'must be an http or https URL without login or query')
    .optional(),
  HOLDFAST_TRACE_RATIO: z
    .string()
    .regex(/^(?:0(?:\.\d{1,6})?|1)$/, 'must be a share from 0 to 1, such as 0.1')
    .transform(Number)
    .default(0.1),
};

type Environment = z.infer<z.ZodObject<typeof OBSERVABILITY_ENVIRONMENT>>;

/** Undefined where nobody is to read them. */
export function metricsOf(environment: Environment): MetricsConfig | undefined {
  const { HOLDFAST_METRICS_PORT: port, HOLDFAST_METRICS_LISTEN: listen = '127.0.0.1' } = environment;
  return port === undefined ? undefined : { port, listen };
}

export function tracesOf(environment: Environment): TracesConfig | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, HOLDFAST_TRACE_RATIO: ratio } = environment;
  return endpoint === undefined ? undefined : { endpoint, ratio };
}

export function observabilityContradictions(environment: Environment & { PORT: number }): string[] {
  const { HOLDFAST_METRICS_PORT: port, HOLDFAST_METRICS_LISTEN: listen } = environment;
  if (port === undefined && listen !== undefined) return ['HOLDFAST_METRICS_LISTEN goes with HOLDFAST_METRICS_PORT'];
  if (port !== environment.PORT) return [];
  return ['HOLDFAST_METRICS_PORT must not be PORT: metrics are not for the public'];
}
