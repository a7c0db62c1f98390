/** Versions of documents by their names: `2.1`, `M8.0`, `v11.1`; which of two is the later. */

/** The numbers of a version's name, or undefined for one that has none. Letters before them are the document's own. */
function numbersOf(version: string): number[] | undefined {
  const [, numbers] = /^[A-Za-z]{0,3}(\d{1,6}(?:\.\d{1,6}){0,4})$/.exec(version) ?? []
  return numbers?.split('.').map(Number)
}

export function isVersion(version: string): boolean {
  return numbersOf(version) !== undefined
}

/** Whether the first is later than the second: number by number; `2.0.1` is later than `2.0`. What has no number is before all. */
export function isLater(version: string, than: string): boolean {
  const [own, other] = [numbersOf(version) ?? [], numbersOf(than) ?? []]
  for (let i = 0; i < Math.max(own.length, other.length); i++) {
    const difference = (own[i] ?? -1) - (other[i] ?? -1)
    if (difference !== 0) return difference > 0
  }
  return false
}
