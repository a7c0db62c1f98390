import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSoftwareKeyStore } from './software.ts'
import { softwareSymmetricModule } from './symmetric-software.ts'
import { symmetricContract } from './symmetric-testing.ts'

symmetricContract('Software', () => {
  const home = mkdtempSync(join(tmpdir(), 'symmetric-'))
  const passphrase = Buffer.from('passphrase')
  const path = join(home, 'keys')
  const weak = { log2N: 4, allowWeak: true }
  const keys = createSoftwareKeyStore({ path, name: 'dco', passphrase, chance: randomBytes, ...weak })
  const module = softwareSymmetricModule(keys, randomBytes)
  return {
    module,
    remove() {
      module.close()
      keys.close()
      rmSync(home, { recursive: true })
    },
  }
})
