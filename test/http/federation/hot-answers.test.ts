import { expect, it } from 'vitest';
import { MEDIA_TYPE } from '../../../src/federation/media-types.ts';
import { type HotAnswer, HotAnswers } from '../../../src/http/federation/hot-answers.ts';
import { ManualClock } from '../../support/federation.ts';

const ANSWER: HotAnswer = {
  endpoint: 'resolve',
  answer: { body: 'a.b.c', contentType: MEDIA_TYPE.resolveResponse, expiresAt: 1e12, refreshAt: 1e12 },
};

function hotAnswers() {
  const [clock, state] = [new ManualClock(), { seq: 7 }];
  return { clock, state, hot: new HotAnswers({ clock, state }) };
}

it('an answer is given again to the same question only', () => {
  const { hot } = hotAnswers();
  hot.keep('ta.example /resolve?sub=a', ANSWER);
  expect(hot.get('ta.example /resolve?sub=a')).toBe(ANSWER);
  expect(hot.get('ta.example /resolve?sub=b')).toBeUndefined();
});

it('nothing outlives its second, also when the clock is set back', () => {
  for (const seconds of [1, -1]) {
    const { hot, clock } = hotAnswers();
    hot.keep('question', ANSWER);
    clock.advance(seconds);
    expect(hot.get('question')).toBeUndefined();
    hot.keep('another', ANSWER);
    expect(hot.get('question')).toBeUndefined();
  }
});

it('nothing outlives a change of the registry', () => {
  const { hot, state } = hotAnswers();
  hot.keep('question', ANSWER);
  state.seq++;
  expect(hot.get('question')).toBeUndefined();
  hot.keep('another', ANSWER);
  expect([hot.get('question'), hot.get('another')]).toEqual([undefined, ANSWER]);
});

it('made-up questions take little memory: neither many nor long ones are kept', () => {
  const { hot } = hotAnswers();
  hot.keep('x'.repeat(1025), ANSWER);
  expect(hot.get('x'.repeat(1025))).toBeUndefined();
  for (let count = 0; count <= 4096; count++) hot.keep(`question ${count}`, ANSWER);
  expect([hot.get('question 4095'), hot.get('question 4096')]).toEqual([ANSWER, undefined]);
});
