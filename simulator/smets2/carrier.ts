/** A simulated DSP: it picks up signed files of commands, brings each to its Device, and hands back signed files of responses. */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bytes, equal, fromHex, toHex } from '../../src/ground/bytes.ts'
import { verifyDetached } from '../../src/ground/cms.ts'
import { fileNameOf, readFile, writeFile } from '../../src/rooms/recovery/files.ts'

/** A Device at the end of the network: answers with its octets, or with nothing. */
export type Reach = (device: string, message: Bytes) => readonly Bytes[]

export interface CarrierStart {
  readonly event: string
  /** With the folders `out` and `in`. */
  readonly folder: string
  readonly reach: Reach
  /** Makes the detached signature of a file of ours. */
  readonly sign: (octets: Bytes) => Buffer
  /** Whose signature files of commands carry, DER; a file by another is not carried. */
  readonly signer: Bytes
  readonly version: string
  readonly clock: () => Date
}

export interface FileDsp {
  /** What has come is carried. @returns how many messages were brought to Devices */
  turn(): number
  /** How often each command reached the network, by device, originator and counter as they stand in it. */
  readonly seen: ReadonlyMap<string, number>
}

/** Begins with the first file of the event; it is not begun twice on one folder. */
export function fileDsp(start: CarrierStart): FileDsp {
  const { event, folder, reach, sign, signer, version, clock } = start
  const [out, into] = [join(folder, 'out'), join(folder, 'in')]
  const seen = new Map<string, number>()
  let next = 1
  let answered = 0

  function handBack(answers: readonly Bytes[]): void {
    const at = clock().toISOString()
    answered++
    const octets = writeFile({
      fileType: 'RecoveryResponses',
      version,
      sender: 'DSP',
      createdAt: clock(),
      sequence: answered,
      records: answers.map(one => ({ eventReference: event, message: toHex(one), at })),
    })
    const name = fileNameOf('RecoveryResponses', event, answered)
    for (const [as, content] of [
      [`${name}.p7s`, sign(octets)],
      [name, octets],
    ] as const) {
      writeFileSync(join(folder, `.${as}.new`), content)
      renameSync(join(folder, `.${as}.new`), join(into, as))
    }
  }

  return {
    seen,
    turn() {
      let carried = 0
      for (;;) {
        const name = fileNameOf('RecoveryCommands', event, next)
        if (!existsSync(join(out, name)) || !existsSync(into)) return carried
        const octets = readFileSync(join(out, name))
        const { certificate } = verifyDetached(readFileSync(join(out, `${name}.p7s`)), octets)
        if (!equal(certificate.der, signer)) throw new Error(`${name} is signed by another`)
        next++
        const answers: Bytes[] = []
        for (const { deviceId, message } of readFile(octets, 'RecoveryCommands').records) {
          // A message is known by its Grouping Header: what follows it is the same each time, or it is another.
          seen.set(message, (seen.get(message) ?? 0) + 1)
          answers.push(...reach(deviceId, fromHex(message)))
          carried++
        }
        if (answers.length > 0) handBack(answers)
      }
    },
  }
}
