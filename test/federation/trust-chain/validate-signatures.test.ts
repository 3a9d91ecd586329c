import { describe, expect, it } from 'vitest';
import { parseEntityIdentifier } from '../../../src/federation/identifiers.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { testKey } from '../../support/keys.ts';
import { federation, judged, OPTIONS, wholeChain, withStatement } from '../../support/sample-chain.ts';

const stranger = await testKey('ES256', 99);

describe('signatures', () => {
  it('[OIDFED-10.2-2] ES[0] verifies with a key of its own', async () => {
    const { kid } = federation.entity('op').keys[0]!;
    const foreign = await withStatement(0, federation.configuration('op', { key: stranger }));
    expect(await judged(foreign)).toBe('key_not_found at ES[0] header/kid');
    const forged = await withStatement(0, federation.configuration('op', { key: stranger, header: { kid } }));
    expect(await judged(forged)).toBe('signature_invalid at ES[0] header/kid');
  });

  it('[OIDFED-10.2-2] ES[0] needs its own key even where the superior vouches for the one that signed', async () => {
    const newKey = await testKey('ES256', 90);
    const claims = { jwks: { keys: [...federation.jwks('op').keys, newKey.jwk] } };
    const chain = await wholeChain();
    chain[0] = await federation.configuration('op', { key: newKey });
    chain[1] = await federation.subordinateStatement('intermediate', 'op', { claims });
    expect(await judged(chain)).toBe('key_not_found at ES[0] header/kid');
  });

  it('[OIDFED-10.2-3] ES[0] verified only by itself proves nothing: the superior has to state its key', async () => {
    const claims = { jwks: { keys: [stranger.jwk] } };
    const impostor = await withStatement(0, federation.configuration('op', { key: stranger, claims }));
    expect(await judged(impostor)).toBe('key_not_found at ES[0] header/kid');
    const { kid } = federation.entity('op').keys[0]!;
    const sameKid = { jwks: { keys: [{ ...stranger.jwk, kid }] } };
    const disguised = await withStatement(
      0,
      federation.configuration('op', { key: stranger, claims: sameKid, header: { kid } }),
    );
    expect(await judged(disguised)).toBe('signature_invalid at ES[0] header/kid');
  });

  it('[OIDFED-10.2-3] ES[0] verifies with each key that it and its superior share', async () => {
    const newKey = await testKey('ES256', 90);
    const claims = { jwks: { keys: [newKey.jwk, ...federation.jwks('op').keys] } };
    const chain = await wholeChain();
    chain[1] = await federation.subordinateStatement('intermediate', 'op', { claims });
    chain[0] = await federation.configuration('op', { claims });
    expect(await judged(chain)).toBe('accepted');
    chain[0] = await federation.configuration('op', { key: newKey, claims });
    expect(await judged(chain)).toBe('accepted');
  });

  it.each([1, 2])(
    '[OIDFED-10.2-3] ES[%d] verifies with a key that the next statement gives its issuer',
    async (index) => {
      const [superior, subject] = index === 1 ? ['intermediate', 'op'] : ['anchor', 'intermediate'];
      const { alg, kid } = federation.entity(superior!).keys[0]!;
      const twin = await testKey(alg, 91);
      const foreign = federation.subordinateStatement(superior!, subject!, { key: twin });
      expect(await judged(await withStatement(index, foreign))).toBe(`key_not_found at ES[${index}] header/kid`);
      const forged = federation.subordinateStatement(superior!, subject!, { key: twin, header: { kid } });
      expect(await judged(await withStatement(index, forged))).toBe(`signature_invalid at ES[${index}] header/kid`);
    },
  );

  it('[OIDFED-10.2-3] refuses a statement about itself that the subject signed in the name of its superior', async () => {
    const [key] = federation.entity('op').keys;
    const chain = await withStatement(1, federation.subordinateStatement('intermediate', 'op', { key }));
    expect(await judged(chain)).toBe('key_not_found at ES[1] header/kid');
  });

  it('[OIDFED-10.2-3] refuses a superior that the anchor knows under other keys', async () => {
    const claims = { jwks: { keys: [stranger.jwk] } };
    const chain = await withStatement(2, federation.subordinateStatement('anchor', 'intermediate', { claims }));
    expect(await judged(chain)).toBe('key_not_found at ES[1] header/kid');
  });

  it('[OIDFED-10.2-3] refuses statements spliced in from another chain', async () => {
    const [rivalsOwn, aboutRival] = await federation.chain('rival', 'anchor');
    expect(await judged(await withStatement(2, aboutRival!))).toBe('issuer_not_next_subject at ES[1] /iss');
    expect(await judged(await withStatement(0, rivalsOwn!))).toBe('issuer_not_next_subject at ES[0] /iss');
    const adopted = await withStatement(1, federation.subordinateStatement('rival', 'op'));
    expect(await judged(adopted)).toBe('issuer_not_next_subject at ES[1] /iss');
  });

  it('[OIDFED-3.2-4] refuses a superior that the subject does not name', async () => {
    const adopted = await federation.chain('op', 'rival', 'anchor');
    expect(await judged(adopted)).toBe('issuer_not_in_authority_hints at ES[1] /iss');
  });

  it.each([['https://intermediate.example/'], ['https://INTERMEDIATE.example'], ['https://anchor.example']])(
    '[OIDFED-3.2-4] [OIDFED-3.1.2-1] refuses a subject whose only hint is %s',
    async (hint) => {
      const chain = await withStatement(0, federation.configuration('op', { claims: { authority_hints: [hint] } }));
      expect(await judged(chain)).toBe('issuer_not_in_authority_hints at ES[1] /iss');
    },
  );

  it('[OIDFED-3.1.2-1] refuses a Leaf without hints', async () => {
    const chain = await withStatement(0, federation.configuration('op', { claims: { authority_hints: undefined } }));
    expect(await judged(chain)).toBe('issuer_not_in_authority_hints at ES[1] /iss');
  });

  it('names the first statement whose signature fails', async () => {
    const chain = await withStatement(2, federation.subordinateStatement('anchor', 'intermediate', { key: stranger }));
    chain[1] = await federation.subordinateStatement('intermediate', 'op', { key: stranger });
    expect(await judged(chain)).toBe('key_not_found at ES[1] header/kid');
  });
});

