/** What the authorization server remembers, for as long as the example runs: a real one has a database here. */
import type { Adapter } from 'oidc-provider';

export function memoryStorage(): Adapter {
  const records = new Map<string, object>();
  return {
    find: async (id) => records.get(id),
    upsert: async (id, payload) => void records.set(id, payload),
    destroy: async (id) => void records.delete(id),
    consume: async () => {},
    revokeByGrantId: async () => {},
  };
}
