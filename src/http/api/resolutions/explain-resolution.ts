/** Explains what an entity resolves to for one of our authorities, or why it does not. */
import { createRoute, z } from '@hono/zod-openapi';
import { FederationError } from '../../../federation/errors.ts';
import { type EntityIdentifier, parseEntityIdentifier } from '../../../federation/identifiers.ts';
import type { TrustAnchors } from '../../../federation/trust-chain/trust-chain.ts';
import { type Actor, READERS, reaches, requireRole } from '../../../registry/actor.ts';
import type { AuthorityDirectory, ServedAuthority } from '../../../registry/authorities/authority-directory.ts';
import { invalidField, RegistryError } from '../../../registry/registry-error.ts';
import { describeExplanation } from '../../../resolver/explanation.ts';
import type { Explanation } from '../../../resolver/resolution.ts';
import { servedTrustAnchors } from '../../federation/served-trust-anchors.ts';
import { HttpProblem } from '../../problem.ts';
import { EntityIdentifierSchema } from '../claims-schema.ts';
import { BEARER, jsonReply, problems, whoMayAsk } from '../exchange.ts';
import { defineOperation } from '../operation.ts';
import { ExplanationSchema } from './explanation-schema.ts';

const RETRY_SECONDS = 2;
const MAX_TRUST_ANCHORS = 50;

export const explainResolutionOperation = defineOperation(
  createRoute({
    method: 'get',
    path: '/api/v1/resolutions/explain',
    operationId: 'explainResolution',
    tags: ['Resolutions'],
    summary: 'Explain a resolution',
    description: `Resolves an entity anew, as the authority's resolve endpoint would, and tells all that was seen: the graph of its superiors, each statement with its verdict, what each superior did to the metadata, and who can mend what was refused. Costs requests to others. ${whoMayAsk('explainResolution')}`,
    security: BEARER,
    request: {
      query: z.strictObject({
        authority: EntityIdentifierSchema.openapi({
          description: 'The authority by whose Trust Anchors it is judged.',
        }),
        sub: EntityIdentifierSchema.openapi({ description: 'The entity.' }),
        trust_anchor: z
          .preprocess(
            (given) => (given === undefined ? undefined : [given].flat()),
            z.array(EntityIdentifierSchema).min(1).max(MAX_TRUST_ANCHORS).optional(),
          )
          .openapi({
            description:
              'Trust Anchors of the authority, repeated as at its resolve endpoint: the first that a valid chain leads to is the one. All of them if it is left out.',
          }),
      }),
    },
    responses: { 200: jsonReply('The explanation.', ExplanationSchema), ...problems(400, 404) },
  }),
  ({ directory, resolutions, identifiers }) =>
    async (c) => {
      const { authority, sub, trust_anchor: wanted } = c.req.valid('query');
      const served = reachedAuthority(directory, c.get('actor'), authority);
      const subject = parseEntityIdentifier(sub, identifiers, '/query/sub');
      const trustAnchors = chosenAnchors(servedTrustAnchors(served, directory), wanted);
      const request = { subject, trustAnchors };
      const told = describeExplanation(
        request,
        await unlessBusy(resolutions.explain(request, `token ${c.get('actor').id}`)),
      );
      // Plain JSON already, of which the framework wants to see that it is.
      return c.json(ExplanationSchema.parse(JSON.parse(JSON.stringify(told))), 200);
    },
);

/** One out of reach looks as if it did not exist. */
function reachedAuthority(directory: AuthorityDirectory, actor: Actor, identifier: string): ServedAuthority {
  const served = directory.find(identifier);
  if (served === undefined || !reaches(actor, served.authority.id)) {
    throw new RegistryError('not_found', 'there is no such authority');
  }
  requireRole(actor, READERS);
  return served;
}

function chosenAnchors(known: TrustAnchors, wanted: readonly string[] | undefined): TrustAnchors {
  if (wanted === undefined) return known;
  return new Map(
    wanted.map((anchor) => {
      const jwks = known.get(anchor as EntityIdentifier);
      if (jwks === undefined) throw invalidField('/query/trust_anchor', 'is no Trust Anchor of this authority');
      return [anchor as EntityIdentifier, jwks];
    }),
  );
}

async function unlessBusy(explaining: Promise<Explanation>): Promise<Explanation> {
  try {
    return await explaining;
  } catch (error) {
    if (!(error instanceof FederationError) || error.reason !== 'resolution_unavailable') throw error;
    throw new HttpProblem('temporarily_unavailable', error.message, { 'retry-after': String(RETRY_SECONDS) });
  }
}
