import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';

const TOKEN = { HOLDFAST_PKCS11_MODULE: '/lib/token.so', HOLDFAST_PKCS11_TOKEN: 'holdfast' };
const PIN = { HOLDFAST_PKCS11_PIN: 'secret-pin' };

describe('the settings of a token', () => {
  it('are none by default: new keys are sealed, for ES256', () => {
    const { config, secrets } = loadConfig({});
    expect([config.keyCustody, config.keyAlgorithm, config.pkcs11]).toEqual(['sealed', 'ES256', undefined]);
    expect(secrets.pkcs11Pin).toBeUndefined();
  });

  it('keep the PIN among the secrets, or name the file that has it', () => {
    const { config, secrets } = loadConfig({ ...TOKEN, ...PIN, HOLDFAST_KEY_CUSTODY: 'pkcs11' });
    expect(config.pkcs11).toEqual({ module: '/lib/token.so', token: 'holdfast', pinFile: undefined });
    expect(JSON.stringify(config)).not.toContain('secret-pin');
    expect(secrets.pkcs11Pin).toBe('secret-pin');
    expect(loadConfig({ ...TOKEN, HOLDFAST_PKCS11_PIN_FILE: '/run/pin' }).config.pkcs11?.pinFile).toBe('/run/pin');
  });

  it('hand on nothing of ours to the module', () => {
    const theirs = { SOFTHSM2_CONF: '/etc/softhsm2.conf', NODE_PATH: '/opt/pkcs11js', PATH: '/usr/bin' };
    const ours = { ...TOKEN, ...PIN, PGPASSWORD: 'of-the-database', PGHOST: 'db', NODE_OPTIONS: '--require=/ours.js' };
    expect(loadConfig({ ...ours, ...theirs }).secrets.foreignEnvironment).toEqual(theirs);
  });

  it.each([
    [TOKEN, 'go together'],
    [{ HOLDFAST_PKCS11_MODULE: '/lib/token.so', ...PIN }, 'go together'],
    [PIN, 'go together'],
    [{ ...TOKEN, ...PIN, HOLDFAST_PKCS11_PIN_FILE: '/run/pin' }, 'either HOLDFAST_PKCS11_PIN or'],
    [{ HOLDFAST_KEY_CUSTODY: 'pkcs11' }, 'HOLDFAST_KEY_CUSTODY=pkcs11 needs'],
    [{ HOLDFAST_KEY_CUSTODY: 'cloud' }, 'HOLDFAST_KEY_CUSTODY'],
    [{ HOLDFAST_KEY_ALGORITHM: 'none' }, 'HOLDFAST_KEY_ALGORITHM'],
  ])('are refused by halves or against each other: %o', (environment, complaint) => {
    expect(() => loadConfig(environment)).toThrow(complaint);
    expect(() => loadConfig(environment)).not.toThrow('secret-pin');
  });
});
