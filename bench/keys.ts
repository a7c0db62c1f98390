/** SMETS1 symmetric keys: the DCO's cryptographic path beside bare AES, and whole rotations of meters over TCP and TLS. */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { noSoftHsm, softHsm, testPin } from '../src/ground/keystore/pkcs11/testing.ts'
import { openPkcs11SymmetricModule } from '../src/ground/keystore/pkcs11-symmetric.ts'
import { createSoftwareKeyStore } from '../src/ground/keystore/software.ts'
import { softwareSymmetricModule } from '../src/ground/keystore/symmetric-software.ts'
import { demo, type Size } from '../src/main/commands/smets1.ts'
import { type Context, rounded } from './bench.ts'
import { bareAes, bareToken, type Material } from './keys-bare.ts'
import { cryptography, type Rates } from './keys-path.ts'
import { type Use, usesOf } from './keys-use.ts'

export type KeysFigures = {
  /**
   * By kind of module, and of what it stands beside: the platform's AES, and for SoftHSM2, where that is installed, the
   * bare PKCS#11 calls of the same module too.
   */
  readonly symmetric: Readonly<Record<string, Rates>>
  /** Null when no meters were asked for. */
  readonly rotation: {
    readonly meters: number
    readonly metersPerSecond: number
    /** At that rate, for five million meters. */
    readonly daysForFiveMillion: number
    /** Processor time of all programs and their stores, for one meter; and what each of them took of it. */
    readonly cpuSecondsPerMeter: number
    readonly cpuMsPerMeter: Readonly<Record<string, number>>
    /** What that time comes to for five million meters, on one core. */
    readonly coreDaysForFiveMillion: number
    /** Resident memory of each process when the first key was about to be replaced, and after the last was. */
    readonly memoryMiB: Readonly<Record<string, { readonly before: number; readonly after: number }>>
    readonly perMeter: { readonly s1sp: Size; readonly dco: Size }
  } | null
}

/**
 * @param options.count commands and replies of each kind
 * @param options.meters with four clients, AK and GUEK each, to be rotated end to end; each key a transfer of its own
 */
export async function run(
  { count, meters }: { count: number; meters: number },
  { folder, signal, say }: Context,
): Promise<KeysFigures> {
  say('the DCO’s cryptographic path, beside the bare primitives')
  const symmetric: Record<string, Rates> = { software: await inSoftware(folder, count) }
  // A token of software, through the interface of a module: it shows what the interface costs, and no module's speed.
  if (!noSoftHsm) {
    const { calls, aes } = await inToken(Math.ceil(count / 5))
    symmetric.softhsm2 = calls
    symmetric['softhsm2 beside AES'] = aes
  }
  say(`${meters} meters`)
  const rotation = meters > 1 ? await rotate(meters, folder, signal, say) : null
  return { symmetric, rotation }
}

async function inSoftware(folder: string, count: number): Promise<Rates> {
  const path = join(folder, 'keys')
  const weak = { chance: randomBytes, log2N: 10, allowWeak: true }
  const keys = createSoftwareKeyStore({ path, name: 'bench', passphrase: Buffer.from('bench'), ...weak })
  const { aes } = await cryptography(softwareSymmetricModule(keys, randomBytes), count, { aes: bareAes })
  keys.close()
  return aes
}

async function inToken(count: number): Promise<{ readonly calls: Rates; readonly aes: Rates }> {
  const hsm = softHsm()
  try {
    hsm.token('bench')
    const opening = { library: hsm.library, token: 'bench', pin: Buffer.from(testPin), chance: randomBytes }
    const module = openPkcs11SymmetricModule({ ...opening, clock: () => new Date() })
    const calls = (material: Material) => bareToken(hsm.library, 'bench', material)
    const rates = await cryptography(module, count, { calls, aes: bareAes })
    module.close()
    return rates
  } finally {
    hsm.remove()
  }
}

async function rotate(meters: number, folder: string, signal: AbortSignal, say: (text: string) => void) {
  const kinds = [{ share: 100, model: ['plain-meter'] as [string] }]
  const uses: Record<'before' | 'after', Record<string, Use>> = { before: {}, after: {} }
  const story = await demo(join(folder, 'smets1'), meters, say, {
    kinds,
    signal,
    look: (when, pids) => {
      uses[when] = usesOf({ ...pids })
    },
  })
  const rotated = story.models.reduce((sum, { rotated }) => sum + rotated, 0)
  if (rotated !== meters) throw new Error(`${rotated} of ${meters} meters were rotated`)
  const { seconds, growth } = story
  const metersPerSecond = meters / seconds.rotating
  const each = ({ store, journal, entries }: Size): Size => ({
    store: Math.round(store / meters),
    journal: Math.round(journal / meters),
    entries: Math.round(entries / meters),
  })
  const cpu = Object.entries(uses.after).map(
    ([name, { cpuSeconds }]) => [name, (cpuSeconds - (uses.before[name]?.cpuSeconds ?? 0)) / meters] as const,
  )
  const cpuSecondsPerMeter = cpu.reduce((sum, [, seconds]) => sum + seconds, 0)
  return {
    meters,
    metersPerSecond: rounded(metersPerSecond, 2),
    daysForFiveMillion: rounded(5e6 / metersPerSecond / 86_400, 1),
    cpuSecondsPerMeter: rounded(cpuSecondsPerMeter, 3),
    cpuMsPerMeter: Object.fromEntries(cpu.map(([name, seconds]) => [name, rounded(seconds * 1000)])),
    coreDaysForFiveMillion: rounded((5e6 * cpuSecondsPerMeter) / 86_400, 1),
    memoryMiB: Object.fromEntries(
      Object.entries(uses.after).map(([name, { memoryMiB }]) => [
        name,
        { before: rounded(uses.before[name]?.memoryMiB ?? 0), after: rounded(memoryMiB) },
      ]),
    ),
    perMeter: { s1sp: each(growth.s1sp), dco: each(growth.dco) },
  }
}
