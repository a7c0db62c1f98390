/** The signer as a process of its own, over a store and key store of a test, so that it can be killed. */

import pino from 'pino'
import type { Connection } from '../../src/ground/store/store.ts'
import { homeAt } from '../../src/main/home.ts'
import { startSigner } from '../../src/main/signer.ts'
import type { Settings } from '../../src/policy/settings.ts'

export interface SignerProcess {
  readonly folder: string
  readonly run: string
  readonly target: Connection
  readonly settings: Settings
  readonly passphrase: string
}

process.once('message', async ({ folder, run, target, settings, passphrase }: SignerProcess) => {
  process.on('disconnect', () => process.exit(0))
  try {
    const home = homeAt(folder)
    const log = pino({ level: 'silent' })
    const start = { home, settings, target, run, passphrase: Buffer.from(passphrase), log }
    const { sockets } = await startSigner(start)
    process.send!({ sockets })
  } catch (cause) {
    process.send!({ fault: String(cause) })
  }
})
