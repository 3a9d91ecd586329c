/** The words of `resolve --explain`, as README.md shows them. */
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { showExplanation } from '../../src/cli/explanation-report.ts';
import { Report } from '../../src/cli/report.ts';
import { wrappedLines } from '../../src/cli/wrapped-lines.ts';
import { describeExplanation } from '../../src/resolver/explanation.ts';
import { createResolver } from '../../src/resolver/resolver.ts';
import { buildFederation, type TestFederation } from '../support/federation.ts';
import { memoryClient, publishedStatements } from '../support/memory-client.ts';

const METHOD = 'token_endpoint_auth_method';

function policy(...methods: string[]) {
  return { metadata_policy: { openid_relying_party: { [METHOD]: { one_of: methods } } } };
}

async function shown(federation: TestFederation, subject: string, anchor: string): Promise<string> {
  const outbound = memoryClient(await publishedStatements(federation));
  const resolver = createResolver({ outbound, clock: federation.clock });
  const request = { subject: federation.id(subject), trustAnchors: federation.trustAnchors(anchor) };
  const report = new Report(new PassThrough());
  showExplanation(describeExplanation(request, await resolver.explain(request)), report);
  return report.toString();
}

/** Keys of tests are made anew each time. */
function withoutKeys(text: string): string {
  return text.replaceAll(/key [\w-]{8}…/g, 'key');
}

describe('the report', () => {
  it('is what README.md shows of a failing policy', async () => {
    const federation = await buildFederation({
      fed: { identifier: 'https://fed.example.org' },
      nren: {
        identifier: 'https://nren.example.net',
        superiors: { fed: policy('private_key_jwt', 'client_secret_basic') },
      },
      rp: {
        identifier: 'https://rp.example.edu',
        superiors: { nren: policy('private_key_jwt') },
        metadata: { openid_relying_party: { [METHOD]: 'client_secret_basic' } },
      },
    });
    const text = await shown(federation, 'rp', 'fed');
    expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const [, example = ''] = /--explain\n\n([^`]*)\n```/.exec(readme) ?? [];
    expect(withoutKeys(example)).toBe(withoutKeys(text.trimEnd()));
  });

  it('stays within 100 columns for deep graphs and long names', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
    const settings = Object.fromEntries(
      names.map((name, index) => [
        name,
        {
          identifier: `https://${name}.example/${'x'.repeat(index * 7)}`,
          superiors: names.slice(index + 1, index + 2),
        },
      ]),
    );
    const text = await shown(await buildFederation(settings), 'n0', 'n9');
    expect(text).toContain('resolved');
    expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });
});

describe('the report of names of older drafts', () => {
  it('says at the statement what took their place', async () => {
    const federation = await buildFederation({
      fed: {},
      rp: { superiors: ['fed'], metadata: { federation_entity: { homepage_uri: 'https://rp.example' } } },
    });
    const text = (await shown(federation, 'rp', 'fed')).replace(/\s+/g, ' ');
    expect(text).toContain(
      '! homepage_uri is a name of older drafts and ignored; since draft 43 it is organization_uri',
    );
    expect(text).toContain('resolved');
  });
});

describe('wrapped lines', () => {
  it('break at spaces, keep gaps, and break what is too long anywhere', () => {
    const words = Array.from({ length: 30 }, () => 'word').join(' ');
    const [first = '', second = ''] = wrappedLines(words, '- ', '    ');
    expect([first.startsWith('- word word'), second.startsWith('    word')]).toEqual([true, true]);
    expect(wrappedLines('a  b', '', '')).toEqual(['a  b']);
    expect(wrappedLines('x'.repeat(250), '', '').map((line) => line.length)).toEqual([100, 100, 50]);
    expect(wrappedLines('tab\there', '', '')).toEqual(['tab here']);
  });
});
