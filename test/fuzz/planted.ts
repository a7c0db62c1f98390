/** A reader with a fault in it, so that the fuzzer's tests can see one found. */

/** @throws TypeError for octets that begin with four certain ones */
export function planted(octets: Buffer): number {
  if (octets[0] === 0x30) {
    if (octets[1] === 0x82) {
      if (octets[2] === 0x11) {
        if (octets[3] === 0x7f) throw new TypeError('found')
        return 3
      }
      return 2
    }
    return 1
  }
  return 0
}
