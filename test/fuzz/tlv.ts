/** Octets as a tree of tag, length and content, read without any strictness, so that the tree can be changed and written. */

export interface Node {
  readonly tag: number
  readonly content: Buffer | Node[]
  /** How the length is written: 0 or absent right; 1 one octet too long, 2 without an end, 3 one too many. */
  readonly lengths?: number | undefined
}

export const children = ({ content }: Node): Node[] | undefined => (Array.isArray(content) ? content : undefined)

/** What looks like elements from the first octet to the last, or undefined. Strings that look so are opened, too. */
export function parse(octets: Buffer, depth = 0): Node[] | undefined {
  const found: Node[] = []
  for (let at = 0; at < octets.length; ) {
    const tag = octets[at]!
    let length = octets[at + 1]
    if (length === undefined || (tag & 0x1f) === 0x1f) return undefined
    let start = at + 2
    if (length >= 0x80) {
      const count = length & 0x7f
      if (count === 0 || count > 3 || start + count > octets.length) return undefined
      length = octets.readUIntBE(start, count)
      start += count
    }
    const content = octets.subarray(start, start + length)
    if (content.length !== length) return undefined
    const opened = depth < 24 && (tag & 0x20 || tag === 0x04) && length > 0 ? parse(content, depth + 1) : undefined
    found.push({ tag, content: opened ?? content })
    at = start + length
  }
  return found.length === 0 ? undefined : found
}

/** Every element of the tree, as the place where it stands. */
export function nodes(tree: Node[]): { list: Node[]; index: number }[] {
  return tree.flatMap((node, index) => [{ list: tree, index }, ...nodes(children(node) ?? [])])
}

export function written(tree: readonly Node[]): Buffer {
  return Buffer.concat(
    tree.flatMap(({ tag, content, lengths = 0 }) => {
      const inside = Array.isArray(content) ? written(content) : content
      return [Buffer.of(tag), lengthOf(inside.length, lengths), inside]
    }),
  )
}

function lengthOf(length: number, how: number): Buffer {
  if (how === 2) return Buffer.of(0x80)
  const said = how === 3 ? length + 1 : length
  const octets: number[] = []
  for (let rest = said; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  if (how === 1) return Buffer.of(0x80 | (octets.length + 1), 0, ...octets)
  return said < 0x80 ? Buffer.of(said) : Buffer.of(0x80 | octets.length, ...octets)
}
