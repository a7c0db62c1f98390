/** Two key stores as one: some labels live in another store, because the first cannot hold what they name. */

import type { Bytes } from '../bytes.ts'
import type { OpenKeyStore } from './attach.ts'
import type { KeyKind, KeyStore } from './keystore.ts'
import type { Signatures } from './own-check.ts'

/**
 * `main`, but for those labels, which are looked for in `other` alone. Its identity is that of `main`: ask
 * `identityOf` for a label's. Its grant opens `main` only, for the threads that sign certificates.
 */
export function splitKeyStore(main: OpenKeyStore, other: OpenKeyStore, labels: readonly string[]): OpenKeyStore {
  return new SplitKeyStore(main, other, labels)
}

/** The identity of the store that has what the label names, for the entry about what was done with it. */
export function identityOf(store: KeyStore, label: string): string {
  return store instanceof SplitKeyStore ? store.storeOf(label).identity : store.identity
}

class SplitKeyStore implements OpenKeyStore {
  readonly identity: string
  readonly path: string
  readonly #main: OpenKeyStore
  readonly #other: OpenKeyStore
  readonly #labels: ReadonlySet<string>

  constructor(main: OpenKeyStore, other: OpenKeyStore, labels: readonly string[]) {
    this.identity = main.identity
    this.path = `${main.path}, and ${other.path} for ${labels.join(', ')}`
    this.#main = main
    this.#other = other
    this.#labels = new Set(labels)
  }

  storeOf(label: string): OpenKeyStore {
    return this.#labels.has(label) ? this.#other : this.#main
  }

  generate(label: string, kind: KeyKind): Bytes {
    return this.storeOf(label).generate(label, kind)
  }

  publicKey(label: string): Bytes {
    return this.storeOf(label).publicKey(label)
  }

  has(label: string): boolean {
    return this.storeOf(label).has(label)
  }

  kind(label: string): KeyKind | 'secret' {
    return this.storeOf(label).kind(label)
  }

  labels(): readonly string[] {
    return [...this.#main.labels(), ...this.#other.labels()].sort()
  }

  sign(label: string, octets: Bytes): Bytes {
    return this.storeOf(label).sign(label, octets)
  }

  checkOwn(label: string, spki: Bytes, signatures: Signatures): boolean[] | undefined {
    return this.storeOf(label).checkOwn?.(label, spki, signatures)
  }

  keepSecret(label: string, octets: Bytes): void {
    this.storeOf(label).keepSecret(label, octets)
  }

  withSecret<T>(label: string, use: (octets: Bytes) => T): T {
    return this.storeOf(label).withSecret(label, use)
  }

  destroy(label: string): void {
    this.storeOf(label).destroy(label)
  }

  reload(): void {
    this.#main.reload()
    this.#other.reload()
  }

  close(): void {
    this.#main.close()
    this.#other.close()
  }

  grant() {
    return this.#main.grant()
  }

  /** The file first: if we stop in between, the module still opens with the old PIN, and its officer can set the new. */
  changePassphrase(passphrase: Bytes): void {
    this.#other.changePassphrase(passphrase)
    this.#main.changePassphrase(passphrase)
  }
}
