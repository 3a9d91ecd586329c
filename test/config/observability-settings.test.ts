import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/config.ts';

describe('what an operator watches with', () => {
  it('is off unless set', () => {
    expect(loadConfig({}).config).toMatchObject({ metrics: undefined, traces: undefined });
  });

  it('listens on this machine alone unless told to', () => {
    const HOLDFAST_METRICS_PORT = '9464';
    expect(loadConfig({ HOLDFAST_METRICS_PORT }).config.metrics).toEqual({ port: 9464, listen: '127.0.0.1' });
    const elsewhere = { HOLDFAST_METRICS_PORT, HOLDFAST_METRICS_LISTEN: '192.0.2.1' };
    expect(loadConfig(elsewhere).config.metrics).toEqual({ port: 9464, listen: '192.0.2.1' });
  });

  it('traces a tenth unless told otherwise', () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://127.0.0.1:4318';
    const endpoint = OTEL_EXPORTER_OTLP_ENDPOINT;
    expect(loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT }).config.traces).toEqual({ endpoint, ratio: 0.1 });
    const all = { OTEL_EXPORTER_OTLP_ENDPOINT, HOLDFAST_TRACE_RATIO: '1' };
    expect(loadConfig(all).config.traces).toEqual({ endpoint, ratio: 1 });
  });

  it.each([
    { PORT: '9464', HOLDFAST_METRICS_PORT: '9464' },
    { HOLDFAST_METRICS_LISTEN: '127.0.0.1' },
    { HOLDFAST_METRICS_PORT: '0' },
    { HOLDFAST_TRACE_RATIO: '1.5' },
    { HOLDFAST_TRACE_RATIO: '-0' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'file:///etc/passwd' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:secret-word@collector.example' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example/?key=secret-word' },
  ])('is refused where it makes no sense: %j', (environment) => {
    expect(() => loadConfig(environment)).toThrow(ConfigError);
    expect(() => loadConfig(environment)).not.toThrow(/secret-word/);
  });
});
