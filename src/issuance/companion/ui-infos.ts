/** What people are shown of an entity, by Entity Type. @see COLLECTION §2.4, §5.2; OIDFED §5.2.2, §14 */
import { isJsonObject, type JsonObject } from '../../federation/json.ts';

/** The informational parameters of OIDFED §5.2.2. */
export const UI_CLAIMS = [
  'display_name',
  'organization_name',
  'description',
  'keywords',
  'contacts',
  'logo_uri',
  'policy_uri',
  'information_uri',
  'organization_uri',
] as const;

/** What is shown where nothing is asked for: no names of people, and nothing about the operator. */
const SHOWN_UNASKED: readonly string[] = [
  'display_name',
  'description',
  'keywords',
  'logo_uri',
  'policy_uri',
  'information_uri',
];

/** Names that an Entity Type has of its own, for where there is no `display_name`. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  openid_relying_party: 'client_name',
  oauth_client: 'client_name',
  oauth_resource: 'resource_name',
};

/** Whether a claim, with a language tag or without, may be asked for. */
export function isUiClaim(claim: string): boolean {
  const known: readonly string[] = UI_CLAIMS;
  return known.includes(untagged(claim));
}

/** Of metadata by Entity Type what is meant for people, names that a type has of its own included. */
export function informational(metadata: JsonObject): JsonObject {
  const types = Object.entries(metadata).map(([type, parameters]) => {
    const shown = isJsonObject(parameters)
      ? Object.entries(parameters).filter(([name]) => isUiClaim(name) || untagged(name) === OWN_NAMES[type])
      : [];
    return [type, Object.fromEntries(shown)] as const;
  });
  return Object.fromEntries(types);
}

export interface UiInfosQuery {
  /** Entity Types to show; empty: all. */
  entityTypes: readonly string[];
  /** Claims to show, those without a language tag in all languages; null: the usual ones. */
  claims: readonly string[] | null;
}

/**
 * @param metadata by Entity Type, those that the entity plays
 * @returns only types of which there is something to show
 */
export function uiInfos(metadata: JsonObject, { entityTypes, claims }: UiInfosQuery): JsonObject {
  const wanted = claims ?? SHOWN_UNASKED;
  const infos: JsonObject = {};
  for (const [type, parameters] of Object.entries(metadata)) {
    const isShown = entityTypes.length === 0 || entityTypes.includes(type) || type === 'federation_entity';
    if (!isShown || !isJsonObject(parameters)) continue;
    const info = Object.entries(named(type, parameters)).filter(
      ([claim]) => isUiClaim(claim) && (wanted.includes(claim) || wanted.includes(untagged(claim))),
    );
    if (info.length > 0) infos[type] = Object.fromEntries(info);
  }
  return infos;
}

/** With the type's own name as `display_name` where it has none, in all its languages. */
function named(type: string, parameters: JsonObject): JsonObject {
  const ownName = OWN_NAMES[type];
  if (ownName === undefined || Object.keys(parameters).some((name) => untagged(name) === 'display_name')) {
    return parameters;
  }
  const names = Object.entries(parameters)
    .filter(([name]) => untagged(name) === ownName)
    .map(([name, value]) => [`display_name${name.slice(ownName.length)}`, value] as const);
  return { ...parameters, ...Object.fromEntries(names) };
}

function untagged(claim: string): string {
  return claim.replace(/#.*$/s, '');
}
