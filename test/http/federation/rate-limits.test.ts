import { describe, expect, it } from 'vitest';
import { RateLimits } from '../../../src/http/federation/rate-limits.ts';
import { TokenBucket } from '../../../src/http/federation/token-bucket.ts';
import { ManualClock } from '../../support/federation.ts';

const POLICY = { name: 'anonymous', units: 60, windowSeconds: 60 };

describe('a token bucket', () => {
  it('gives what it holds at once, and then what flows in', () => {
    const bucket = new TokenBucket({ capacity: 60, fillSeconds: 30 }, 0);
    expect([bucket.take(61, 0), bucket.take(60, 0), bucket.take(1, 0)]).toEqual([false, true, false]);
    expect([bucket.secondsUntil(5, 0), bucket.available(2), bucket.take(4, 2), bucket.take(1, 2)]).toEqual([
      3,
      4,
      true,
      false,
    ]);
    expect(bucket.available(1_000)).toBe(60);
  });

  it('neither overflows nor runs dry when time goes back', () => {
    const bucket = new TokenBucket({ capacity: 60, fillSeconds: 60 }, 100);
    bucket.take(50, 100);
    bucket.giveBack(20);
    expect([bucket.available(50), bucket.available(60)]).toEqual([30, 40]);
    bucket.giveBack(100);
    expect(bucket.available(60)).toBe(60);
  });
});

describe('rate limits', () => {
  it('tell each client how it stands', () => {
    const clock = new ManualClock();
    const limits = new RateLimits({ clock });
    const client = { name: '192.0.2.7', policy: POLICY };
    expect(limits.charge(client, 50)).toEqual({ isAllowed: true, retryAfterSeconds: 0 });
    expect(limits.headersFor(client)).toEqual({
      'ratelimit-policy': '"anonymous";q=60;w=60',
      ratelimit: '"anonymous";r=10;t=50',
    });
    expect(limits.charge(client, 15)).toEqual({ isAllowed: false, retryAfterSeconds: 5 });
    expect(limits.charge({ ...client, name: '192.0.2.8' }, 60).isAllowed).toBe(true);
    clock.advance(5);
    expect(limits.charge(client, 15).isAllowed).toBe(true);
  });

  it('remember a bounded number of clients, those that were heard of last', () => {
    const limits = new RateLimits({ clock: new ManualClock(), maxClients: 100 });
    const busy = { name: 'busy', policy: POLICY };
    limits.charge(busy, 60);
    for (let count = 0; count < 10_000; count++) {
      limits.charge({ name: `client ${count}`, policy: POLICY }, 1);
      if (count % 50 === 0) expect(limits.charge(busy, 1).isAllowed).toBe(false);
    }
    expect(limits.size).toBe(100);
  });
});
