/** Waits for the operator to stop a program that serves. */

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Resolves at the first signal; a second one ends the process at once, as if nobody listened. */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const stop = (signal: NodeJS.Signals): void => {
    for (const each of STOP_SIGNALS) process.off(each, stop);
    resolve(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  return promise;
}
