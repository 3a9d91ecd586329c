/** Policies of a Trust Anchor and an Intermediate with metadata to apply them to: published ones, or our own. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { JsonObject, JsonValue } from '../../../src/federation/json.ts';

/** A vector in the shape of the published sample; what should come of it is left to the tests. */
export interface PolicySample {
  TA: JsonObject;
  INT: JsonObject;
  metadata: JsonObject;
}

export const ENTITY_TYPE = 'openid_relying_party';

const PUBLISHED = path.resolve(import.meta.dirname, '../../../../shared/vectors/metadata-policy-sample.json');

/** The published sample if it lies beside this checkout, otherwise generated ones of the same kind. */
export function policySamples(): { origin: 'published' | 'generated'; samples: PolicySample[] } {
  if (!existsSync(PUBLISHED)) return { origin: 'generated', samples: generatedSamples() };
  return { origin: 'published', samples: JSON.parse(readFileSync(PUBLISHED, 'utf8')) };
}

const ALGORITHMS = ['ES256', 'PS256', 'RS256'];
const CONTACTS = ['security@example.org', 'helpdesk@example.org'];

/** One operator with a value for a parameter of its type, as the published sample has them. */
const SINGLE: readonly [operator: string, ...values: JsonValue[]][] = [
  ['value', 'ES256', 'RS256'],
  ['default', 'ES256', 'PS256'],
  ['one_of', ALGORITHMS, ['ES256', 'ES384']],
  ['essential', true, false],
];
const SEVERAL: readonly [operator: string, ...values: JsonValue[]][] = [
  ['value', CONTACTS, ['abuse@example.org']],
  ['add', 'noc@example.org', CONTACTS],
  ['default', CONTACTS, ['abuse@example.org']],
  ['subset_of', [...CONTACTS, 'noc@example.org'], ['helpdesk@example.org', 'abuse@example.org']],
  ['superset_of', ['security@example.org'], CONTACTS],
  ['essential', true, false],
];

/** Every pair of operators with every pair of values on present, unsuitable and absent metadata. */
function generatedSamples(): PolicySample[] {
  return [
    ...combinations('id_token_signed_response_alg', SINGLE, ['ES256', 'HS256', undefined]),
    ...combinations('contacts', SEVERAL, [CONTACTS, ['nobody@example.org'], undefined]),
  ];
}

function combinations(
  parameter: string,
  operators: readonly [operator: string, ...values: JsonValue[]][],
  values: readonly (JsonValue | undefined)[],
): PolicySample[] {
  const policies = operators.flatMap(([operator, ...operands]) => operands.map((operand) => ({ [operator]: operand })));
  return policies.flatMap((superior) =>
    policies.flatMap((subordinate) =>
      values.map((value) => ({
        TA: { [parameter]: superior },
        INT: { [parameter]: subordinate },
        metadata: value === undefined ? {} : { [parameter]: value },
      })),
    ),
  );
}
