import { expect, it } from 'vitest';
import { signForPoints } from '../../../src/http/admission/signing-room.ts';

const A = { id: 'point a', authorityId: 'authority' };
const B = { ...A, id: 'point b' };

it('signs eight decisions of an enforcement point at a time, and refuses more with 429', async () => {
  const { promise: signed, resolve: answer } = Promise.withResolvers<string>();
  const sign = signForPoints(() => signed);
  const underWay = Array.from({ length: 8 }, () => sign(A, {}));
  await expect(sign(A, {})).rejects.toMatchObject({ code: 'too_many_requests', headers: { 'retry-after': '1' } });
  const another = sign(B, {});
  answer('a.b.c');
  expect(new Set(await Promise.all([...underWay, another]))).toEqual(new Set(['a.b.c']));
  expect(await Promise.all(Array.from({ length: 8 }, () => sign(A, {})))).toHaveLength(8);
});

it('has room again after failures', async () => {
  const sign = signForPoints(async () => {
    throw new Error('the token is unplugged');
  });
  for (let each = 0; each < 20; each++) await expect(sign(A, {})).rejects.toThrow('unplugged');
});
