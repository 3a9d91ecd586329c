/**
 * A program that publishes a federation of its own on 127.0.0.1 until its standard input ends. It writes one line of
 * JSON: identifiers by name, and the keys of the Trust Anchor.
 */
import { serveFederation } from './federation-server.ts';

const server = await serveFederation(
  {
    anchor: {},
    intermediate: {
      superiors: {
        anchor: { metadata_policy: { openid_provider: { scopes_supported: { subset_of: ['openid', 'email'] } } } },
      },
    },
    provider: {
      superiors: ['intermediate'],
      metadata: (issuer) => ({
        openid_provider: {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          scopes_supported: ['openid', 'email', 'phone'],
        },
      }),
    },
    stranger: {},
  },
  { clock: { now: () => Math.floor(Date.now() / 1000) } },
);
const { federation } = server;
const identifiers = Object.fromEntries(federation.entities.map(({ name, identifier }) => [name, identifier]));
process.stdout.write(`${JSON.stringify({ identifiers, anchorJwks: federation.jwks('anchor') })}\n`);
process.stdin.resume().once('end', () => server[Symbol.asyncDispose]());
