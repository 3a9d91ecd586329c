import { describe, expect, it } from 'vitest';
import { checkRecognised, ownerOf } from '../../../src/federation/trust-mark/recognition.ts';
import { parseTrustMark } from '../../../src/federation/trust-mark/trust-mark.ts';
import { validateTrustMark } from '../../../src/federation/trust-mark/validate-trust-mark.ts';
import { buildFederation, NOW } from '../../support/federation.ts';
import { refusal } from '../../support/refusal.ts';
import { configurationOf, entry, MEMBER, recognise, trustMark, verdictOf } from '../../support/trust-marks.ts';

const federation = await buildFederation({
  anchor: {},
  lower: { superiors: ['anchor'] },
  issuer: { superiors: ['lower'] },
  op: { superiors: ['lower'] },
});

async function judged(issuers: Record<string, string[]> | undefined, type = MEMBER): Promise<string> {
  recognise(federation, { issuers });
  const anchor = await configurationOf(federation, 'anchor');
  const mark = parseTrustMark(await trustMark(federation, 'issuer', 'op', type));
  return refusal(() => checkRecognised(mark, anchor));
}

describe('recognition of a Trust Mark', () => {
  it('[OIDFED-17.5-1] needs the issuer in the array of its type', async () => {
    expect(await judged({ [MEMBER]: ['issuer'] })).toBe('accepted');
    expect(await judged({ [MEMBER]: ['op', 'issuer'] })).toBe('accepted');
    expect(await judged({ [MEMBER]: ['op', 'anchor'] })).toBe('trust_mark_issuer_not_trusted at /iss');
  });

  it('[OIDFED-17.5-1] is given to anybody where the array is empty', async () => {
    expect(await judged({ [MEMBER]: [] })).toBe('accepted');
  });

  it('[OIDFED-17.5-1] is not given to a type that is not listed, nor to one listed in other letters', async () => {
    const unrecognised = 'trust_mark_type_unrecognised at /trust_mark_type';
    expect(await judged(undefined)).toBe(unrecognised);
    expect(await judged({})).toBe(unrecognised);
    expect(await judged({ [`${MEMBER}/`]: [], [MEMBER.toUpperCase()]: [], other: ['issuer'] })).toBe(unrecognised);
  });

  it.each(['constructor', 'toString', 'hasOwnProperty'])(
    '[OIDFED-17.5-1] finds no type %s where none is listed',
    async (type) => {
      expect(await judged({}, type)).toBe('trust_mark_type_unrecognised at /trust_mark_type');
      expect(ownerOf(type, await configurationOf(federation, 'anchor'))).toBeUndefined();
    },
  );

  it('[OIDFED-3.1.2-6] follows the Trust Anchor alone, not what issuer, Intermediate or subject list', async () => {
    recognise(federation, {});
    for (const name of ['lower', 'issuer', 'op']) {
      recognise(federation, { issuers: { [MEMBER]: ['issuer'] }, owners: { [MEMBER]: 'op' } }, name);
    }
    const context = { bearer: federation.id('op'), now: NOW, issuerKeys: federation.jwks('issuer') };
    const mark = entry(await trustMark(federation, 'issuer', 'op'));
    const verdict = async () => {
      const trustAnchor = await configurationOf(federation, 'anchor');
      return await verdictOf(() => validateTrustMark(mark, { ...context, trustAnchor }));
    };
    expect(await verdict()).toBe('trust_mark_type_unrecognised at /trust_mark_type (17.5)');
    recognise(federation, { issuers: { [MEMBER]: ['issuer'] } });
    expect(await verdict(), 'without a delegation, for the owners of others do not count').toBe('accepted');
  });

  it("[OIDFED-3.1.2-6] does not read the Trust Anchor's metadata", async () => {
    recognise(federation, {});
    const listed = { trust_mark_issuers: { [MEMBER]: [] }, trust_mark_owners: {} };
    federation.entity('anchor').metadata = { federation_entity: listed };
    const anchor = await configurationOf(federation, 'anchor');
    expect(anchor.claims.metadata?.['federation_entity']).toMatchObject(listed);
    const mark = parseTrustMark(await trustMark(federation, 'issuer', 'op'));
    expect(refusal(() => checkRecognised(mark, anchor))).toBe('trust_mark_type_unrecognised at /trust_mark_type');
  });
});
