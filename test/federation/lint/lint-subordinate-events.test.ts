import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/federation/json.ts';
import { lintSubordinateEvents } from '../../../src/federation/lint/lint-subordinate-events.ts';
import { TYP } from '../../../src/federation/media-types.ts';
import { refusal } from '../../support/refusal.ts';

const NOW = 1_800_000_000;
const AT = '/federation_registration_events';
const REGISTRATION = { iat: NOW - 100, event: 'registration' };
const RULES = { maxLifetimeSeconds: 7200 };

function events(...list: JsonObject[]): JsonObject {
  return { federation_registration_events: list };
}

function lint(changes: JsonObject) {
  const claims = { iss: 'https://ta.example', sub: 'https://rp.example', iat: NOW, exp: NOW + 3600 };
  return lintSubordinateEvents({ ...claims, ...events(REGISTRATION), ...changes }, RULES);
}

describe('the lint of subordinate events', () => {
  it('[EVENTS-2] lets a history pass, under its own typ', () => {
    const suspension = { iat: NOW - 50, event: 'suspension', event_description: 'incident' };
    expect(lint(events(REGISTRATION, suspension)).typ).toBe(TYP.entityEvents);
    expect(refusal(() => lint(events(REGISTRATION, { iat: NOW - 50, event: 'jwks_update' })))).toBe('accepted');
  });

  it.each<[JsonObject, string]>([
    [{ iss: 'ta' }, 'entity_identifier_invalid at /iss'],
    [{ sub: 'http://rp.example' }, 'entity_identifier_invalid at /sub'],
    [{ iat: 'now' }, 'claim_missing at /iat'],
    [{ exp: NOW + 7201 }, 'lint_failed at /exp'],
    [{ jwks: {} }, 'lint_failed at /jwks'],
    [events(), `claim_missing at ${AT}`],
    [events({ iat: NOW }), `claim_missing at ${AT}/0/event`],
    [events({ event: 'registration' }), `claim_missing at ${AT}/0/iat`],
    [events({ ...REGISTRATION, actor: 'somebody' }), `lint_failed at ${AT}/0/actor`],
  ])('[EVENTS-2] refuses %j', (changes, outcome) => {
    expect(refusal(() => lint(changes))).toBe(outcome);
  });

  it.each(['jwks_update', 'metadata_update', 'metadata_policy_update'])(
    '[EVENTS-3] refuses %s at the moment of a registration',
    (event) => {
      const both = events(REGISTRATION, { iat: REGISTRATION.iat, event });
      expect(refusal(() => lint(both))).toBe(`lint_failed at ${AT}/1`);
    },
  );
});
