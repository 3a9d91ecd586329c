import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REASONS } from '../../src/federation/errors.ts';
import type { OutboundClient } from '../../src/outbound/outbound-client.ts';
import type { ExplainedEntity, ExplainedSuperior } from '../../src/resolver/explained-graph.ts';
import { describeExplanation, type ResolutionExplanation } from '../../src/resolver/explanation.ts';
import { createResolver } from '../../src/resolver/resolver.ts';
import { MENDERS } from '../../src/resolver/who-can-mend.ts';
import { type EntitySettings, ManualClock, NOW } from '../support/federation.ts';
import { type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testClient } from '../support/outbound.ts';

let outbound: OutboundClient;
beforeAll(() => {
  outbound = testClient();
});
afterAll(() => outbound[Symbol.asyncDispose]());

async function explained(
  settings: Record<string, EntitySettings>,
  prepare: (server: FederationServer) => Promise<void> | void = () => {},
): Promise<ResolutionExplanation> {
  await using server = await serveFederation(settings);
  await prepare(server);
  const resolver = createResolver({ outbound, clock: new ManualClock() });
  const { federation } = server;
  const request = { subject: federation.id('rp'), trustAnchors: federation.trustAnchors('anchor') };
  const explanation = describeExplanation(request, await resolver.explain(request));
  return JSON.parse(JSON.stringify(explanation).replaceAll(`${server.origin}/`, ''));
}

function superiorsOf({ superiors }: ExplainedEntity): ExplainedSuperior[] {
  return superiors;
}

const TYP = 'entity-statement+jwt';
const METHOD = 'token_endpoint_auth_method';
const policy = (operators: object) => ({ metadata_policy: { openid_relying_party: { [METHOD]: operators } } });
const rp = (superiors: EntitySettings['superiors']): EntitySettings => ({
  superiors: superiors ?? [],
  metadata: { openid_relying_party: { [METHOD]: 'client_secret_basic' } },
});

describe('the table of who can mend', () => {
  it('has a rule for every reason, and for nothing else', () => {
    expect(Object.keys(MENDERS).sort()).toEqual(Object.keys(REASONS).sort());
  });
});

