import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assumed } from '../../../policy/settings.ts'
import type { KeyedClient, LastingType } from '../../../policy/symmetric/keys.ts'
import { modelsOf, symmetricSettings } from '../../../policy/symmetric/settings.ts'
import type { Stage } from '../../../policy/symmetric/stages.ts'
import { candidates, carriers, stepsOf, together } from './plan.ts'
import type { StoredKey } from './records.ts'

const rotates = { ak: true, guek: true, broadcast: true, mk: true }
const settings = symmetricSettings(assumed).parse({
  models: [
    { name: 'all', rotates },
    { name: 'together', rotates, keyTransfer: 'one-array' },
    { name: 'usual' },
    {
      name: 'strict',
      rotates,
      keyTransfer: 'one-array',
      counters: { rule: 'strictly-next', first: 1, maxJump: 1 },
    },
  ],
})
const models = modelsOf(settings)
const order = settings.clientOrder
const shown = (steps: ReturnType<typeof stepsOf>) =>
  steps.map(({ holder, types }) => `${holder} ${types.join('+')}`)

describe('The plan of a rotation', () => {
  it('takes AK before GUEK, Management last of the clients, and the MK last of all', () => {
    assert.deepEqual(shown(stepsOf(models.get('all')!, order)), [
      ...['data-collection', 'extended-data-collection', 'firmware', 'management'].flatMap(client => [
        `${client} AK`,
        `${client} GUEK`,
        `${client} GBEK`,
      ]),
      'device MK',
    ])
  })

  it('takes two keys in one transfer only where the model is known to take them together', () => {
    const steps = shown(stepsOf(models.get('together')!, order))
    assert.deepEqual(steps.slice(0, 2), ['data-collection AK+GUEK', 'data-collection GBEK'])
  })

  it('sends no AK without a new GUEK to a Device that wants strictly the next counter', () => {
    const steps = (...wanted: string[]) => shown(stepsOf(models.get('strict')!, order, wanted))
    assert.deepEqual(steps('firmware/AK'), ['firmware AK+GUEK'])
    assert.deepEqual(steps('firmware/GUEK'), ['firmware GUEK'])
    assert.deepEqual(shown(stepsOf(models.get('together')!, order, ['firmware/AK'])), ['firmware AK'])
    assert.deepEqual(together(models.get('strict')!, ['AK']), ['AK', 'GUEK'])
    assert.deepEqual(together(models.get('together')!, ['AK']), ['AK'])
  })

  it('leaves out what the model cannot, and what is not wanted', () => {
    const usual = models.get('usual')!
    assert.ok(!shown(stepsOf(usual, order)).some(step => /MK|GBEK/.test(step)))
    assert.deepEqual(shown(stepsOf(usual, order, ['firmware/GUEK', 'device/MK'])), ['firmware GUEK'])
  })

  it('goes through the client itself, and through Management where that may set its keys', () => {
    const usual = models.get('usual')!
    assert.deepEqual(carriers(usual, 'firmware'), ['firmware', 'management'])
    assert.deepEqual(carriers(usual, 'management'), ['management'])
    assert.deepEqual(carriers(usual, 'device'), ['management'])
  })
})

describe('The keys that a client may hold', () => {
  const holder: KeyedClient = 'firmware'
  const key = (type: LastingType, stage: Stage, more: Partial<StoredKey> = {}): StoredKey => ({
    id: `${type} ${stage}`,
    device: '00'.repeat(8),
    holder,
    type,
    generation: stage === 'active' ? 0 : 1,
    stage,
    octets: Buffer.alloc(1),
    rotation: null,
    message: null,
    corrupt: false,
    ...more,
  })
  const [ak, guek, newAk, newGuek] = [
    key('AK', 'active'),
    key('GUEK', 'active'),
    key('AK', 'offered'),
    key('GUEK', 'offered'),
  ]
  const ids = (keys: readonly StoredKey[], successSeen = false) => {
    const { likely, mixed } = candidates(keys, holder, successSeen)
    return [likely, mixed].map(pairs => pairs.map(pair => `${pair.ak.stage}, ${pair.guek.stage}`))
  }

  it('are the proven ones, as long as nothing was offered', () => {
    assert.deepEqual(ids([ak, guek, key('AK', 'made')]), [['active, active'], []])
  })

  it('are old or new of a key that was offered; the new one first if a success was seen', () => {
    assert.deepEqual(ids([ak, guek, newAk]), [['active, active', 'offered, active'], []])
    assert.deepEqual(ids([ak, guek, newAk], true), [['offered, active', 'active, active'], []])
  })

  it('are all four of two that were offered, the mixed ones last', () => {
    const mixed = ['offered, active', 'active, offered']
    assert.deepEqual(ids([ak, guek, newAk, newGuek]), [['active, active', 'offered, offered'], mixed])
    assert.deepEqual(ids([ak, guek, newAk, newGuek], true), [['offered, offered', 'active, active'], mixed])
  })

  it('never is one that is corrupt, lost or another client’s', () => {
    assert.deepEqual(ids([{ ...ak, corrupt: true }, guek, newAk]), [['offered, active'], []])
    assert.deepEqual(ids([{ ...ak, octets: null }, guek]), [[], []])
    assert.deepEqual(ids([{ ...ak, holder: 'management' }, guek]), [[], []])
  })
})
