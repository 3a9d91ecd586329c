/** Sealing of the secrets by which authorization servers know us: each opens for one client at one endpoint alone. */
import type { MasterKey, SealContext } from './sealing.ts';

export interface ClientSecretPlace {
  issuerId: string;
  introspection: { endpoint: string; clientId: string };
}

export function sealClientSecret(masterKey: MasterKey, secret: string, place: ClientSecretPlace): Uint8Array {
  return masterKey.seal(Buffer.from(secret), contextOf(place));
}

/** @throws UnsealError */
export function openClientSecret(masterKey: MasterKey, sealed: Uint8Array, place: ClientSecretPlace): string {
  return Buffer.from(masterKey.unseal(sealed, contextOf(place))).toString();
}

function contextOf({ issuerId, introspection: { clientId, endpoint } }: ClientSecretPlace): SealContext {
  return { owner: issuerId, kid: JSON.stringify([clientId, endpoint]), purpose: 'token-introspection' };
}
