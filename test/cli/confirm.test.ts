import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { confirm } from '../../src/cli/confirm.ts';

/** Somebody at a terminal who types this. */
function terminal(typed: string, isTTY = true) {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  stdin.end(typed);
  return { env: {}, stdin, stdout: new PassThrough(), stderr };
}

describe('a question at a terminal', () => {
  it.each(['y\n', 'Y\n', 'yes\n', ' yes \n'])('is answered with yes by %j', async (typed) => {
    const surroundings = terminal(typed);
    await confirm('approve it?', surroundings);
    surroundings.stderr.end();
    expect(await text(surroundings.stderr)).toContain('approve it? [y/N]');
  });

  it.each(['n\n', '\n', 'maybe\n', ''])('is answered with no by %j, and nothing is changed', async (typed) => {
    await expect(confirm('approve it?', terminal(typed))).rejects.toMatchObject({ exitCode: 1, code: 'not_confirmed' });
  });

  it.each([true, false])('is not asked after --yes, with a terminal: %s', async (isTTY) => {
    const surroundings = terminal('', isTTY);
    await confirm('approve it?', surroundings, { yes: true });
    surroundings.stderr.end();
    expect(await text(surroundings.stderr)).toBe('');
  });

  it.each([
    [{}, 'nobody to ask: this is no terminal; repeat with --yes'],
    [{ lookAt: 'holdfast x' }, 'nobody to ask: this is no terminal; look at `holdfast x`, then repeat with --yes'],
  ])('is an error where nobody can answer', async (options, message) => {
    const refused = confirm('approve it?', terminal('y\n', false), options);
    await expect(refused).rejects.toMatchObject({ exitCode: 2, code: 'not_confirmed', message });
  });
});
