import { describe, expect, it } from 'vitest';
import { validateTrustChain } from '../../../src/federation/trust-chain/validate-trust-chain.ts';
import { buildFederation, type Claims } from '../../support/federation.ts';
import { judged } from '../../support/sample-chain.ts';

describe('constraints and metadata', () => {
  it('[OIDFED-6.2-1] come from every Subordinate Statement, with its place', async () => {
    const deep = await buildFederation({
      anchor: {},
      upper: { superiors: { anchor: { constraints: { max_path_length: 0 } } } },
      lower: { superiors: { upper: { constraints: { naming_constraints: { excluded: ['rp.example'] } } } } },
      op: { superiors: ['lower'] },
      rp: { superiors: ['lower'] },
    });
    const options = deep.validation('anchor', 'upper');
    expect(await judged(await deep.chain('lower', 'upper', 'anchor'), options)).toBe(
      'max_path_length_exceeded at ES[2] /constraints/max_path_length',
    );
    expect(await judged(await deep.chain('upper', 'anchor'), options)).toBe('accepted');
    expect(await judged(await deep.chain('op', 'lower', 'upper'), options)).toBe('accepted');
    expect(await judged(await deep.chain('rp', 'lower', 'upper'), options)).toBe(
      'naming_constraint_violated at ES[2] /constraints/naming_constraints/excluded/0',
    );
  });

  it('[OIDFED-6.2.2-4] bind every entity below their issuer, not the subject of the chain alone', async () => {
    const excluded = (...names: string[]): Claims => ({ constraints: { naming_constraints: { excluded: names } } });
    const named = await buildFederation({
      anchor: {},
      upper: { superiors: { anchor: excluded('lower.example', 'anchor.example') } },
      lower: { superiors: ['upper'] },
      op: { superiors: ['lower', 'upper'] },
    });
    const options = named.validation('anchor');
    const place = '/constraints/naming_constraints/excluded/0';
    expect(await judged(await named.chain('op', 'upper', 'anchor'), options)).toBe('accepted');
    expect(await judged(await named.chain('op', 'lower', 'upper', 'anchor'), options)).toBe(
      `naming_constraint_violated at ES[3] ${place}`,
    );
    named.entity('upper').superiors.set('anchor', excluded('upper.example'));
    expect(await judged(await named.chain('op', 'upper', 'anchor'), options)).toBe(
      `naming_constraint_violated at ES[2] ${place}`,
    );
  });

  it('[OIDFED-6.1.4-2] [OIDFED-6.1.4-4] take the metadata of the Immediate Superior only', async () => {
    const overlaid = await buildFederation({
      anchor: {},
      intermediate: { superiors: { anchor: { metadata: { federation_entity: { organization_name: 'by anchor' } } } } },
      op: {
        superiors: { intermediate: { metadata: { federation_entity: { organization_name: 'by intermediate' } } } },
      },
    });
    const { metadata } = await validateTrustChain(
      await overlaid.chain('op', 'intermediate', 'anchor'),
      overlaid.validation('anchor'),
    );
    expect(metadata).toEqual({ federation_entity: { organization_name: 'by intermediate' } });
  });

  it('[OIDFED-6.1.4-5] merge the policies of all levels and refuse what does not comply', async () => {
    const policy = (values: string[]): Claims => ({
      metadata_policy: { openid_relying_party: { grant_types: { subset_of: values, essential: true } } },
    });
    const strict = await buildFederation({
      anchor: {},
      intermediate: { superiors: { anchor: policy(['a', 'b']) } },
      rp: {
        superiors: { intermediate: policy(['b', 'c']) },
        metadata: { openid_relying_party: { grant_types: ['a', 'b', 'c'] } },
      },
      bare: { superiors: ['intermediate'], metadata: { openid_relying_party: {} } },
    });
    const { metadata } = await validateTrustChain(
      await strict.chain('rp', 'intermediate', 'anchor'),
      strict.validation('anchor'),
    );
    expect(metadata['openid_relying_party']).toEqual({ grant_types: ['b'] });
    expect(await judged(await strict.chain('bare', 'intermediate', 'anchor'), strict.validation('anchor'))).toBe(
      'policy_essential_missing at /metadata/openid_relying_party/grant_types',
    );
  });

  it('[OIDFED-6.1.4-8] name the statement whose policy cannot be merged', async () => {
    const policy = (value: string): Claims => ({
      metadata_policy: { openid_relying_party: { contacts: { value: [value] } } },
    });
    const divided = await buildFederation({
      anchor: {},
      upper: { superiors: { anchor: policy('a') } },
      lower: { superiors: { upper: policy('a') } },
      rp: { superiors: { lower: policy('b') }, metadata: { openid_relying_party: {} } },
    });
    const options = divided.validation('anchor');
    expect(await judged(await divided.chain('lower', 'upper', 'anchor'), options)).toBe('accepted');
    expect(await judged(await divided.chain('rp', 'lower', 'upper', 'anchor'), options)).toBe(
      'policy_conflict at ES[1] /metadata_policy/openid_relying_party/contacts/value',
    );
  });

  it('[OIDFED-6.1.4-10] refuse resolved metadata that is illegal', async () => {
    const wrong = await buildFederation({
      anchor: {},
      op: {
        superiors: { anchor: { metadata_policy: { openid_provider: { issuer: { value: 'https://evil.example' } } } } },
        metadata: (issuer) => ({ openid_provider: { issuer } }),
      },
    });
    expect(await judged(await wrong.chain('op', 'anchor'), wrong.validation('anchor'))).toBe(
      'metadata_invalid at /metadata/openid_provider/issuer',
    );
  });
});
