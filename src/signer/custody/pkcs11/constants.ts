/** Numbers of PKCS#11, by the names that the standard gives them without their prefix. @see PKCS#11 2.40 */
export const CKF = {
  /** Of C_Initialize: threads may call at the same time, locked by means of the system. */
  OS_LOCKING_OK: 0x2,
  /** Of sessions. */
  RW_SESSION: 0x2,
  SERIAL_SESSION: 0x4,
  /** Of tokens: one more wrong PIN locks it, and it is locked. */
  USER_PIN_FINAL_TRY: 0x20000,
  USER_PIN_LOCKED: 0x40000,
} as const;

export const CKU_USER = 1;
export const CKO_PRIVATE_KEY = 3;

export const CKA = {
  CLASS: 0x0,
  TOKEN: 0x1,
  PRIVATE: 0x2,
  LABEL: 0x3,
  ID: 0x102,
  SENSITIVE: 0x103,
  DECRYPT: 0x105,
  UNWRAP: 0x107,
  SIGN: 0x108,
  VERIFY: 0x10a,
  DERIVE: 0x10c,
  MODULUS: 0x120,
  MODULUS_BITS: 0x121,
  PUBLIC_EXPONENT: 0x122,
  EXTRACTABLE: 0x162,
  EC_PARAMS: 0x180,
  EC_POINT: 0x181,
} as const;

export const CKM = {
  RSA_PKCS_KEY_PAIR_GEN: 0x0,
  RSA_PKCS: 0x1,
  RSA_PKCS_PSS: 0xd,
  SHA256: 0x250,
  EC_KEY_PAIR_GEN: 0x1040,
  ECDSA: 0x1041,
} as const;

export const CKG = { MGF1_SHA256: 0x2 } as const;

/** How pkcs11js tells the parameters of CKM_RSA_PKCS_PSS from others. */
export const CKP_RSA_PSS = 0x5;
