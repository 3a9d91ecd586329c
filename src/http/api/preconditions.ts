/** `ETag` and `If-Match`: nobody changes what they have not seen. @see RFC 9110 §8.8.3, §13.1.1 */
import { z } from '@hono/zod-openapi';
import { invalidField, RegistryError } from '../../registry/registry-error.ts';

const FIELD = 'If-Match';
const OUR_TAG = /^"(\d{1,9})"$/;
const ANY_TAG = /^(?:W\/)?"[\x21\x23-\x7e]*"$/;

const ifMatch = z.string().max(200).optional();

/** For operations that need it; its absence gets an answer of its own, not a failed schema. */
export const REQUIRED_IF_MATCH = {
  [FIELD]: ifMatch.openapi({
    param: { required: true },
    description: 'The `ETag` of the record as you saw it. Without it 428; when the record changed since, 412.',
    example: '"3"',
  }),
};

export const OPTIONAL_IF_MATCH = {
  [FIELD]: ifMatch.openapi({
    description: 'The `ETag` of the record as you saw it; when the record changed since, 412.',
    example: '"3"',
  }),
};

export interface VersionHeaders {
  'If-Match'?: string | undefined;
}

/**
 * The version that the caller saw; undefined when any will do.
 * @throws RegistryError version_mismatch for a tag that no version of ours has, validation_failed for what is no tag
 */
export function expectedVersion(headers: VersionHeaders): number | undefined {
  const tag = headers[FIELD]?.trim();
  if (tag === undefined || tag === '*') return undefined;
  const [, version] = OUR_TAG.exec(tag) ?? [];
  if (version !== undefined) return Number(version);
  if (ANY_TAG.test(tag))
    throw new RegistryError('version_mismatch', 'If-Match is no ETag of this record; read it again');
  throw invalidField(`/header/${FIELD}`, 'is the ETag of the record as it was read, with its quotes, such as "3"');
}

/** As expectedVersion, for changes that must say it; `*` says that any will do. @throws RegistryError version_required */
export function requiredVersion(headers: VersionHeaders): number | undefined {
  if (headers[FIELD] !== undefined) return expectedVersion(headers);
  throw new RegistryError('version_required', 'send If-Match with the ETag of the record as you read it');
}

/** As requiredVersion, for approvals: they name what was looked at. @throws RegistryError version_required */
export function seenVersion(headers: VersionHeaders): number {
  const version = requiredVersion(headers);
  if (version !== undefined) return version;
  throw new RegistryError('version_required', 'an approval names the very version that was looked at, not *');
}

export function entityTag({ version }: { version: number }): string {
  return `"${version}"`;
}
