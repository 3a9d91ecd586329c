import { describe, expect, it } from 'vitest';
import { checkConfiguration } from '../../support/statement-checks.ts';

describe.each(['authority_hints', 'trust_anchor_hints'])('%s', (claim) => {
  it('[OIDFED-3.1.2-2] accepts Entity Identifiers', () => {
    expect(checkConfiguration({ [claim]: ['https://anchor.example'] })).toBe('accepted');
    expect(checkConfiguration({ [claim]: ['https://b.example/', 'https://a.example:8443/x'] })).toBe('accepted');
  });

  it('may be absent, as in the configuration of a Trust Anchor without superiors', () => {
    expect(checkConfiguration({ [claim]: undefined })).toBe('accepted');
  });

  it('accepts a hint twice, which says nothing wrong', () => {
    expect(checkConfiguration({ [claim]: ['https://anchor.example', 'https://anchor.example'] })).toBe('accepted');
  });

  it.each([
    ['an empty array', []],
    ['null', null],
    ['a string', 'https://anchor.example'],
    ['an object', { 0: 'https://anchor.example' }],
    ['an array with a number', ['https://anchor.example', 7]],
    ['an array with null', [null]],
    ['an array in an array', [['https://anchor.example']]],
    ['an empty string', ['']],
  ])('[OIDFED-3.1.2-2] refuses %s', (_what, value) => {
    expect(checkConfiguration({ [claim]: value })).toBe(`authority_hints_invalid at /${claim}`);
  });

  it.each([
    'anchor',
    'http://anchor.example',
    'https://anchor.example?a',
    'https://anchor.example ',
    'https://a@b.example',
  ])('[OIDFED-3.1.2-2] refuses %j, which is no Entity Identifier', (hint) => {
    expect(checkConfiguration({ [claim]: ['https://anchor.example', hint] })).toBe(
      `entity_identifier_invalid at /${claim}/1`,
    );
  });
});
