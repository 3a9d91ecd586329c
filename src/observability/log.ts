/** Structured logs, one JSON object a line on standard output; one function a business event. */
import { type Logger, pino } from 'pino';

export interface Log {
  serviceStarted(details: { url: string; database: string; authorities: number }): void;
  serviceStopping(signal: string): void;
  registryChanged(change: { seq: number; actions: string[] }): void;
  requestFailed(error: unknown, requestId: string): void;
  stateStale(error: unknown): void;
  stateCurrentAgain(): void;
  warning(message: string): void;
}

/** Errors are logged with their stack and causes, never with requests, tokens or statements. */
export function createLog(level: string): Log {
  const logger: Logger = pino({
    level,
    base: undefined,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
  return {
    serviceStarted: (details) => logger.info(details, 'service started'),
    serviceStopping: (signal) => logger.info({ signal }, 'service stopping'),
    registryChanged: (change) => logger.info(change, 'registry changed'),
    requestFailed: (err, requestId) => logger.error({ err, requestId }, 'request failed'),
    stateStale: (err) =>
      logger.error({ err }, 'the database does not confirm our state; vouching for nobody meanwhile'),
    stateCurrentAgain: () => logger.info('the database confirms our state again'),
    warning: (message) => logger.warn(message),
  };
}
