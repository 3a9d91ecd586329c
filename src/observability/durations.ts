/** How long things took, in buckets: plain integers, so that to count on a hot path costs a few additions. */

/** Upper ends of the buckets in seconds; what took longer counts in the total alone. */
export const BUCKET_SECONDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const BUCKET_MS: readonly number[] = BUCKET_SECONDS.map((seconds) => seconds * 1000);

export class Durations {
  /** How many ended in each bucket, those before it not included; the last is for what took longer. */
  readonly buckets: number[] = new Array<number>(BUCKET_MS.length + 1).fill(0);
  count = 0;
  sumMs = 0;

  note(ms: number): void {
    let index = 0;
    while (index < BUCKET_MS.length && ms > (BUCKET_MS[index] ?? 0)) index++;
    this.buckets[index] = (this.buckets[index] ?? 0) + 1;
    this.count++;
    this.sumMs += ms;
  }
}
