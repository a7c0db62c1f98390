import { after, describe } from 'node:test'
import { keyStoreContract } from './keystore-testing.ts'
import { noSoftHsm, softHsm } from './pkcs11/testing.ts'

describe('PKCS#11', { skip: noSoftHsm }, () => {
  const hsm = softHsm()
  after(() => hsm.remove())
  const first = 'pin-of the contract'
  // The module looks for tokens when it is first used: they are all there before.
  const free = Array.from({ length: 14 }, (_, i) => `token ${i}`)
  for (const label of free) hsm.token(label, first)
  const labelOf = (identity: string) => identity.split(':')[1]!

  keyStoreContract('PKCS#11', {
    make: () => hsm.open(free.shift()!, first),
    open: ({ identity }, pin = first) => hsm.open(labelOf(identity), pin),
  })
})
