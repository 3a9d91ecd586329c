import { describe, expect, it } from 'vitest';
import {
  DELIVERIES_AT_A_TIME,
  GIVEN_UP_AFTER_MS,
  ReceiverPatience,
  retryPauseMs,
} from '../../src/jobs/receiver-patience.ts';

describe('[F50] patience with a receiver', () => {
  it('tries a delivery again after seconds, then after hours, for about three days', () => {
    const pauses = Array.from({ length: 40 }, (_, index) => retryPauseMs(index + 1, 0.5));
    expect(pauses.slice(0, 4)).toEqual([2_000, 4_000, 8_000, 16_000]);
    expect(pauses.at(-1)).toBe(4 * 3_600_000);
    expect([retryPauseMs(1, 0), retryPauseMs(1, 1)]).toEqual([1_600, 2_400]);
    let passedMs = 0;
    const attempts = pauses.findIndex((pauseMs) => {
      passedMs += pauseMs;
      return passedMs > GIVEN_UP_AFTER_MS;
    });
    expect(attempts).toBeGreaterThan(25);
    expect(attempts).toBeLessThan(35);
  });

  it('spares a receiver that fails different deliveries in a row, not one that fails the same again and again', () => {
    const patience = new ReceiverPatience(() => 0.5);
    for (let attempt = 0; attempt < 20; attempt++) patience.failed('evt_1_0', 0);
    expect(patience.room(0, 0)).toBe(DELIVERIES_AT_A_TIME);
    for (const id of ['evt_2_0', 'evt_3_0', 'evt_4_0', 'evt_5_0']) patience.failed(id, 0);
    expect([patience.room(0, 999), patience.room(0, 1_000), patience.room(1, 1_000)]).toEqual([0, 1, 0]);
    for (let attempt = 0; attempt < 20; attempt++) patience.failed('evt_6_0', 0);
    expect([patience.room(0, 59_999), patience.room(0, 60_000)]).toEqual([0, 1]);
    expect(patience.succeeded()).toBe(true);
    expect(patience.room(0, 0)).toBe(DELIVERIES_AT_A_TIME);
  });

  it('leaves a receiver alone for as long as it asks, within an hour', () => {
    const patience = new ReceiverPatience(() => 0.5);
    patience.failed('evt_1_0', 0, 30);
    expect([patience.room(0, 29_999), patience.room(0, 30_000)]).toEqual([0, DELIVERIES_AT_A_TIME]);
    patience.failed('evt_1_0', 30_000, 999_999);
    expect(patience.room(0, 30_000 + 3_600_000)).toBe(DELIVERIES_AT_A_TIME);
  });
});
