import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');

/** Source files of the folders where the registry is changed. */
const files = ['registry', 'enrolment'].flatMap((folder) =>
  readdirSync(join(SRC, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ path: `${folder}/${file}`, source: readFileSync(join(SRC, folder, file), 'utf8') })),
);

/** Where the transaction of every change is opened and its audit written. */
const CHANGE = 'registry/change.ts';

/** A token belongs to no one authority: its role first, and once it is held, how far it reaches. */
const AUTHORISED_BY: Record<string, string> = {
  'registry/tokens/create-token.ts': 'requireMayMake(context.actor',
  'registry/tokens/revoke-token.ts': 'requireRole(context.actor',
  'registry/tokens/rotate-token.ts': 'requireRole(context.actor',
  // Its callers authorise: by a token, a code, or the certificate presented.
  'registry/certification/submit-request.ts': 'requireOwnRequest(request, applicant)',
};
/** Hands the pen to the one that inserts, as replacing a credential does, too. */
const RECORDED_BY: Record<string, RegExp> = {
  'registry/credentials/add-credential.ts': /\bawait insertCredential\(tx, context, [^;]*, record\);/,
};

/** What others are told is no record of the registry. */
const TELLING = [
  'registry/webhooks/deliveries.ts',
  'registry/events/prune-events.ts',
  'registry/certification/revocation-list-records.ts',
];

describe('a file that changes the registry', () => {
  const changing = files.filter(({ path, source }) => path !== CHANGE && /\bchangeRegistry\(/.test(source));

  it('is found at all', () => {
    expect(changing.length).toBeGreaterThan(10);
  });

  it.each(changing)('$path authorises first, and writes to the audit', ({ path, source }) => {
    const authorised = source.indexOf(AUTHORISED_BY[path] ?? 'authorise(');
    expect(authorised).toBeGreaterThan(-1);
    expect(authorised).toBeLessThan(source.indexOf('changeRegistry('));
    expect(source).toMatch(RECORDED_BY[path] ?? /\brecord\(\{/);
  });

  it('is named as doing it in another way only where it does', () => {
    const paths = changing.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining([...Object.keys(AUTHORISED_BY), ...Object.keys(RECORDED_BY)]));
  });
});

describe('nothing is written past the audit', () => {
  /** Why these files may write outside changeRegistry, or inside one that another file opens. */
  const WRITERS: Record<string, string> = {
    [CHANGE]: 'opens the transaction',
    'registry/audit/audit-checkpoint.ts': 'a checkpoint says what the audit is, and changes nothing',
    'registry/authorities/keys/longest-lifetime.ts': 'works in the transaction of the verb that sets a lifetime',
    'registry/authorities/keys/spent-token-objects.ts':
      'forgets what the token destroyed; that the key is over is on record',
    'registry/authorities/keys/token-objects-in-making.ts':
      'what is on its way from a token is no record; it is claimed in the transaction of the verb that records the key',
    'registry/authorities/keys/superior-sightings.ts': 'what was seen elsewhere is no record; what rests on it is',
    'registry/canary/canary-trials.ts': 'what a gateway answered is no record; nothing rests on it',
    'registry/certification/renewable.ts': 'works in the transaction of the verb that calls it',
    'registry/certification/revocation-list-records.ts': 'a list says what is on record',
    'registry/collection/save-branch.ts': 'what was seen elsewhere is no record; nothing rests on it',
    'registry/collection/walks.ts': 'when to look again is no record',
    'registry/credentials/insert-credential.ts': 'works in the transaction of the verb that calls it',
    'registry/credentials/transport-keys.ts': 'works in the transaction of the verb that calls it',
    'registry/organisations/contacts/insert-contact.ts': 'works in the transaction of the verb that calls it',
    'registry/organisations/lock-organisation.ts': 'works in the transaction of the verb that calls it',
    'registry/entities/register-keys.ts': 'works in the transaction of the verb that calls it',
    'registry/entities/keys/findings.ts': 'what was noticed is no record; what a person does about it is',
    'registry/entities/keys/key-proposals.ts': 'works in the transaction of the verb that calls it',
    'registry/entities/keys/key-statements.ts': 'works in the transaction of the verb that calls it',
    'registry/entities/keys/refreshes.ts': 'when to look again is no record',
    'registry/decisions/decision-chain.ts': 'the log of decisions is a chain of its own',
    'registry/decisions/prune-decisions.ts': 'the owner of the tables takes old rows off that chain',
    'registry/life-cycle/outgoing-mails.ts':
      'a mail is no record; it is written in the transaction of what it tells about',
    'registry/roles/insert-entity-roles.ts': 'works in the transaction of the verb that calls it',
    'registry/roles/role-holders.ts': 'works in the transaction of the verb that calls it',
    'registry/trust-marks/held-trust-mark.ts': 'notes why a mark could not be refreshed; nothing of that is published',
    'registry/trust-marks/issue-delegation.ts': 'works in the transaction of the verb that calls it',
    'registry/trust-marks/insert-trust-mark.ts': 'works in the transaction of the verb that calls it',
    'registry/hosting/begin-hosting.ts': 'works in the transaction of the verb that enrols',
    'registry/hosting/end-hosting.ts': 'works in the transaction of the verb that calls it',
    'registry/hosting/hosted-key.ts': 'works in the transaction of the verb that calls it',
    'registry/hosting/spent-token-objects.ts': 'forgets what the token destroyed; that the key is over is on record',
    'registry/webhooks/deliveries.ts': 'how far it has come to tell what is on record is no record',
    'registry/events/prune-events.ts': 'deletes what was told long ago; the change itself stays on record',
    'registry/slo/save-service-hours.ts': 'what was answered is no record; nothing rests on it',
    'registry/prepare-deployment.ts': 'binds the master key before there is anybody to act',
    'registry/prune-expired.ts': 'deletes what is no record and has expired',
    'enrolment/flow/begin-with-entity.ts': 'works in the transaction of the verb that adds the entity',
    'enrolment/flow/lapse-enrolments.ts': 'when to look again is no record; what lapses is closed by another file',
    'registry/tokens/entity-token.ts': 'lives for ten minutes and is no record; what is done with it is',
    'enrolment/enrolment-challenge.ts': 'a challenge is no record; it is spent in the transaction of the enrolment',
  };
  const writing = files.filter(({ source }) => /\.(insert|update|delete)\((?!'|hash|\))/.test(withoutHashing(source)));

  it.each(writing)('$path writes in a change, or is named here', ({ path, source }) => {
    expect(/\bchangeRegistry\(/.test(source) || Object.hasOwn(WRITERS, path)).toBe(true);
  });

  it('names no file in vain', () => {
    const paths = writing.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(Object.keys(WRITERS)));
  });

  const transacting = files.filter(({ path, source }) => {
    const isNoRecord = path.startsWith('registry/decisions/') || TELLING.includes(path);
    return path !== CHANGE && !isNoRecord && source.includes('.transaction(');
  });

  it.each(transacting)('$path opens a transaction only to read', ({ source }) => {
    expect(source).not.toMatch(/\btx\s*\.(insert|update|delete)\(/);
  });
});

/** `createHash().update()` and `set.delete()` write nothing that lasts. */
function withoutHashing(source: string): string {
  return source.replace(/createHash\([^;]*;/g, '').replace(/\b(?!db|tx)\w+\.delete\(/g, '');
}
