/** What a simulated meter is like: addresses as dlms.md section 7 has them, behaviour as the switches of section 10. */

/** One of the five clients, by its address and the objects that are its own. */
export interface MeterClient {
  /** The wPort that it sends from. */
  readonly address: number
  /** The first value is the name of the current association, which every meter also answers to as 0.0.40.0.0.255. */
  readonly association: string
  readonly frameCounter: string
  readonly securitySetup: string
}

/** The first value of each is the default, and what a meter without any peculiarity does. */
export interface Switches {
  readonly arrayTransfer: 'atomic' | 'one-by-one' | 'one-by-one-stops-at-error' | 'refuses-arrays'
  readonly replyUnder: 'old' | 'new'
  readonly newKeysHold: 'next association' | 'next APDU' | 'immediately'
  /**
   * What the meter wants to receive, under a new key or, after a new AK, under the same. What it sends under one key never
   * goes back: a meter that did that would repeat its own nonces, and no head-end may take its replies.
   */
  readonly counterAfterGuek: 'reset' | 'kept' | 'reset at next association'
  readonly counterAfterAk: 'kept' | 'reset'
  readonly counterRule: 'greater' | 'strictly-next'
  /** The lowest value that is taken under a new key. */
  readonly firstCounter: 0 | 1
  /** `every n-th` drops any ciphered reply, not only those to a transfer of keys. */
  readonly dropReply: 'never' | 'after commit' | 'before commit' | { readonly every: number }
  readonly lieAboutResult: 'never' | '"not OK" after commit' | '"success" without commit'
  /** `forgets the counter`: it goes on from the last value that it stored, rounded up. */
  readonly crashMidway: 'never' | 'between two keys' | 'between storing and replying' | 'forgets the counter'
  readonly protection: '30 only' | 'takes 10' | 'takes 20' | 'demands 10'
  readonly hlsCounter: 'two values' | 'one value'
  readonly publicCounter: 'true value' | 'stale' | 'absurdly high' | 'not readable'
  readonly exceptionOn: 'D8 05' | 'D8 06' | 'silence' | 'close'
  readonly mk: 'rotates' | 'refuses' | 'takes it but keeps the old one'
  readonly setupAccess: 'own client' | 'Management writes all' | 'none'
  readonly dedicatedKey: 'ignores' | 'uses'
  readonly reachable: 'always' | 'never' | { readonly everyMinutes: number; readonly forMinutes: number }
  readonly hostile:
    | 'no'
    | 'replays old APDUs'
    | 'reflects ours'
    | 'wrong title'
    | 'challenge equal to ours'
    | 'challenge that is an APDU'
    | 'huge lengths'
    | 'truncated'
  /** How many transfers of keys go wrong as `dropReply`, `lieAboutResult` and `crashMidway` say; then none does. */
  readonly troubledTransfers: number
  /** How many replies `hostile` bends; then the meter is honest. */
  readonly hostileReplies: number
}

export const plainSwitches: Switches = {
  arrayTransfer: 'atomic',
  replyUnder: 'old',
  newKeysHold: 'next association',
  counterAfterGuek: 'reset',
  counterAfterAk: 'kept',
  counterRule: 'greater',
  firstCounter: 0,
  dropReply: 'never',
  lieAboutResult: 'never',
  crashMidway: 'never',
  protection: '30 only',
  hlsCounter: 'two values',
  publicCounter: 'true value',
  exceptionOn: 'D8 05',
  mk: 'rotates',
  setupAccess: 'own client',
  dedicatedKey: 'ignores',
  reachable: 'always',
  hostile: 'no',
  troubledTransfers: Number.POSITIVE_INFINITY,
  hostileReplies: Number.POSITIVE_INFINITY,
}

export interface MeterModel {
  readonly name: string
  readonly serverAddress: number
  readonly maxPdu: number
  readonly framing: 'glo' | 'general-glo'
  /** With keys. */
  readonly clients: readonly MeterClient[]
  /** The address of the Public client, which has none. */
  readonly publicAddress: number
  readonly managementAddress: number
  readonly holdsBroadcastKey: boolean
  readonly switches: Switches
}

/** Public 16, Data Collection 32, Extended Data Collection 48, Management 64, Firmware 80 (dlms.md section 7). */
export const usualClients: readonly MeterClient[] = [2, 3, 4, 5].map(x => ({
  address: 16 * x,
  association: `0.0.40.0.${x}.255`,
  frameCounter: `0.0.43.1.${x}.255`,
  securitySetup: `0.0.43.0.${x}.255`,
}))

/** A model that differs from the plain one in the switches given. */
export function meterModel(
  name: string,
  switches: Partial<Switches> = {},
  more: Partial<Omit<MeterModel, 'name' | 'switches'>> = {},
): MeterModel {
  return {
    name,
    serverAddress: 1,
    maxPdu: 1070,
    framing: 'glo',
    clients: usualClients,
    publicAddress: 16,
    managementAddress: 64,
    holdsBroadcastKey: false,
    ...more,
    switches: { ...plainSwitches, ...switches },
  }
}