describe('an explanation', () => {
  it('names what older drafts called otherwise in what is refused, a configuration and a statement', async () => {
    const settings = { anchor: {}, upper: { superiors: ['anchor'] }, rp: rp(['upper', 'anchor']) };
    const { graph } = await explained(settings, async (server) => {
      const { federation } = server;
      const mark = { id: 'https://marks.example/member', trust_mark: 'a.b.c' };
      const configuration = { ...federation.configurationClaims('upper'), trust_marks: [mark] };
      server.override(server.configurationUrl('upper'), { body: await federation.sign('upper', TYP, configuration) });
      const older = { constraints: { allowed_leaf_entity_types: [] }, crit: ['not-understood'] };
      const statement = { ...federation.subordinateStatementClaims('anchor', 'rp'), ...older };
      server.override(server.fetchUrl('anchor', 'rp'), { body: await federation.sign('anchor', TYP, statement) });
    });
    const [upper, anchor] = superiorsOf(graph);
    expect(upper?.superior).toMatchObject({
      configuration: { verdict: 'refused', olderNames: [{ at: '/trust_marks/0/id', now: 'trust_mark_type' }] },
    });
    expect(anchor?.statement).toMatchObject({
      verdict: 'refused',
      olderNames: [{ at: '/constraints/allowed_leaf_entity_types', now: 'allowed_entity_types' }],
    });
    expect(graph.configuration.olderNames).toBeUndefined();
  });

  it('shows which superior refused which value', async () => {
    const { verdict, chains, graph } = await explained({
      anchor: {},
      intermediate: { superiors: { anchor: policy({ one_of: ['private_key_jwt', 'client_secret_basic'] }) } },
      rp: rp({ intermediate: policy({ one_of: ['private_key_jwt'] }) }),
    });
    expect(verdict).toBe('refused');
    expect(chains).toHaveLength(1);
    expect(chains[0]).toMatchObject({
      entities: ['rp', 'intermediate', 'anchor'],
      verdict: 'refused',
      refusal: { reason: 'policy_value_not_allowed', whoCanMend: { role: 'subject', entity: 'rp' } },
    });
    const above = { by: 'anchor', value: ['private_key_jwt', 'client_secret_basic'] };
    const refusal = { reason: 'policy_value_not_allowed', message: expect.any(String) };
    expect(chains[0]?.metadata.parameters).toEqual([
      {
        entityType: 'openid_relying_party',
        parameter: METHOD,
        published: 'client_secret_basic',
        steps: [
          { kind: 'policy', ...above, operator: 'one_of', above: [], merged: above.value },
          {
            ...{ kind: 'policy', by: 'intermediate', operator: 'one_of', value: ['private_key_jwt'] },
            ...{ above: ['anchor'], merged: ['private_key_jwt'] },
          },
          {
            ...{ kind: 'operator', operator: 'one_of', value: ['private_key_jwt'], before: 'client_secret_basic' },
            contributions: [above, { by: 'intermediate', value: ['private_key_jwt'], isRefusing: true }],
            refusal,
          },
        ],
      },
    ]);
    const [first] = superiorsOf(graph);
    expect(first?.statement).toMatchObject({ issuer: 'intermediate', subject: 'rp', verdict: 'refused' });
    expect(first?.statement.refusals).toMatchObject([
      { reason: 'policy_value_not_allowed', at: `/metadata/openid_relying_party/${METHOD}` },
    ]);
    expect(graph.configuration.verdict).toBe('accepted');
  });

  it('shows what policies and metadata of superiors did to what resolves', async () => {
    const { verdict, resolution, attempts, chains } = await explained({
      anchor: {},
      rp: {
        ...rp({
          anchor: {
            ...policy({ default: 'none', one_of: ['private_key_jwt'] }),
            metadata: { openid_relying_party: { [METHOD]: 'private_key_jwt' } },
            constraints: { allowed_entity_types: ['openid_relying_party'] },
          },
        }),
        metadata: { openid_relying_party: { [METHOD]: 'client_secret_basic' }, oauth_client: {} },
      },
    });
    expect([verdict, attempts, resolution?.trustAnchor]).toEqual(['resolved', undefined, 'anchor']);
    const [chain] = chains;
    expect(chain).toMatchObject({ entities: ['rp', 'anchor'], verdict: 'chosen', expiresAt: NOW + 3600 });
    expect(chain?.metadata.removedEntityTypes).toEqual([{ entityType: 'oauth_client', by: ['anchor'] }]);
    expect(chain?.metadata.parameters[0]).toMatchObject({
      published: 'client_secret_basic',
      resolved: 'private_key_jwt',
    });
    expect(chain?.metadata.parameters[0]?.steps.slice(2)).toMatchObject([
      { kind: 'superior_metadata', by: 'anchor', before: 'client_secret_basic', after: 'private_key_jwt' },
      { kind: 'operator', operator: 'default', before: 'private_key_jwt', after: 'private_key_jwt' },
      { kind: 'operator', operator: 'one_of', before: 'private_key_jwt', after: 'private_key_jwt' },
    ]);
  });

  it('names the superior whose policy does not go with those above it', async () => {
    const { chains, graph } = await explained({
      anchor: {},
      intermediate: { superiors: { anchor: policy({ value: 'private_key_jwt' }) } },
      rp: rp({ intermediate: policy({ value: 'none' }) }),
    });
    expect(chains[0]?.refusal).toMatchObject({
      reason: 'policy_conflict',
      section: '6.1.4.1',
      whoCanMend: { role: 'superior', entity: 'intermediate' },
    });
    expect(chains[0]?.metadata.parameters[0]?.steps.at(-1)).toMatchObject({
      ...{ kind: 'policy', by: 'intermediate', value: 'none', above: ['anchor'] },
      refusal: { reason: 'policy_conflict' },
    });
    expect(superiorsOf(graph)[0]?.statement).toMatchObject({ issuer: 'intermediate', verdict: 'refused' });
  });

  it('shows shared superiors and loops once', async () => {
    const { verdict, graph } = await explained({
      anchor: {},
      shared: { superiors: ['anchor', 'left'] },
      left: { superiors: ['shared'] },
      right: { superiors: ['shared', 'rp'] },
      rp: rp(['left', 'right']),
    });
    expect(verdict).toBe('resolved');
    const [left, right] = superiorsOf(graph).map(({ superior }) => superior);
    expect(left).toMatchObject({ entity: 'left', superiors: [{ superior: { entity: 'shared' } }] });
    expect(right).toMatchObject({
      entity: 'right',
      ends: [{ reason: 'trust_chain_loop', whoCanMend: { role: 'superior', entity: 'right' } }],
      superiors: [
        { superior: { reference: 'shared', isLoop: false } },
        { statement: { verdict: 'not_asked' }, superior: { reference: 'rp', isLoop: true } },
      ],
    });
  });

  it('says who can mend a branch that ends, and what was not asked for', async () => {
    const { attempts, graph } = await explained(
      {
        anchor: {},
        silent: { superiors: ['anchor'] },
        lost: {},
        rp: rp(['silent', 'lost', 'anchor']),
      },
      (server) => {
        server.override(server.configurationUrl('silent'), { status: 503 });
        server.override(server.fetchUrl('anchor', 'rp'), { status: 404, body: '{}' });
      },
    );
    expect(attempts?.map(({ reason, whoCanMend }) => [reason, whoCanMend.role, whoCanMend.entity])).toEqual([
      ['server_unavailable', 'network', 'silent'],
      ['trust_anchor_unknown', 'caller', undefined],
      ['subject_not_active', 'trust_anchor', 'anchor'],
    ]);
    const [silent, lost, anchor] = superiorsOf(graph);
    expect(silent).toMatchObject({
      statement: { verdict: 'not_asked' },
      superior: {
        configuration: { verdict: 'refused', refusals: [{ reason: 'server_unavailable', retryable: true }] },
      },
    });
    expect(lost).toMatchObject({ superior: { ends: [{ reason: 'trust_anchor_unknown' }] } });
    expect(anchor?.statement).toMatchObject({ verdict: 'refused', refusals: [{ reason: 'subject_not_active' }] });
  });

  it('says who can mend a Trust Mark that does not count', async () => {
    const type = 'https://marks.example/member';
    const { verdict, resolution } = await explained({ anchor: {}, rp: rp(['anchor']) }, async ({ federation }) => {
      const sign = (claims: object) => federation.sign('anchor', 'trust-mark+jwt', claims);
      const sub = federation.id('rp');
      const foreign = await sign({ iss: federation.id('anchor'), sub, iat: NOW, trust_mark_type: type });
      const expired = await sign({
        iss: federation.id('anchor'),
        sub,
        iat: NOW - 10,
        exp: NOW - 60,
        trust_mark_type: type,
      });
      const marks = [foreign, expired].map((trust_mark) => ({ trust_mark_type: type, trust_mark }));
      Object.assign(federation.entity('rp').claims, { trust_marks: marks });
    });
    expect(verdict).toBe('resolved');
    expect(resolution?.refusedTrustMarks.map(({ reason, whoCanMend }) => [reason, whoCanMend])).toEqual([
      ['trust_mark_type_unrecognised', expect.objectContaining({ role: 'trust_anchor', entity: 'anchor' })],
      [expect.any(String), expect.objectContaining({ entity: 'anchor' })],
    ]);
  });

  it('blames the issuer of the statement for which a whole chain was refused', async () => {
    const { chains, graph } = await explained({
      anchor: {},
      intermediate: { superiors: { anchor: { constraints: { max_path_length: 0 } } } },
      lower: { superiors: ['intermediate'] },
      rp: rp(['lower']),
    });
    expect(chains[0]?.refusal).toMatchObject({
      ...{ reason: 'max_path_length_exceeded', at: 'ES[3] /constraints/max_path_length' },
      whoCanMend: { role: 'trust_anchor', entity: 'anchor' },
    });
    const [lower] = superiorsOf(graph);
    const above = lower?.superior as ExplainedEntity;
    const top = superiorsOf(above)[0]?.superior as ExplainedEntity;
    expect(superiorsOf(top)[0]?.statement).toMatchObject({
      ...{ issuer: 'anchor', verdict: 'refused' },
      refusals: [{ at: '/constraints/max_path_length' }],
    });
  });
});
