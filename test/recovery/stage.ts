/** A drill's world for tests: on a store of its own, taken as far as a test wants it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Act } from '../../src/ground/journal/entry.ts'
import { type TestStore, testStore } from '../../src/ground/store/testing.ts'
import { parseSettings } from '../../src/main/home.ts'
import { begin, type DrillPlan, openDrill, playSteps } from '../../src/main/recovery-drill.ts'
import type { Play } from '../../src/main/recovery-work.ts'
import { systemChance } from '../../src/main/world.ts'
import type { ProcedureName } from '../../src/policy/recovery/cases.ts'
import type { StepAction } from '../../src/policy/recovery/steps.ts'
import { countsOf, openIn, workRound } from '../../src/rooms/recovery/campaign.ts'
import type { Signers } from '../../src/rooms/recovery/signers.ts'
import { journalOf, migrations } from '../registration/office.ts'

export const begins = new Date('2026-11-20T09:00:00Z')

export function drillSettings(recovery: object = {}) {
  return parseSettings(JSON.stringify({ environment: 'drill', kind: 'test', recovery }), 'the test')
}

export interface Stage {
  readonly test: TestStore
  readonly folder: string
  readonly plan: DrillPlan
  readonly play: Play
  signers(): Signers
  /** Rounds until nothing is open, a minute each. */
  work(allowance?: number): Promise<void>
  journal(): Promise<Act[]>
  close(): Promise<void>
}

/** @param until the step before which it stops; without, nothing is notified yet */
export async function openStage(
  procedure: ProcedureName,
  devices: number,
  until?: StepAction,
  more: Partial<DrillPlan> & { readonly recovery?: object } = {},
): Promise<Stage> {
  const test = await testStore({ migrations })
  const folder = mkdtempSync(join(tmpdir(), 'opensmki-drill-'))
  const { recovery = {}, ...plans } = more
  const plan: DrillPlan = {
    procedure,
    devices,
    settings: drillSettings(recovery),
    store: test.store,
    folder,
    chance: systemChance,
    begins,
    faults: {},
    ...plans,
  }
  const play = await openDrill(plan)
  if (until !== undefined) {
    await begin(play)
    await playSteps(play, undefined, until)
  }
  const signers = (): Signers => ({ parties: play.pki.parties, broker: play.pki.broker, awake: play.awake })
  return {
    test,
    folder,
    plan,
    play,
    signers,
    async work(allowance = 1000) {
      const { hands, event, field } = play
      for (let round = 0; openIn(await countsOf(hands.store, event)) > 0; round++) {
        if (round === 2000) throw new Error('it does not come to an end')
        await workRound(hands, event, signers(), field.carrier, allowance)
        play.pass(1)
      }
    },
    journal: () => journalOf(test.store),
    async close() {
      play.pki.close()
      await test.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
