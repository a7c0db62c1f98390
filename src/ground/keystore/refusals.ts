/** Every "no" of the key stores, with its sentence. */

import { Refusal } from '../refusal.ts'

export const keyStoreRefusals = {
  KEY_UNKNOWN: 'the key store holds nothing under that label',
  KEY_EXISTS: 'the key store already holds something under that label',
  KEY_LABEL_INVALID: 'a label is 1 to 128 printable ASCII characters, with no space at either end',
  KEY_NOT_FOR_THIS: 'what the key store holds under that label is of another kind',
  KEY_UNUSABLE: 'the octets are not a key of a kind that is used here',
  SECRET_LENGTH: 'a kept secret is 1 to 65,535 octets',
  KEYSTORE_MISSING: 'there is no key store at that path',
  KEYSTORE_EXISTS: 'there is already a file at that path',
  KEYSTORE_NAME_INVALID: 'the name of a key store is 1 to 32 characters: a-z first, then a-z, 0-9 and -',
  KEYSTORE_WORLD_READABLE: 'a key store and its folder may be open to their owner only (chmod 600, chmod 700)',
  KEYSTORE_WRONG_PASSPHRASE: 'that is not the passphrase of this key store',
  KEYSTORE_DAMAGED: 'the file is not a key store, or was changed by something other than a key store',
  KEYSTORE_FORMAT_UNKNOWN: 'the key store is of a format that this version does not know',
  KEYSTORE_WEAK: 'the key store derives its key from the passphrase at too low a cost',
  KEYSTORE_TOO_LARGE: 'the key store would be larger than a key store may be',
  KEYSTORE_LOCKED: 'another process is changing the key store, or stopped while it did',
  KEYSTORE_CHANGED: 'the key store was changed by something that does not respect its lock',
  KEYSTORE_ROLLED_BACK: 'the file is older than what was read from it before',
  KEYSTORE_REPLACED: 'the file is another key store than the one that was opened',
  KEYSTORE_PASSPHRASE_CHANGED: 'the passphrase was changed: open the key store again with the new one',
  PASSPHRASE_FILE_MISSING: 'there is no passphrase file at that path',
  PASSPHRASE_FILE_READABLE:
    'a passphrase file may be open to its owner only (chmod 600), in a folder that nobody else may write',
  PASSPHRASE_EMPTY: 'the passphrase is empty',
  PASSPHRASE_TOO_LONG: 'a passphrase is at most 1,024 octets',
  PASSPHRASE_NOT_GIVEN: 'no passphrase was given',
  PASSPHRASES_DIFFER: 'the two passphrases differ',
  NO_TERMINAL: 'there is no terminal to ask for the passphrase at: name a passphrase file',
  WRAP_REFUSED: 'the wrapped key does not open: another Symmetric Key, or the wrap was changed',
  MODULE_MISSING: 'there is no PKCS#11 library at that path, or it does not load',
  MODULE_NO_TOKEN: 'the module has no one token of that label',
  MODULE_UNAVAILABLE: 'the module does not answer as it should; it is tried again after a pause',
  MODULE_PIN_LOCKED: 'the token has locked its PIN: its security officer sets a new one',
  MODULE_KEY_EXPOSED: 'the module made the key so that it could be exported: it was destroyed again',
  MODULE_LACKS: 'the module does not do what is needed',
  HSM_KEY_ROLE: 'that HSM Key is not the one for this: MK and AK go under a DCO Key, other keys under a Shared Key',
  PACKAGE_UNKNOWN: 'a package is one block of 16 octets, under AES-128-ECB',
  TRANSPORT_REFUSED: 'what was wrapped to the transport key does not open, or is not a key of 16 octets',
} as const

export type KeyStoreCode = keyof typeof keyStoreRefusals

/** The Refusal of that code. `about` is what it concerns (a label, a path); never a secret. */
export function refusal(code: KeyStoreCode, about?: string, cause?: unknown): Refusal<KeyStoreCode> {
  const sentence = about === undefined ? keyStoreRefusals[code] : `${keyStoreRefusals[code]}: ${about}`
  return new Refusal(code, sentence, cause === undefined ? {} : { cause })
}
