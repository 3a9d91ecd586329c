/** `iat` of the last statements about its keys that were accepted from an entity, seconds since the epoch. */
import { doublePrecision, pgTable, uuid } from 'drizzle-orm/pg-core';
import { entities } from './entities.ts';

export const entityKeyStatements = pgTable('entity_key_statements', {
  entityId: uuid('entity_id')
    .primaryKey()
    .references(() => entities.id),
  configurationIat: doublePrecision('configuration_iat'),
  pushedIat: doublePrecision('pushed_iat'),
});
