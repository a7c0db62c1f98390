/** The use cases around security credentials, by their message codes (recovery.md sections 6 and 7). */

export const useCases = {
  CS02a: 0x0008,
  CS02c: 0x000a,
  CS02d: 0x000b,
  CS02e: 0x000c,
  CS02f: 0x011b,
  CS02bAlert: 0x00cb,
  CS02gAlert: 0x0124,
} as const

export interface ReplacementMode {
  readonly mode: number
  readonly messageCode: number
  readonly name: string
  /** CS02g replaces the credentials of load controllers. */
  readonly useCase: 'CS02b' | 'CS02g'
  /** The role whose cell authorises the command; undefined where the access control broker replaces its own. */
  readonly authoriser: number | undefined
  /** What protects the command to a Device; a Communications Hub gets signature and MAC of the access control broker too. */
  readonly protection: 'signature and MAC' | 'MAC' | 'signature'
}

const mode = (
  number: number,
  messageCode: number,
  name: string,
  authoriser: number | undefined,
  protection: ReplacementMode['protection'] = 'signature and MAC',
): ReplacementMode => ({
  mode: number,
  messageCode,
  name,
  useCase: number >= 10 ? 'CS02g' : 'CS02b',
  authoriser,
  protection,
})

/** Modes 0 and 1 were never observed: their numbers follow from the codes. */
export const replacementModes: readonly ReplacementMode[] = [
  mode(0, 0x0100, 'rootBySupplier', 2),
  mode(1, 0x0101, 'rootByWanProvider', 6),
  mode(2, 0x0102, 'supplierBySupplier', 2),
  mode(3, 0x0103, 'networkOperatorByNetworkOperator', 3),
  mode(4, 0x0104, 'accessControlBrokerByACB', undefined, 'MAC'),
  mode(5, 0x0105, 'wanProviderByWanProvider', 6),
  mode(6, 0x0106, 'transCoSByTransCoS', 5),
  mode(7, 0x0107, 'supplierByTransCoS', 5),
  mode(8, 0x0108, 'anyExceptAbnormalRootByRecovery', 1, 'signature'),
  mode(9, 0x0109, 'anyByContingency', 0, 'signature'),
  mode(10, 0x0125, 'loadControllerByLoadController', 8),
  mode(11, 0x0126, 'loadControllerBySupplier', 2),
]

export function modeOf(number: number): ReplacementMode | undefined {
  return replacementModes.find(one => one.mode === number)
}

export function modeOfCode(messageCode: number): ReplacementMode | undefined {
  return replacementModes.find(one => one.messageCode === messageCode)
}

/** StatusCode of an outcome (GBCS, after RFC 5934). */
export const statusCodes = {
  0: 'success',
  5: 'badCertificate',
  10: 'noTrustAnchor',
  17: 'insufficientMemory',
  25: 'trustAnchorNotFound',
  30: 'resourcesBusy',
  127: 'other',
} as const
export type StatusCode = keyof typeof statusCodes

export const isStatusCode = (value: number): value is StatusCode => Object.hasOwn(statusCodes, value)
