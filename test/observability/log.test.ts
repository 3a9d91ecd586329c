import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { serializeError } from '../../src/observability/log.ts';
import { createTestDatabase, DATABASE_KINDS } from '../support/databases.ts';

const SECRET = 'holdfast_secret-that-no-log-may-show';

it('says of a key or certificate that there was one, and nothing else of it', () => {
  const block = `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----`;
  for (const text of [`cannot read ${block} there`, `cut: ${block.slice(0, -30)}`]) {
    const logged = JSON.stringify(serializeError(new Error(text, { cause: new Error(block) })));
    expect(logged).toContain('[PEM]');
    expect(logged).not.toContain(SECRET.slice(0, 10));
  }
});

describe.each(DATABASE_KINDS)('errors in the log, on the %s database', (kind) => {
  it('name the failed query and its cause, but no parameter and no refused row', async () => {
    await using database = await createTestDatabase(kind);
    const failure = await database.db.execute(sql`insert into nowhere (secret) values (${SECRET})`).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    const logged = JSON.stringify(serializeError(new Error('while writing', { cause: failure })));
    expect(failure?.message).toContain(SECRET);
    expect(logged).toContain('insert into nowhere');
    expect(logged).toContain('does not exist');
    expect(logged).not.toContain(SECRET);
  });

  it('do not quote the row that a constraint refused', async () => {
    await using database = await createTestDatabase(kind);
    const insert = sql`insert into registry_counter (id, seq) values (2, 4711471147114711)`;
    const failure = await database
      .asOwner((db) => db.execute(insert))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(failure).toBeInstanceOf(Error);
    const { stack, message } = serializeError(failure) as { stack: string; message: string };
    expect(`${stack}${message}`.replaceAll(/insert into[^\n]*/g, '')).not.toContain('4711471147114711');
  });
});
