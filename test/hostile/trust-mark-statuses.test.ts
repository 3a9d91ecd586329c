/** Status endpoints of Trust Mark issuers that refuse, lie, break off or keep silent, over real HTTP. @see OIDFED §8.4 */
import type { RequestListener } from 'node:http';
import { describe, it } from 'vitest';
import { MEDIA_TYPE } from '../../src/federation/media-types.ts';
import { NOW } from '../support/federation.ts';
import type { CannedResponse, FederationServer } from '../support/federation-server.ts';
import {
  ASKED,
  type BadMark,
  ENTITIES,
  expectLeftOut,
  stranger,
  TIMEOUT_MS,
  unsigned,
} from '../support/hostile-trust-marks.ts';
import type { Tampering } from '../support/keys.ts';
import { serveStatus, statusAnswer, statusMetadata, statusUrl, trustMark } from '../support/trust-marks.ts';

/** What a status endpoint does, and the reason for which its mark is left out then. */
const answers = (
  title: string,
  answer: (server: FederationServer, mark: string) => CannedResponse | Promise<CannedResponse>,
  refused: string,
): BadMark => ({
  title,
  entities: ASKED,
  tamper: (server) => void serveStatus(server, 'issuer', (mark) => answer(server, mark)),
  refused,
});

const signs = (title: string, status: string, tampering: Tampering, refused: string): BadMark =>
  answers(
    title,
    async ({ federation }, mark) => ({ body: await statusAnswer(federation, 'issuer', mark, status, tampering) }),
    refused,
  );

const silent = (title: string, answer: CannedResponse | RequestListener, refused: string): BadMark => ({
  title,
  entities: ASKED,
  limits: { timeoutMs: TIMEOUT_MS },
  tamper: (server) => server.override(statusUrl(server, 'issuer'), answer),
  refused,
});

const NOT_ACTIVE = 'trust_mark_status_not_active (§8.4) at /status';

const STATUSES: BadMark[] = [
  signs('[OIDFED-8.4-8] says revoked', 'revoked', {}, NOT_ACTIVE),
  signs('[OIDFED-8.4-8] says expired', 'expired', {}, NOT_ACTIVE),
  signs('[OIDFED-8.4-8] says invalid', 'invalid', {}, NOT_ACTIVE),
  signs('[OIDFED-8.4-8] says Active', 'Active', {}, NOT_ACTIVE),
  answers('does not know the mark', () => ({ status: 404 }), 'trust_mark_status_not_active (§8.4)'),
  answers('[OIDFED-8.4-8] fails', () => ({ status: 500 }), 'server_unavailable (§10.5)'),
  answers('has had enough', () => ({ status: 429 }), 'server_unavailable (§10.5)'),
  answers('forbids', () => ({ status: 403 }), 'http_status_unexpected (§9.2)'),
  answers(
    'redirects to the metadata service of a cloud',
    () => ({ status: 307, headers: { Location: 'http://169.254.169.254/latest' } }),
    'redirect_refused (§9)',
  ),
  answers(
    '[OIDFED-8.4-8] answers with JSON, as in older drafts',
    () => ({ headers: { 'Content-Type': 'application/json' }, body: '{"active":true}' }),
    'content_type_unexpected (§8.4)',
  ),
  answers('calls a page a status', () => ({ body: '<html>' }), 'jwt_malformed (§8.4)'),
  answers('sends the mark back', (_, mark) => ({ body: mark }), 'typ_invalid (§8.4) at header/typ'),
  answers(
    '[OIDFED-8.4-8] answers for another mark',
    async ({ federation }) => {
      const other = await trustMark(federation, 'issuer', 'good');
      return { body: await statusAnswer(federation, 'issuer', other) };
    },
    'trust_mark_status_mismatch (§8.4) at /trust_mark',
  ),
  answers(
    '[OIDFED-8.4-8] answers in the name of another issuer',
    async ({ federation }, mark) => ({ body: await statusAnswer(federation, 'good', mark) }),
    'issuer_mismatch (§8.4) at /iss',
  ),
  answers(
    '[OIDFED-8.4-8] gives an answer that another key signed',
    async ({ federation }, mark) => ({
      body: await statusAnswer(federation, 'issuer', mark, 'active', { key: await stranger() }),
    }),
    'key_not_found (§8.4) at header/kid',
  ),
  signs(
    '[OIDFED-8.4-8] gives an answer that nobody signed',
    'active',
    { header: { alg: 'none' }, ...unsigned },
    'alg_not_allowed (§8.4) at header/alg',
  ),
  signs(
    '[OIDFED-8.4-9] gives an answer of two minutes ago',
    'active',
    { claims: { iat: NOW - 120 } },
    'trust_mark_status_not_fresh (§8.4) at /iat',
  ),
  signs(
    '[OIDFED-8.4-9] gives an answer from the future',
    'active',
    { claims: { iat: NOW + 31 } },
    'trust_mark_status_not_fresh (§8.4) at /iat',
  ),
  silent('never answers', { neverAnswers: true }, 'timed_out (§10.5)'),
  silent(
    'sends its answer byte by byte',
    (_, response) => {
      response.writeHead(200, { 'Content-Type': MEDIA_TYPE.trustMarkStatusResponse });
      const timer = setInterval(() => response.write('e'), 20);
      response.once('close', () => clearInterval(timer));
    },
    'timed_out (§10.5)',
  ),
  silent('resets the connection', ({ socket }) => socket.resetAndDestroy(), 'connection_failed (§10.5)'),
  silent('sends a megabyte', { body: 'e'.repeat(1024 * 1024) }, 'response_too_large (§18.1)'),
  {
    title: 'stands where nobody may go',
    entities: {
      ...ENTITIES,
      issuer: { superiors: ['anchor'], metadata: () => statusMetadata('https://169.254.169.254') },
    },
    refused: 'address_forbidden (§18.1)',
  },
];

describe('a Trust Mark whose status endpoint', () => {
  it.each(STATUSES)('$title is left out', (bad) => expectLeftOut(bad));
});
