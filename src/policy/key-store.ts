/** The group `keyStore` of the settings: where the keys of the authorities live. */

import { z } from 'zod'

const text = z.string().min(1).max(500)

export const keyStoreSettings = z.strictObject({
  kind: z
    .enum(['software', 'pkcs11'])
    .default('software')
    .meta({ says: 'a file under a passphrase, or a module behind PKCS#11; production takes a module' }),
  library: text.nullable().default(null).meta({ says: 'path of the module’s PKCS#11 library' }),
  rootToken: text.default('smki-root').meta({ says: 'label of the token with the keys of the roots' }),
  issuingToken: text.default('smki-issuing').meta({ says: 'label of the token with the keys of the issuing CAs' }),
  contingencyToken: text
    .default('smki-contingency')
    .meta({ says: 'label of the token with the Contingency Private Key, which Key Custodians open' }),
  symmetricToken: text
    .default('smki-symmetric')
    .meta({ says: 'label of the token with the Symmetric Key, until it is shared among Key Custodians' }),
  recoveryToken: text
    .default('smki-recovery')
    .meta({ says: 'label of the token with the Recovery Private Key, which Key Custodians open' }),
  certificate: z.string().max(500).default('').meta({
    says: 'the module and its validation certificate, in words: told at every start and in the transcript',
  }),
  journalKey: z.enum(['module', 'software']).default('module').meta({
    says: 'where the Ed25519 key of the journal lives: "software" for a module that does not do Ed25519',
  }),
  softwareInProduction: z
    .boolean()
    .default(false)
    .meta({ says: 'for rehearsals and tests only: a production environment may have software key stores' }),
})

export type KeyStoreSettings = z.output<typeof keyStoreSettings>

/** What is wrong with these settings in an environment of that kind, in a sentence; undefined when nothing is. */
export function keyStoreFault(kind: 'test' | 'production', settings: KeyStoreSettings): string | undefined {
  if (settings.kind === 'pkcs11') {
    if (settings.library === null) return 'keyStore.library must name the PKCS#11 library of the module'
    if (settings.rootToken === settings.issuingToken)
      return 'the roots have a token of their own (keyStore.rootToken)'
    const { rootToken, issuingToken, contingencyToken, symmetricToken, recoveryToken } = settings
    if (new Set([rootToken, issuingToken, contingencyToken, symmetricToken, recoveryToken]).size < 5)
      return 'what Key Custodians keep has tokens of its own (keyStore.contingencyToken, symmetricToken, recoveryToken)'
    if (kind === 'production' && settings.certificate === '')
      return 'keyStore.certificate must name the module and its validation certificate in production'
    return undefined
  }
  if (kind === 'production' && !settings.softwareInProduction)
    return 'the keys of a production environment live in a module: keyStore.kind must be "pkcs11"'
  return undefined
}
