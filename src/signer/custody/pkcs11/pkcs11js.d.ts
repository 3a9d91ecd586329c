/** The little that is used of the package pkcs11js, which is installed only where keys live in a token. */
declare module 'pkcs11js' {
  /** Objects, as the module numbers them. */
  type Handle = Buffer;

  interface Attribute {
    type: number;
    value?: number | boolean | string | Buffer;
  }

  interface Mechanism {
    mechanism: number;
    parameter?: Buffer | { type: number; hashAlg: number; mgf: number; saltLen: number } | null;
  }

  interface TokenInfo {
    label: string;
    flags: number;
  }

  export class PKCS11 {
    load(path: string): void;
    C_Initialize(options: { flags: number }): void;
    C_GetSlotList(isTokenPresent: boolean): Handle[];
    C_GetTokenInfo(slot: Handle): TokenInfo;
    C_OpenSession(slot: Handle, flags: number): Handle;
    C_CloseSession(session: Handle): void;
    C_Login(session: Handle, user: number, pin: string): void;
    C_FindObjectsInit(session: Handle, template: Attribute[]): void;
    C_FindObjects(session: Handle, most: number): Handle[];
    C_FindObjectsFinal(session: Handle): void;
    C_GetAttributeValue(session: Handle, object: Handle, attributes: Attribute[]): { type: number; value: Buffer }[];
    C_DestroyObject(session: Handle, object: Handle): void;
    C_SignInit(session: Handle, mechanism: Mechanism, key: Handle): void;
    C_Sign(session: Handle, data: Buffer, signature: Buffer): Buffer;
    C_SignAsync(session: Handle, data: Buffer, signature: Buffer): Promise<Buffer>;
    C_GenerateKeyPairAsync(
      session: Handle,
      mechanism: Mechanism,
      publicTemplate: Attribute[],
      privateTemplate: Attribute[],
    ): Promise<{ publicKey: Handle; privateKey: Handle }>;
  }
}