describe('the Trust Anchor', () => {
  it('[OIDFED-10.2-4] must be configured', async () => {
    const chain = await wholeChain();
    expect(await judged(chain, federation.validation('other'))).toBe('trust_anchor_unknown at ES[3] /iss');
    expect(await judged(chain, { ...OPTIONS, trustAnchors: new Map() })).toBe('trust_anchor_unknown at ES[3] /iss');
    expect(await judged(chain.slice(0, -1), federation.validation('other'))).toBe('trust_anchor_unknown at ES[2] /iss');
    expect(await judged(chain, federation.validation('summit'))).toBe('trust_anchor_unknown at ES[3] /iss');
    expect(await judged(chain, federation.validation('intermediate'))).toBe('trust_anchor_unknown at ES[3] /iss');
  });

  it('[OIDFED-10.2-4] is believed by its configured keys only, not by its own jwks', async () => {
    const coup = await buildFederation({ anchor: { keys: [stranger] }, op: { superiors: ['anchor'] } });
    const chain = await coup.chain('op', 'anchor');
    expect(await judged(chain, coup.validation('anchor'))).toBe('accepted');
    expect(await judged(chain)).toBe('trust_anchor_key_unknown at ES[2] header/kid');
    expect(await judged(chain.slice(0, -1))).toBe('trust_anchor_key_unknown at ES[1] header/kid');
  });

  it('[OIDFED-10.2-4] cannot pass off another key under the kid of a configured one', async () => {
    const { kid } = federation.entity('anchor').keys[0]!;
    const disguised = { ...stranger, kid, jwk: { ...stranger.jwk, kid } };
    const coup = await buildFederation({ anchor: { keys: [disguised] }, op: { superiors: ['anchor'] } });
    const chain = await coup.chain('op', 'anchor');
    expect(await judged(chain)).toBe('signature_invalid at ES[2] header/kid');
    expect(await judged(chain.slice(0, -1))).toBe('signature_invalid at ES[1] header/kid');
  });

  it('[OIDFED-10.2-4] verifies its configuration with its own jwks, too', async () => {
    const [first, second] = [federation.entity('anchor').keys[0]!, stranger];
    const divided = await buildFederation({ anchor: { keys: [first, second] }, op: { superiors: ['anchor'] } });
    const options = divided.validation('anchor');
    const claims = { jwks: { keys: [second.jwk] } };
    const chain = [
      await divided.configuration('op'),
      await divided.subordinateStatement('anchor', 'op', { key: second }),
      await divided.configuration('anchor', { key: first, claims }),
    ];
    expect(await judged(chain, options)).toBe('key_not_found at ES[2] header/kid');
    expect(await judged(chain.slice(0, -1), options)).toBe('accepted');
    const renewed = chain.with(2, await divided.configuration('anchor', { key: second, claims }));
    expect(await judged(renewed, options)).toBe('accepted');
  });

  it('[OIDFED-10.2-4] may sign the last statement with any of its configured keys', async () => {
    const [oldKey] = federation.entity('anchor').keys;
    const keys = [stranger, oldKey!];
    const rolled = await buildFederation({ anchor: { keys }, op: { superiors: ['anchor'] } });
    expect(await judged(await rolled.chain('op', 'anchor'), rolled.validation('anchor'))).toBe('accepted');
    const pinned = { now: NOW, trustAnchors: federation.trustAnchors('anchor') };
    expect(await judged(await rolled.chain('op', 'anchor'), pinned)).toBe(
      'trust_anchor_key_unknown at ES[2] header/kid',
    );
    rolled.entity('anchor').keys = keys.toReversed();
    expect(await judged(await rolled.chain('op', 'anchor'), pinned)).toBe('accepted');
  });

  it('[OIDFED-10.2-5] signs the topmost statement with a configured key where its configuration is missing', async () => {
    const chain = await withStatement(2, federation.subordinateStatement('anchor', 'intermediate', { key: stranger }));
    expect(await judged(chain.slice(0, -1))).toBe('trust_anchor_key_unknown at ES[2] header/kid');
  });

  it('[OIDFED-16-2] is found by its identifier as it stands', async () => {
    const jwks = federation.jwks('anchor');
    for (const identifier of ['https://anchor.example/', 'https://Anchor.example', 'https://anchor.example:443']) {
      const trustAnchors = new Map([[parseEntityIdentifier(identifier), jwks]]);
      expect(await judged(await wholeChain(), { now: NOW, trustAnchors })).toBe('trust_anchor_unknown at ES[3] /iss');
    }
  });
});
