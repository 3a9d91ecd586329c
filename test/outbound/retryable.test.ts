import { expect, it } from 'vitest';
import { REASONS, type Reason } from '../../src/federation/errors.ts';
import { isRetryable } from '../../src/outbound/retryable.ts';

it('[OIDFED-10.5-1] only failures of the network are worth a retry', () => {
  const retryable = (Object.keys(REASONS) as Reason[]).filter(isRetryable);
  expect(retryable.toSorted()).toEqual(['connection_failed', 'timed_out']);
});
