import type { RequestListener } from 'node:http';
import { afterAll, describe, expect, it } from 'vitest';
import { type EntityIdentifier, entityConfigurationUrl } from '../../src/federation/identifiers.ts';
import { MAX_JWT_LENGTH } from '../../src/federation/signature.ts';
import type { EntityStatement } from '../../src/federation/statement/entity-statement.ts';
import type { StatementSource } from '../../src/federation/trust-chain/statement-source.ts';
import { createHttpStatementSource } from '../../src/resolver/http-statement-source.ts';
import { StatementCache } from '../../src/resolver/statement-cache.ts';
import { NOW } from '../support/federation.ts';
import { type CannedResponse, type FederationServer, serveFederation } from '../support/federation-server.ts';
import { testClient } from '../support/outbound.ts';

const outbound = testClient();
/** Keeps nothing from one question to the next. */
const newSource = (): StatementSource =>
  createHttpStatementSource({
    outbound,
    cache: new StatementCache({ clock: { now: () => NOW } }),
    validation: () => ({ now: NOW }),
  });
const { signal } = new AbortController();

afterAll(async () => {
  await outbound[Symbol.asyncDispose]();
});

function configuration(server: FederationServer, name: string): Promise<EntityStatement> {
  return newSource().entityConfiguration(server.federation.id(name), signal);
}

async function statement(server: FederationServer, superior: string, subject: string): Promise<EntityStatement> {
  return await newSource().subordinateStatement(
    await configuration(server, superior),
    server.federation.id(subject),
    signal,
  );
}

const STATEMENT_TYPE = { 'Content-Type': 'application/entity-statement+jwt' };

describe('Entity Configuration', () => {
  it('[OIDFED-9-1] [OIDFED-9-3] is obtained by GET at the identifier, port and path kept, plus the well-known path', async () => {
    await using server = await serveFederation({ op: {} });
    const { jwt, claims } = await configuration(server, 'op');
    expect(claims.sub).toBe(`${server.origin}/op`);
    expect(jwt.split('.')).toHaveLength(3);
    expect(server.requests).toMatchObject([
      {
        method: 'GET',
        url: `${server.origin}/op/.well-known/openid-federation`,
        headers: { accept: 'application/entity-statement+jwt' },
      },
    ]);
  });

  it('[OIDFED-9-2] is accepted for the one identifier that it is about, of the two that share its URL', async () => {
    await using server = await serveFederation({ op: {} });
    const withSlash = `${server.origin}/op/` as EntityIdentifier;
    await expect(newSource().entityConfiguration(withSlash, signal)).rejects.toMatchObject({
      reason: 'subject_mismatch',
      at: '/sub',
    });
    server.federation.entity('op').claims = { iss: withSlash, sub: withSlash };
    expect((await newSource().entityConfiguration(withSlash, signal)).claims.sub).toBe(withSlash);
    await expect(configuration(server, 'op')).rejects.toMatchObject({ reason: 'subject_mismatch', at: '/sub' });
    expect(new Set(server.requests.map(({ url }) => url)).size).toBe(1);
  });

  it.each<[string, CannedResponse, string]>([
    ['404', { status: 404 }, 'entity_not_found'],
    ['403', { status: 403 }, 'http_status_unexpected'],
    ['410', { status: 410 }, 'http_status_unexpected'],
    ['204', { status: 204 }, 'http_status_unexpected'],
    ['429', { status: 429 }, 'server_unavailable'],
    ['500', { status: 500 }, 'server_unavailable'],
    ['503', { status: 503 }, 'server_unavailable'],
    ['a JSON media type', { headers: { 'Content-Type': 'application/json' } }, 'content_type_unexpected'],
    ['a generic JWT media type', { headers: { 'Content-Type': 'application/jwt' } }, 'content_type_unexpected'],
    ['no media type', { headers: {} }, 'content_type_unexpected'],
    ['a page', { headers: STATEMENT_TYPE, body: '<html>' }, 'jwt_malformed'],
    ['an empty body', { headers: STATEMENT_TYPE, body: '' }, 'jwt_malformed'],
    ['too large a body', { headers: STATEMENT_TYPE, body: 'x'.repeat(MAX_JWT_LENGTH + 1) }, 'response_too_large'],
  ])('is refused when the answer is %s', async (_, response, reason) => {
    await using server = await serveFederation({ op: {} });
    server.override(server.configurationUrl('op'), response);
    await expect(configuration(server, 'op')).rejects.toMatchObject({ reason });
  });

  it('is accepted with parameters after the media type, in any case', async () => {
    await using server = await serveFederation({ op: {} });
    server.override(server.configurationUrl('op'), {
      headers: { 'Content-Type': 'Application/Entity-Statement+JWT; charset=utf-8' },
    });
    expect((await configuration(server, 'op')).claims.sub).toBe(server.federation.id('op'));
  });

  it.each([301, 302, 303, 307, 308])('[OIDFED-9-5] is not looked for behind a redirect with %i', async (status) => {
    await using server = await serveFederation({ op: {} });
    const elsewhere = `${server.origin}/elsewhere`;
    server.override(server.configurationUrl('op'), { status, headers: { Location: elsewhere } });
    server.override(elsewhere, {
      status: 200,
      headers: STATEMENT_TYPE,
      body: await server.federation.configuration('op'),
    });
    await expect(configuration(server, 'op')).rejects.toMatchObject({ reason: 'redirect_refused', section: '9' });
    expect(server.requestCount(elsewhere)).toBe(0);
  });

  it('[OIDFED-10.5-1] is asked for once more when the connection broke, and only once', async () => {
    await using server = await serveFederation({ op: {} });
    let refusals = 1;
    const breakOff: RequestListener = (request, response) => {
      if (refusals-- === 1) server.restore(entityConfigurationUrl(server.federation.id('op')));
      request.socket.destroy();
      response.destroy();
    };
    server.override(server.configurationUrl('op'), breakOff);
    expect((await configuration(server, 'op')).claims.sub).toBe(server.federation.id('op'));
    refusals = 0;
    server.override(server.configurationUrl('op'), breakOff);
    await expect(configuration(server, 'op')).rejects.toMatchObject({ reason: 'connection_failed' });
    expect(server.requestCount(server.configurationUrl('op'))).toBe(4);
  });

  it('ends with the signal', async () => {
    await using server = await serveFederation({ op: {} });
    server.override(server.configurationUrl('op'), { neverAnswers: true });
    const controller = new AbortController();
    const asking = newSource().entityConfiguration(server.federation.id('op'), controller.signal);
    await expect.poll(() => server.requests.length).toBe(1);
    controller.abort(new Error('time is up'));
    await expect(asking).rejects.toThrow('time is up');
  });
});

