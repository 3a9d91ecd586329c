/** PostgreSQL `bytea` as a Uint8Array, alike on both drivers. */
import { customType } from 'drizzle-orm/pg-core';

export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  // One driver gives a Buffer, which slices and serializes in another way.
  fromDriver: (value) => new Uint8Array(value),
});
