/** Where the interop tests keep the pkcs11js that they build. */
import path from 'node:path';

export const PKCS11JS_VERSION = '2.1.7';

export const PKCS11JS_CACHE = path.join(
  import.meta.dirname,
  `../../../node_modules/.cache/holdfast/pkcs11js-${PKCS11JS_VERSION}/node_modules`,
);
