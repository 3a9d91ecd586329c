import { asc, eq } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Algorithm } from '../../src/federation/signature.ts';
import { bindMasterKey, readMasterKeyCheck } from '../../src/registry/prepare-deployment.ts';
import { type MasterKeyChange, rewrapAuthorityKeys } from '../../src/registry/rewrap-authority-keys.ts';
import { rotateWebhookSecret } from '../../src/registry/webhooks/rotate-webhook-secret.ts';
import { openClientSecret, sealClientSecret } from '../../src/signer/client-secrets.ts';
import { makeMasterKeyCheck, masterKeyMatches } from '../../src/signer/master-key-check.ts';
import { MasterKey, UnsealError } from '../../src/signer/sealing.ts';
import { openWebhookSecret, sealWebhookSecret } from '../../src/signer/webhook-secrets.ts';
import { authorityKeys } from '../../src/storage/schema/authority-keys.ts';
import { hostedKeys } from '../../src/storage/schema/hosted-entities.ts';
import { tokenIssuers } from '../../src/storage/schema/token-issuers.ts';
import { webhooks } from '../../src/storage/schema/webhooks.ts';
import { DATABASE_KINDS } from '../support/databases.ts';
import { hostedEntity } from '../support/hosting-verbs.ts';
import {
  NOW_DATE,
  openRegistry,
  refusedBy,
  TEST_MASTER_KEY,
  type TestRegistry,
  testSigner,
} from '../support/registry.ts';
import { opens } from '../support/sealed-keys.ts';
import { tokenIssuer } from '../support/token-issuers.ts';
import { addTestWebhook, sealTestWebhookSecret } from '../support/webhooks.ts';

const NEXT_MASTER_KEY = new MasterKey(new Uint8Array(32).fill(8));

const CHANGE: MasterKeyChange = {
  isPresentCheck: (check) => masterKeyMatches(TEST_MASTER_KEY, check),
  newCheck: makeMasterKeyCheck(NEXT_MASTER_KEY),
  rewrap: ({ owner, alg, ...key }) => testSigner.rewrap({ ...key, owner, alg: alg as Algorithm }, NEXT_MASTER_KEY),
  rewrapClientSecret: (sealed, place) =>
    sealClientSecret(NEXT_MASTER_KEY, openClientSecret(TEST_MASTER_KEY, sealed, place), place),
  rewrapWebhookSecret: (sealed, id) =>
    sealWebhookSecret(NEXT_MASTER_KEY, openWebhookSecret(TEST_MASTER_KEY, sealed, id), id),
};

describe.each(DATABASE_KINDS)('rewrapAuthorityKeys on %s', (kind) => {
  let registry: TestRegistry;
  beforeEach(async () => {
    registry = await openRegistry(kind);
    await bindMasterKey(registry.db, makeMasterKeyCheck(TEST_MASTER_KEY), NOW_DATE);
    await registry.authority();
    await registry.authority();
  });
  afterEach(() => registry[Symbol.asyncDispose]());

  /** Of each key, the master keys that open it. */
  async function openedBy(): Promise<string[][]> {
    const rows = await registry.db.select().from(authorityKeys).orderBy(asc(authorityKeys.id));
    return rows.map((key) => [
      ...(opens(TEST_MASTER_KEY, key) ? ['present'] : []),
      ...(opens(NEXT_MASTER_KEY, key) ? ['next'] : []),
    ]);
  }

  it('seals all keys of all authorities under the new master key, which the deployment belongs to from then on', async () => {
    expect(await openedBy()).toEqual([['present'], ['present']]);
    expect(await rewrapAuthorityKeys(registry.context(), CHANGE)).toEqual({ rewrapped: 2 });
    expect(await openedBy()).toEqual([['next'], ['next']]);
    const check = (await readMasterKeyCheck(registry.db)) ?? '';
    expect([masterKeyMatches(NEXT_MASTER_KEY, check), masterKeyMatches(TEST_MASTER_KEY, check)]).toEqual([true, false]);
  });

  it('seals the keys of hosted entities as well', async () => {
    const { id, entityIdentifier: owner } = await hostedEntity(registry, await registry.authority());
    expect(await rewrapAuthorityKeys(registry.context(), CHANGE)).toEqual({ rewrapped: 4 });
    const [key] = await registry.db.select().from(hostedKeys).where(eq(hostedKeys.entityId, id));
    const { kid = '', purpose = '', sealedPrivateKey } = key ?? {};
    const sealed = sealedPrivateKey ?? new Uint8Array();
    expect(NEXT_MASTER_KEY.unseal(sealed, { owner, kid, purpose }).length).toBeGreaterThan(32);
    expect(() => TEST_MASTER_KEY.unseal(sealed, { owner, kid, purpose })).toThrow(UnsealError);
  });

  it('seals the secrets by which authorization servers know us', async () => {
    const introspection = { endpoint: 'https://as.example/introspect', clientId: 'holdfast', isSigned: false };
    const settings = { introspection, clientSecret: 'a secret' };
    const { id } = await tokenIssuer(registry, await registry.authority(), settings);
    await rewrapAuthorityKeys(registry.context(), CHANGE);
    const [row] = await registry.db.select().from(tokenIssuers).where(eq(tokenIssuers.id, id));
    const sealed = row?.sealedSecret ?? new Uint8Array();
    const place = { issuerId: id, introspection };
    expect(openClientSecret(NEXT_MASTER_KEY, sealed, place)).toBe('a secret');
    expect(() => openClientSecret(TEST_MASTER_KEY, sealed, place)).toThrow(UnsealError);
  });

  it('seals the secrets of webhooks, the former one as well', async () => {
    const { id } = await registry.authority();
    const { webhook, secret } = await addTestWebhook(registry, { authorityId: id });
    const rotated = await rotateWebhookSecret(registry.context(), webhook.id, sealTestWebhookSecret);
    await rewrapAuthorityKeys(registry.context(), CHANGE);
    const [row] = await registry.db.select().from(webhooks).where(eq(webhooks.id, webhook.id));
    const open = (sealed: Uint8Array | null | undefined, key = NEXT_MASTER_KEY) =>
      openWebhookSecret(key, sealed ?? new Uint8Array(), webhook.id);
    expect([open(row?.sealedSecret), open(row?.previousSealedSecret)]).toEqual([rotated.secret, secret]);
    expect(() => open(row?.sealedSecret, TEST_MASTER_KEY)).toThrow(UnsealError);
  });

  it('changes nothing when the present master key is not that of the deployment', async () => {
    const error = await refusedBy(rewrapAuthorityKeys(registry.context(), { ...CHANGE, isPresentCheck: () => false }));
    expect(error.code).toBe('validation_failed');
    expect(await openedBy()).toEqual([['present'], ['present']]);
  });

  it('changes nothing when one key does not open', async () => {
    let opened = 0;
    const rewrap: MasterKeyChange['rewrap'] = (key) => {
      if (++opened === 2) throw new UnsealError('belongs to another key or was changed');
      return CHANGE.rewrap(key);
    };
    const seq = await registry.seq();
    await expect(rewrapAuthorityKeys(registry.context(), { ...CHANGE, rewrap })).rejects.toThrow(UnsealError);
    expect(await openedBy()).toEqual([['present'], ['present']]);
    expect(await registry.seq()).toBe(seq);
  });
});
