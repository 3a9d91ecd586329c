/** What is asked of and answered by `POST /api/v1/admission`: the one place that knows its members. */
import { hash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { AdmissionRequest } from '../../admission/admission.ts';
import type { PresentedCertificate } from '../../admission/admission-question.ts';
import type { AdmissionDecision } from '../../admission/decide.ts';
import { DENY_REASON_NAMES } from '../../admission/deny-reasons.ts';
import { isJsonObject, type JsonValue } from '../../federation/json.ts';
import { certificateOfBase64, certificateOfPem } from '../../pki/headers/encodings.ts';
import { CertificateHeaderError } from '../../pki/headers/header-error.ts';
import { RecordIdSchema } from '../api/record-schema.ts';
import { validationFailure } from '../validation-failure.ts';

const X5T_S256 = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

export const AdmissionRequestSchema = z
  .strictObject({
    certificate: z.string().optional().openapi({
      description: 'The client certificate: one PEM block, or its DER in base64.',
    }),
    'x5t#S256': z
      .string()
      .regex(X5T_S256, 'is no SHA-256 in base64url')
      .optional()
      .openapi({ description: 'Instead of it: the SHA-256 of its DER, base64url (RFC 8705 §3.1).' }),
    token: z.string().optional().openapi({ description: 'The access token, as it came.' }),
    api: RecordIdSchema.optional().openapi({
      description: 'The API resource that is asked for, where the enforcement point has none of its own.',
    }),
    entityId: z.string().min(1).max(2048).optional().openapi({
      description:
        'The Entity Identifier of the application: then its Trust Chain counts, too. Needed where nobody has a certificate.',
      format: 'uri',
    }),
    onBehalfOf: RecordIdSchema.optional().openapi({ description: 'The organisation that the application acts for.' }),
  })
  .refine((body) => body.certificate === undefined || body['x5t#S256'] === undefined, {
    path: ['x5t#S256'],
    error: 'stands beside a certificate; send one of the two',
  })
  .openapi('AdmissionRequest');

/** @throws RegistryError validation_failed */
export function admissionRequestOf(body: JsonValue): AdmissionRequest {
  if (isUsual(body)) return presentedRequest(body);
  const parsed = AdmissionRequestSchema.safeParse(body);
  if (!parsed.success) throw validationFailure('json', parsed.error);
  return presentedRequest(parsed.data);
}

/** Nearly all ask with a certificate, and perhaps a token: quicker to see than by the schema, which takes them as well. */
function isUsual(body: JsonValue): body is { certificate: string; token?: string } {
  if (!isJsonObject(body) || body['certificate'] === undefined) return false;
  for (const name in body) {
    if ((name !== 'certificate' && name !== 'token') || typeof body[name] !== 'string') return false;
  }
  return true;
}

export function presentedRequest({
  certificate,
  'x5t#S256': x5tS256,
  token,
  api,
  entityId,
  onBehalfOf,
}: z.infer<typeof AdmissionRequestSchema>): AdmissionRequest {
  const shown = x5tS256 === undefined ? presented(certificate) : { x5tS256 };
  return { certificate: shown, token, api, entityId, onBehalfOf };
}

function presented(certificate: string | undefined): PresentedCertificate {
  if (certificate === undefined) return 'none';
  try {
    const base64 = base64Of(certificate);
    const der = base64 === undefined ? certificateOfPem(certificate) : certificateOfBase64(base64);
    return { x5tS256: hash('sha256', der, 'base64url') };
  } catch (error) {
    if (!(error instanceof CertificateHeaderError)) throw error;
    return 'malformed';
  }
}

const [BEGIN, END] = ['-----BEGIN CERTIFICATE-----\n', '-----END CERTIFICATE-----'];

/** What it is without PEM around it, or with one block as `openssl` writes it; undefined for whatever else PEM may look like. */
function base64Of(certificate: string): string | undefined {
  const end = certificate.indexOf('-----', BEGIN.length);
  if (end === -1) return certificate;
  const isPlain = certificate.startsWith(BEGIN) && certificate.startsWith(END, end);
  const isWhole = certificate.length === end + END.length || certificate.slice(end + END.length) === '\n';
  return isPlain && isWhole ? certificate.slice(BEGIN.length, end).replaceAll('\n', '') : undefined;
}

export const AdmissionQuerySchema = z.strictObject({
  explain: z.enum(['0', '1']).optional().openapi({ description: '`1`: with the steps that led to it.' }),
  signed: z
    .enum(['0', '1'])
    .optional()
    .openapi({ description: '`1`: as a JWT signed by the authority, whose `exp` is `validUntil`.' }),
});

const TimeSchema = z.string().openapi({ format: 'date-time' });
const OrganisationSchema = z.object({ id: RecordIdSchema, legalName: z.string() });

export const AdmissionDecisionSchema = z
  .object({
    decision: z.enum(['allow', 'deny']),
    reasons: z.array(z.enum(DENY_REASON_NAMES)).openapi({ description: 'Why not; empty if allowed.' }),
    participant: z
      .object({ entityIdentifier: z.string() })
      .nullable()
      .openapi({ description: 'Whom the certificate belongs to, also if it is denied; null: nobody knows.' }),
    application: z.object({ id: RecordIdSchema, name: z.string().nullable(), entityIdentifier: z.string() }).nullable(),
    organisation: OrganisationSchema.nullable(),
    onBehalfOf: OrganisationSchema.nullable(),
    roles: z
      .array(
        z.object({
          id: RecordIdSchema,
          name: z.string(),
          jurisdictions: z.array(z.string()).openapi({ description: 'Where it counts; none: everywhere.' }),
          validFrom: TimeSchema.nullable(),
          validTo: TimeSchema.nullable(),
        }),
      )
      .openapi({ description: 'Those held now.' }),
    permissions: z.object({
      newAuthorization: z.boolean(),
      useExisting: z.boolean(),
      withdrawConsent: z.boolean(),
    }),
    exceptions: z
      .array(z.enum(['no_mtls', 'unbound_token']))
      .openapi({ description: 'What the participant was let off.' }),
    chain: z
      .object({ trustAnchor: z.string(), trustMarkTypes: z.array(z.string()), expiresAt: TimeSchema })
      .nullable()
      .openapi({ description: 'The Trust Chain, where `entityId` was given.' }),
    seq: z.int().openapi({ description: 'Number of the last change of the registry that it knows of.', example: 42 }),
    evaluatedAt: TimeSchema,
    validUntil: TimeSchema.openapi({
      description:
        'The earliest end of all that it rests on; a change of the registry ends it before. Of a deny: at once.',
    }),
    steps: z
      .array(
        z.object({
          check: z.string(),
          rule: z.string().openapi({ description: 'What it goes by.' }),
          inputSha256: z.string().openapi({
            description: 'Of the canonical JSON of what was looked at, base64url: alike if the same was shown.',
          }),
          outcome: z.enum(['passed', 'failed', 'skipped']),
          reason: z.string().nullable(),
          detail: z.string(),
          canMend: z.enum(['partner', 'registry', 'enforcement_point']).nullable(),
          hint: z.string().nullable(),
        }),
      )
      .optional()
      .openapi({ description: 'In the order in which it was looked at, if that was asked for.' }),
  })
  .openapi('AdmissionDecision');

type DecisionBody = z.infer<typeof AdmissionDecisionSchema>;

export function decisionBody(decision: AdmissionDecision): DecisionBody {
  const { participant, onBehalfOf, roles, chain, steps } = decision;
  const body: DecisionBody = {
    decision: decision.decision,
    reasons: [...decision.reasons],
    participant: participant === undefined ? null : { entityIdentifier: participant.application.entityIdentifier },
    application: participant === undefined ? null : applicationBody(participant.application),
    organisation: participant === undefined ? null : organisationBody(participant.organisation),
    onBehalfOf: onBehalfOf === undefined ? null : organisationBody(onBehalfOf),
    roles: roles.map(({ roleId, name, jurisdictions, validFrom, validTo }) => ({
      id: roleId,
      name,
      jurisdictions: [...jurisdictions],
      validFrom: validFrom === null ? null : timeOf(validFrom),
      validTo: validTo === null ? null : timeOf(validTo),
    })),
    permissions: decision.permissions,
    exceptions: [...decision.exceptions],
    chain:
      chain === undefined
        ? null
        : { ...chain, trustMarkTypes: [...chain.trustMarkTypes], expiresAt: timeOf(chain.expiresAt) },
    seq: decision.seq,
    evaluatedAt: timeOf(decision.evaluatedAt),
    validUntil: timeOf(decision.validUntil),
  };
  if (steps !== undefined) body.steps = [...steps];
  return body;
}

function applicationBody({ id, name, entityIdentifier }: NonNullable<AdmissionDecision['participant']>['application']) {
  return { id, name, entityIdentifier };
}

function organisationBody({ id, legalName }: NonNullable<AdmissionDecision['onBehalfOf']>) {
  return { id, legalName };
}

/** Nearly all are of this second, or end at the same one. */
const texts = new Map<number, string>();
const MAX_TEXTS = 1_000;

function timeOf(seconds: number): string {
  const known = texts.get(seconds);
  if (known !== undefined) return known;
  const text = new Date(seconds * 1000).toISOString();
  if (texts.size >= MAX_TEXTS) texts.clear();
  texts.set(seconds, text);
  return text;
}
