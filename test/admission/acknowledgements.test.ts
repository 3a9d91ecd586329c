import { expect, it } from 'vitest';
import { type Acknowledgement, Acknowledgements, type Sighting } from '../../src/admission/acknowledgements.ts';

/** Acknowledgements with a clock and a database that a test moves. */
function open() {
  const place = { nowMs: 1_000_000, isAway: false, errors: 0 };
  const acknowledged: Acknowledgement[] = [];
  const seen: Sighting[] = [];
  const acknowledgements = new Acknowledgements({
    save: async (read) => {
      if (place.isAway) throw new Error('the database is away');
      // Waiting for a connection makes nobody younger.
      place.nowMs += 30;
      const batch = read();
      acknowledged.push(...batch.acknowledged);
      seen.push(...batch.seen);
    },
    onError: () => place.errors++,
    monotonicMs: () => place.nowMs,
  });
  return { place, acknowledgements, acknowledged, seen };
}

it('notes the first call by each seq, with its age when it is saved', async () => {
  const { place, acknowledgements, acknowledged, seen } = open();
  for (const seq of [7, 7, 6, 9]) {
    acknowledgements.note('gateway', seq, 'call');
    place.nowMs += 10;
  }
  acknowledgements.note('follower', 9, 'stream');
  await acknowledgements.flush();
  expect(acknowledged).toEqual([
    { enforcementPointId: 'gateway', seq: 7, via: 'call', ageMs: 70 },
    { enforcementPointId: 'gateway', seq: 9, via: 'call', ageMs: 40 },
    { enforcementPointId: 'follower', seq: 9, via: 'stream', ageMs: 30 },
  ]);
  expect(seen.map(({ enforcementPointId, seq }) => [enforcementPointId, seq])).toEqual([
    ['gateway', 9],
    ['follower', 9],
  ]);
});

it('loses none while the database is away, and falsifies none by the delay', async () => {
  const { place, acknowledgements, acknowledged } = open();
  place.isAway = true;
  acknowledgements.note('gateway', 7, 'call');
  await acknowledgements.flush();
  place.nowMs += 60_000;
  acknowledgements.note('gateway', 8, 'call');
  await acknowledgements.flush();
  place.isAway = false;
  await acknowledgements.flush();
  expect(place.errors).toBe(1);
  expect(acknowledged.map(({ seq, ageMs }) => [seq, ageMs])).toEqual([
    [7, 60_030],
    [8, 30],
  ]);
});

it('says when a point was last seen at most every five seconds', async () => {
  const { place, acknowledgements, seen } = open();
  for (let second = 0; second < 12; second++) {
    acknowledgements.note('gateway', 7, 'call');
    await acknowledgements.flush();
    place.nowMs += 1_000;
  }
  expect(seen.length).toBe(3);
});
