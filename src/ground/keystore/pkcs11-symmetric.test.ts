import { randomBytes } from 'node:crypto'
import { after, describe } from 'node:test'
import { noSoftHsm, softHsm, testPin } from './pkcs11/testing.ts'
import { openPkcs11SymmetricModule } from './pkcs11-symmetric.ts'
import { symmetricContract } from './symmetric-testing.ts'

describe('PKCS#11', { skip: noSoftHsm }, () => {
  const hsm = softHsm()
  after(() => hsm.remove())
  // The module looks for tokens when it is first used: they are all there before.
  const free = Array.from({ length: 2 }, (_, i) => `dco ${i}`)
  for (const label of free) hsm.token(label)

  symmetricContract('PKCS#11', () => {
    const module = openPkcs11SymmetricModule({
      library: hsm.library,
      token: free.shift()!,
      pin: Buffer.from(testPin),
      chance: randomBytes,
      clock: () => new Date(),
    })
    return { module, remove: () => module.close() }
  })
})
