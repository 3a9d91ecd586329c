import { describe, expect, it } from 'vitest';
import { asTyped, nameToType } from '../../src/cli/invocation.ts';

describe('the name to type', () => {
  it.each([
    ['/src/holdfast/src/cli/invocation.ts', '/src/holdfast', undefined, 'npx holdfast'],
    ['/src/holdfast/src/cli/invocation.ts', '/src/holdfast/docs', 'start', 'npx holdfast'],
    ['/src/holdfast/src/cli/invocation.ts', '/src', 'exec', 'holdfast'],
    ['/src/holdfast/src/cli/invocation.ts', '/src/holdfast-2', undefined, 'holdfast'],
    ['/usr/lib/node_modules/holdfast/dist/cli/invocation.js', '/home/me', undefined, 'holdfast'],
    ['/home/me/node_modules/holdfast/dist/cli/invocation.js', '/home/me', 'exec', 'npx holdfast'],
  ])('of %s in %s, started by npm %s, is %s', (file, workingDirectory, npmCommand, name) => {
    expect(nameToType({ file, workingDirectory, npmCommand })).toBe(name);
  });

  it.each([
    ['run `holdfast token create`.', 'run `npx holdfast token create`.'],
    ['  $ holdfast serve', '  $ npx holdfast serve'],
    ['  $ HOLDFAST_BASE_URL=https://x holdfast serve', '  $ HOLDFAST_BASE_URL=https://x npx holdfast serve'],
    ['export X=$(holdfast token claim)', 'export X=$(npx holdfast token claim)'],
    ['this is a fault of holdfast: x', 'this is a fault of holdfast: x'],
    ['no holdfast service answers', 'no holdfast service answers'],
  ])('takes its place in %j', (text, expected) => {
    expect(asTyped(text, 'npx holdfast')).toBe(expected);
  });
});
