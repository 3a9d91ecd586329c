import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TYP } from '../../../../src/federation/media-types.ts';
import { parseSignedJwt, verifySignature } from '../../../../src/federation/signature.ts';
import type { Authority } from '../../../../src/registry/authorities/authority.ts';
import type { Organisation } from '../../../../src/registry/organisations/organisation.ts';
import { type ApiService, startApi } from '../../../support/api-service.ts';
import { flowWith, type SubmittedEnrolment, stepOf, submitted } from '../../../support/enrolment-flow.ts';
import { httpResponse, type RawAnswer, type RawServer, serveRaw } from '../../../support/raw-server.ts';

let api: ApiService;
let hook: RawServer;
let url: string;
let answer: RawAnswer;

beforeAll(async () => {
  api = await startApi({ hookAllow: '127.0.0.1' });
  hook = await serveRaw((socket, request) => answer(socket, request));
  url = `http://127.0.0.1:${hook.port}/decide`;
});
afterAll(async () => {
  await hook[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});
beforeEach(() => {
  answer = deciding({ decision: 'people' });
});

const JSON_TYPE = { 'content-type': 'application/json' };

function deciding(body: object, headers: Record<string, string> = JSON_TYPE): RawAnswer {
  return (socket) => socket.write(httpResponse(200, headers, JSON.stringify(body)));
}

async function asked(
  approvals: object = {},
  members: object = {},
): Promise<SubmittedEnrolment & { authority: Authority; organisation: Organisation }> {
  const step = { step: 'hook' as const, url, timeoutSeconds: 1 };
  const authority = await api.service.authority({ enrolmentFlow: flowWith([step], approvals) });
  const organisation = await api.service.organisation(authority);
  const enrolment = await submitted(api.registrar, authority, organisation, members);
  return Object.assign(enrolment, { authority, organisation });
}

const runHook = ({ path }: { path: string }) => api.registrar.post(`${path}/steps/hook/run`);
const fetchStatus = async (authority: Authority, sub: string) =>
  (await api.service.ask(authority, 'fetch', { sub })).status;

describe('F04 the hook', () => {
  it('F04 is asked by a request that the authority signed, once all else has passed', async () => {
    const questions: string[] = [];
    answer = (socket, request) => {
      questions.push(request);
      socket.write(httpResponse(200, JSON_TYPE, '{"decision":"people","reason":"first time"}'));
    };
    await using enrolment = await asked({}, { name: 'Portal' });
    const { authority, organisation, entityIdentifier } = enrolment;
    const [question = ''] = questions;
    expect(question.split('\r\n')[0]).toBe('POST /decide HTTP/1.1');
    expect(question.toLowerCase()).toContain('content-type: application/enrolment-hook+jwt');
    const jwt = parseSignedJwt(question.split('\r\n\r\n')[1], TYP.enrolmentHook);
    await verifySignature(jwt, await api.service.jwks(authority));
    const now = api.service.clock.now();
    expect(jwt.claims).toEqual({
      ...{ iss: authority.entityIdentifier, aud: url, iat: now, exp: now + 60, jti: expect.any(String) },
      enrolment: expect.objectContaining({
        ...{ entityIdentifier, name: 'Portal', submittedVia: 'token' },
        organisation: { id: organisation.id, legalName: organisation.legalName },
        steps: expect.arrayContaining([expect.objectContaining({ step: 'keys', outcome: 'passed' })]),
      }),
    });
    expect(enrolment.answer.body.state).toBe('pending_approval');
    expect(stepOf(enrolment.answer.body, 'hook')).toMatchObject({
      ...{ outcome: 'passed', evidence: { url, decision: 'people' } },
      detail: `${new URL(url).host} leaves it to people: first time`,
    });
  });

  it('F04 counts as one of the approvals when it approves', async () => {
    answer = deciding({ decision: 'approve' });
    await using alone = await asked();
    expect(alone.answer.body).toMatchObject({
      state: 'approved',
      approvals: [{ actorName: `hook at ${new URL(url).host}` }],
    });
    expect(await fetchStatus(alone.authority, alone.entityIdentifier)).toBe(200);
    await using two = await asked({ count: 2 });
    expect(two.answer.body).toMatchObject({ state: 'pending_approval', approvals: [{ actorId: expect.any(String) }] });
    expect(await fetchStatus(two.authority, two.entityIdentifier)).toBe(404);
    const headers = { 'if-match': two.answer.etag };
    const { body } = await api.approver.post(`${two.path}/approve`, { reason: 'as well' }, headers);
    expect(body.state).toBe('approved');
  });

  it('F04 that declines keeps the enrolment from going on, until it is asked again', async () => {
    answer = deciding({ decision: 'decline', reason: 'on a list' });
    await using enrolment = await asked();
    expect(enrolment.answer.body).toMatchObject({ state: 'checks_failed', entityId: null });
    expect(stepOf(enrolment.answer.body, 'hook')).toMatchObject({
      reason: 'hook_declined',
      detail: expect.stringContaining('on a list'),
    });
    answer = deciding({ decision: 'people' });
    expect((await runHook(enrolment)).body.state).toBe('pending_approval');
  });

  it('F04 that times out says so, and can be asked again', async () => {
    answer = () => {};
    await using enrolment = await asked();
    expect(stepOf(enrolment.answer.body, 'hook')).toMatchObject({
      ...{ outcome: 'failed', reason: 'hook_timeout', attempts: 1 },
      detail: expect.stringContaining('run the step again'),
    });
    expect(enrolment.answer.body.state).toBe('checks_failed');
    answer = deciding({ decision: 'people' });
    const { body } = await runHook(enrolment);
    expect([body.state, stepOf(body, 'hook').attempts, stepOf(body, 'identity').attempts]).toEqual([
      'pending_approval',
      2,
      1,
    ]);
  });

  it.each<[string, RawAnswer]>([
    ['a failure', (socket) => socket.write(httpResponse(500, JSON_TYPE, '{"decision":"approve"}'))],
    ['another type', deciding({ decision: 'approve' }, { 'content-type': 'text/html' })],
    ['no JSON', (socket) => socket.write(httpResponse(200, JSON_TYPE, 'yes'))],
    [
      'a decision twice',
      (socket) => socket.write(httpResponse(200, JSON_TYPE, '{"decision":"x","decision":"approve"}')),
    ],
    ['an unknown decision', deciding({ decision: 'APPROVE' })],
    ['no decision', deciding(['approve'])],
    ['a reason with control characters', deciding({ decision: 'approve', reason: 'x\u001b[2Jy' })],
    ['a reason that turns text around', deciding({ decision: 'approve', reason: 'x\u202ey' })],
    ['a reason without end', deciding({ decision: 'approve', reason: 'x'.repeat(2001) })],
    ['too much', deciding({ decision: 'approve', padding: 'x'.repeat(20_000) })],
    ['a redirect', (socket) => socket.write(httpResponse(302, { location: 'https://x.example' }))],
    ['a broken connection', (socket) => socket.destroy()],
  ])('F04 is not taken at its word when it answers with %s', async (_what, wrong) => {
    answer = wrong;
    await using enrolment = await asked();
    expect(stepOf(enrolment.answer.body, 'hook')).toMatchObject({ outcome: 'failed', reason: 'hook_unavailable' });
    expect(enrolment.answer.body.state).toBe('checks_failed');
  });

  it('F04 is asked again when the evidence changed, and not only because somebody approves', async () => {
    let questions = 0;
    answer = (socket) => {
      questions++;
      socket.write(httpResponse(200, JSON_TYPE, '{"decision":"people"}'));
    };
    await using enrolment = await asked({ count: 2 });
    const { path, partner } = enrolment;
    const approve = (etag: string) => api.approver.post(`${path}/approve`, { reason: 'x' }, { 'if-match': etag });
    await approve(enrolment.answer.etag);
    expect(questions).toBe(1);
    partner.federation.entity('rp').metadata['openid_provider'] = { issuer: partner.federation.id('rp') };
    expect((await approve(enrolment.answer.etag)).body.code).toBe('evidence_changed');
    expect(questions).toBe(2);
  });

  it('F04 is reached by a list of its own, not by that for what participants name', async () => {
    await using strict = await startApi({ outboundAllow: '127.0.0.1' });
    const step = { step: 'hook' as const, url };
    const authority = await strict.service.authority({ enrolmentFlow: flowWith([step]) });
    const organisation = await strict.service.organisation(authority);
    await using enrolment = await submitted(strict.registrar, authority, organisation);
    expect(stepOf(enrolment.answer.body, 'hook')).toMatchObject({
      reason: 'hook_unavailable',
      detail: expect.stringContaining('HOLDFAST_HOOK_ALLOW'),
    });
  });

  it.each(['http://hook.example/', 'https://me:secret@hook.example/', 'ftp://hook.example/'])(
    'F04 is at an HTTPS address, not %s',
    async (wrong) => {
      const authority = await api.service.authority();
      const body = { enrolmentFlow: flowWith([{ step: 'hook', url: wrong }]) };
      const { status } = await api.admin.patch(`/api/v1/authorities/${authority.id}`, body, { 'if-match': '"1"' });
      expect(status).toBe(400);
    },
  );
});
