/** A map in scopes, bounded in bytes: what came first goes first, from the scopes in turn. Reading costs two looks. */

export class BoundedMap<V> {
  readonly #scopes = new Map<string, Map<string, V>>();
  readonly #maxBytes: number;
  readonly #sizeOf: (value: V, key: string) => number;
  #bytes = 0;

  /** @param sizeOf an entry in bytes, the same whenever it is asked */
  constructor(maxBytes: number, sizeOf: (value: V, key: string) => number) {
    this.#maxBytes = maxBytes;
    this.#sizeOf = sizeOf;
  }

  get(scope: string, key: string): V | undefined {
    return this.#scopes.get(scope)?.get(key);
  }

  /** What is larger than the whole map is not kept. */
  set(scope: string, key: string, value: V): void {
    this.delete(scope, key);
    const bytes = this.#sizeOf(value, key);
    if (bytes > this.#maxBytes) return;
    while (this.#bytes + bytes > this.#maxBytes) this.#dropOne();
    this.#bytes += bytes;
    const entries = this.#scopes.get(scope);
    if (entries === undefined) this.#scopes.set(scope, new Map([[key, value]]));
    else entries.set(key, value);
  }

  delete(scope: string, key: string): void {
    const entries = this.#scopes.get(scope);
    const value = entries?.get(key);
    if (entries === undefined || value === undefined) return;
    entries.delete(key);
    this.#bytes -= this.#sizeOf(value, key);
    if (entries.size === 0) this.#scopes.delete(scope);
  }

  deleteScope(scope: string): void {
    for (const [key, value] of this.#scopes.get(scope) ?? []) this.#bytes -= this.#sizeOf(value, key);
    this.#scopes.delete(scope);
  }

  clear(): void {
    this.#scopes.clear();
    this.#bytes = 0;
  }

  /** The scope that lost something goes to the end of the line, so that none has to make room for all. */
  #dropOne(): void {
    for (const [scope, entries] of this.#scopes) {
      this.#scopes.delete(scope);
      this.#scopes.set(scope, entries);
      const first = entries.keys().next().value ?? '';
      this.delete(scope, first);
      return;
    }
  }
}
