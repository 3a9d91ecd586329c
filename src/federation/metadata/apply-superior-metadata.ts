/** The overlay of an Immediate Superior's `metadata` over that of its subordinate. @see OIDFED §6.1.4.2, §3.1.3 */
import type { JsonValue } from '../json.ts';
import type { Metadata } from './metadata.ts';

/** A parameter that the Immediate Superior states. */
export interface ParameterOverlay {
  entityType: string;
  parameter: string;
  before: JsonValue | undefined;
  after: JsonValue | undefined;
}

/**
 * Metadata with the parameters that the Immediate Superior states put in place of the subject's own, each replaced
 * whole. Entity Types that the subject does not declare are left out. Neither argument is changed.
 */
export function applySuperiorMetadata(
  metadata: Metadata,
  superior: Metadata | undefined,
  observer?: (overlay: ParameterOverlay) => void,
): Metadata {
  if (superior === undefined) return metadata;
  const overlaid: Metadata = { ...metadata };
  for (const [entityType, parameters] of Object.entries(superior)) {
    if (!Object.hasOwn(metadata, entityType)) continue;
    overlaid[entityType] = { ...metadata[entityType], ...parameters };
    for (const [parameter, after] of observer === undefined ? [] : Object.entries(parameters)) {
      observer?.({ entityType, parameter, before: metadata[entityType]?.[parameter], after });
    }
  }
  return overlaid;
}
