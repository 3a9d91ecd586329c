import { describe, expect, it } from 'vitest';
import { AnswerPlace, AnswerPlaces } from '../../src/issuance/answer-places.ts';
import type { ReadyAnswer } from '../../src/issuance/ready-answers.ts';

const answerOf = (length: number): ReadyAnswer => ({
  body: 'x'.repeat(length),
  contentType: 'application/jose',
  expiresAt: 1,
  refreshAt: 1,
});

const newPlace = () => new AnswerPlace({});

describe('places of answers', () => {
  it('are bounded in bytes: what was put there first goes first', () => {
    const places = new AnswerPlaces(20_000);
    const all = Array.from({ length: 10 }, newPlace);
    for (const place of all) places.fill(place, answerOf(4_000));
    const filled = all.map(({ answer }) => answer !== undefined);
    expect(filled).toEqual([...Array(6).fill(false), ...Array(4).fill(true)]);
  });

  it('count an answer that takes the place of another once, and as the latest', () => {
    const places = new AnswerPlaces(20_000);
    const [first, second, third] = [newPlace(), newPlace(), newPlace()];
    places.fill(first, answerOf(8_000));
    places.fill(second, answerOf(8_000));
    for (let count = 0; count < 10; count++) places.fill(first, answerOf(8_000));
    expect([first, second].map(({ answer }) => answer?.body.length)).toEqual([8_000, 8_000]);
    places.fill(third, answerOf(8_000));
    expect([first, second, third].map(({ answer }) => answer !== undefined)).toEqual([true, false, true]);
  });

  it('have their memory back once they are empty', () => {
    const places = new AnswerPlaces(20_000);
    const [kept, dropped, next] = [newPlace(), newPlace(), newPlace()];
    for (const place of [kept, dropped]) places.fill(place, answerOf(8_000));
    places.empty(dropped);
    places.empty(dropped);
    places.fill(next, answerOf(8_000));
    expect([kept, dropped, next].map(({ answer }) => answer !== undefined)).toEqual([true, false, true]);
  });

  it('stay empty for what is larger than all memory, and drop nothing for it', () => {
    const places = new AnswerPlaces(20_000);
    const [small, large] = [newPlace(), newPlace()];
    places.fill(small, answerOf(100));
    places.fill(large, answerOf(20_000));
    expect([small, large].map(({ answer }) => answer !== undefined)).toEqual([true, false]);
  });

  it('are about one object, not about its like', () => {
    const about = { subject: 'https://rp.example' };
    const place = new AnswerPlace(about);
    expect([place.isAbout(about), place.isAbout({ ...about })]).toEqual([true, false]);
  });
});