describe('Subordinate Statement', () => {
  it('[OIDFED-10.1-1] is obtained from the fetch endpoint of the superior with the subject in sub', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] } });
    const { claims } = await statement(server, 'anchor', 'op');
    expect([claims.iss, claims.sub]).toEqual([server.federation.id('anchor'), server.federation.id('op')]);
    const sub = encodeURIComponent(server.federation.id('op'));
    expect(server.requests.at(-1)?.url).toBe(`${server.origin}/anchor/fetch?sub=${sub}`);
  });

  it('[OIDFED-8.1-7] is asked for with & when the fetch endpoint has a query already', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] } });
    const endpoint = `${server.origin}/fetch?tenant=a`;
    server.federation.entity('anchor').metadata = { federation_entity: { federation_fetch_endpoint: endpoint } };
    server.override(`${endpoint}&sub=${encodeURIComponent(server.federation.id('op'))}`, {
      status: 200,
      headers: STATEMENT_TYPE,
      body: await server.federation.subordinateStatement('anchor', 'op'),
    });
    expect((await statement(server, 'anchor', 'op')).claims.sub).toBe(server.federation.id('op'));
  });

  it('is not looked for where the superior publishes no fetch endpoint', async () => {
    await using server = await serveFederation({ leaf: {}, op: {} });
    await expect(statement(server, 'leaf', 'op')).rejects.toMatchObject({
      reason: 'fetch_endpoint_missing',
      section: '8.1',
      at: '/metadata/federation_entity/federation_fetch_endpoint',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('is known to be missing when the superior answers 404', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] }, stranger: {} });
    await expect(statement(server, 'anchor', 'stranger')).rejects.toMatchObject({ reason: 'subject_not_active' });
  });

  it.each<[string, string, string, string]>([
    ['about another subject', 'anchor', 'rp', 'subject_mismatch'],
    ['by another issuer', 'other', 'op', 'issuer_mismatch'],
  ])('[OIDFED-3.2-2] is refused when it is %s', async (_, issuer, subject, reason) => {
    await using server = await serveFederation({
      anchor: {},
      other: {},
      op: { superiors: ['anchor', 'other'] },
      rp: { superiors: ['anchor'] },
    });
    const body = await server.federation.subordinateStatement(issuer, subject);
    server.override(server.fetchUrl('anchor', 'op'), { status: 200, headers: STATEMENT_TYPE, body });
    await expect(statement(server, 'anchor', 'op')).rejects.toMatchObject({ reason });
  });

  it('is refused when it is the configuration of the subject', async () => {
    await using server = await serveFederation({ anchor: {}, op: { superiors: ['anchor'] } });
    const body = await server.federation.configuration('op');
    server.override(server.fetchUrl('anchor', 'op'), { status: 200, headers: STATEMENT_TYPE, body });
    await expect(statement(server, 'anchor', 'op')).rejects.toMatchObject({ reason: 'not_subordinate_statement' });
  });
});
