/** Schema of an explained resolution. */
import { z } from '@hono/zod-openapi';
import { claims, EntityIdentifierSchema } from '../claims-schema.ts';

const MenderSchema = z
  .strictObject({
    role: z.enum(['subject', 'superior', 'trust_anchor', 'trust_mark_issuer', 'caller', 'network']),
    entity: z.string().optional(),
    advice: z.string().openapi({ example: 'publishes a fresh statement' }),
  })
  .openapi('Mender', { description: 'Who can mend a refusal, and what to do.' });

const AttemptSchema = z
  .strictObject({
    chain: z.array(z.string()).openapi({ description: 'The entities walked, from the subject to where it ended.' }),
    reason: z.string().openapi({ description: 'Stable.', example: 'statement_expired' }),
    section: z.string().openapi({ description: 'Of OpenID Federation 1.0.', example: '3.2' }),
    at: z.string().openapi({ example: 'Subordinate Statement /exp' }),
    message: z.string(),
    retryable: z.literal(true).optional().openapi({ description: 'The same may succeed later.' }),
    complete: z.literal(true).optional().openapi({ description: 'A whole chain up to a Trust Anchor was refused.' }),
    whoCanMend: MenderSchema,
  })
  .openapi('ExplainedAttempt');

export const ExplanationSchema = z
  .strictObject({
    subject: EntityIdentifierSchema,
    trustAnchors: z.array(EntityIdentifierSchema),
    verdict: z.enum(['resolved', 'refused']),
    resolution: claims(
      'What it resolves to: `metadata`, `trustChain`, `trustMarks`; `expiresAt` and when its oldest statement was retrieved, `oldestAt`, in seconds since the epoch.',
      {
        trustAnchor: 'https://fed.example.org',
        metadata: { openid_relying_party: { client_name: 'Example' } },
        expiresAt: 1_800_003_600,
        oldestAt: 1_799_999_700,
      },
    ).optional(),
    attempts: z.array(AttemptSchema).optional().openapi({ description: 'Why it does not resolve: each way.' }),
    graph: claims(
      'The subject with its superiors as a tree, each entity once: `configuration` and each `statement` with issuer, times, key, verdict and refusals.',
      { entity: 'https://rp.example.edu', isTrustAnchor: false, superiors: [] },
    ),
    chains: z.array(
      claims(
        'A chain put together: `entities`, `verdict`, and by `metadata` what each superior did to each parameter.',
        {
          entities: ['https://rp.example.edu', 'https://fed.example.org'],
          verdict: 'chosen',
          metadata: { parameters: [], removedEntityTypes: [] },
        },
      ),
    ),
  })
  .openapi('ResolutionExplanation', { description: 'The same that `holdfast resolve --explain --json` prints.' });
