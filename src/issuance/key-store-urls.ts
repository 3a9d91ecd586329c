/** Where public keys of members are: the paths of key stores. */

/** `application`: what an application signs and decrypts with. */
export const KEY_SET_NAMES = ['transport', 'signing', 'encryption', 'application'] as const;

export type KeySetName = (typeof KEY_SET_NAMES)[number];

interface Place {
  organisationId: string;
  entityId: string;
}

/** @param fingerprint of a certificate, `x5t#S256` */
export function pemUrl(baseUrl: string, place: Place, fingerprint: string): string {
  return `${baseUrl}/keystore/${place.organisationId}/${place.entityId}/${fingerprint}.pem`;
}

/** The sets of an application and of its organisation, by the names that Open Finance Brasil and Open Banking UK give to them. */
export function keySetUrls(baseUrl: string, { organisationId, entityId }: Place) {
  const organisation = `${baseUrl}/keystore/${organisationId}`;
  const application = `${organisation}/${entityId}`;
  return {
    software_jwks_uri: `${application}/application.jwks`,
    software_jwks_inactive_uri: `${application}/inactive/application.jwks`,
    software_jwks_transport_uri: `${application}/transport.jwks`,
    software_jwks_transport_inactive_uri: `${application}/inactive/transport.jwks`,
    org_jwks_uri: `${organisation}/application.jwks`,
    org_jwks_inactive_uri: `${organisation}/inactive/application.jwks`,
    org_jwks_transport_uri: `${organisation}/transport.jwks`,
    org_jwks_transport_inactive_uri: `${organisation}/inactive/transport.jwks`,
    software_jwks_endpoint: `${application}/application.jwks`,
    software_jwks_revoked_endpoint: `${application}/inactive/application.jwks`,
    org_jwks_endpoint: `${organisation}/application.jwks`,
    org_jwks_revoked_endpoint: `${organisation}/inactive/application.jwks`,
  };
}
