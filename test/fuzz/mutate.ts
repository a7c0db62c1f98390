/** New inputs out of old ones: blind changes, changes that keep the structure of DER, and pieces of text put elsewhere. */

import type { Bytes } from '../../src/ground/bytes.ts'
import { children, type Node, nodes, parse, written } from './tlv.ts'

export type Dice = (below: number) => number

export interface Recipe {
  readonly form: 'der' | 'text' | 'octets'
  readonly longest: number
  readonly words: readonly Bytes[]
}

/** An input made from `from`, perhaps with a part of `other` in it. */
export function mutate(from: Buffer, other: Buffer, recipe: Recipe, dice: Dice): Buffer {
  let out = from
  if (recipe.form === 'der' && dice(3) > 0) out = changeTree(out, other, dice)
  if (recipe.form === 'text' && dice(2) === 0) out = movePiece(out, other, dice)
  // A change of the structure stays alone half of the time: with another beside it, it is seldom reached.
  if (out === from || dice(2) === 0) {
    for (let times = 1 << dice(4); times > 0; times--) out = blind(out, other, recipe.words, dice)
  }
  return out.length > recipe.longest ? out.subarray(0, recipe.longest) : out
}

const interesting = [0, 1, 2, 3, 4, 5, 6, 0x0a, 0x0d, 0x10, 0x1f, 0x20, 0x30, 0x31, 0x7f, 0x80, 0x81, 0x82, 0x83]
const larger = [0x84, 0x88, 0xa0, 0xa1, 0xa2, 0xa3, 0xbf, 0xc0, 0xdf, 0xfe, 0xff]
const all = [...interesting, ...larger]

function blind(octets: Buffer, other: Buffer, words: readonly Bytes[], dice: Dice): Buffer {
  if (octets.length === 0) return Buffer.of(dice(256))
  const at = dice(octets.length)
  const upTo = Math.min(octets.length, at + 1 + dice(dice(8) === 0 ? octets.length : 16))
  const put = (middle: Bytes, end = at) => Buffer.concat([octets.subarray(0, at), middle, octets.subarray(end)])
  const changed = (value: number) => {
    const out = Buffer.from(octets)
    out[at] = value
    return out
  }
  switch (dice(13)) {
    case 0:
      return changed(octets[at]! ^ (1 << dice(8)))
    case 1:
      return changed(dice(256))
    case 2:
      return changed(all[dice(all.length)]!)
    case 3:
      return changed(octets[at]! + 1 + dice(8))
    case 4:
      return changed(octets[at]! - 1 - dice(8))
    case 5:
      return put(Buffer.alloc(0), upTo)
    case 6:
      return put(octets.subarray(at, upTo))
    case 7:
      return put(Buffer.from(Array.from({ length: 1 + dice(8) }, () => dice(256))))
    case 8:
      return words.length === 0 ? put(Buffer.of(0)) : put(words[dice(words.length)]!)
    case 9: {
      if (words.length === 0) return changed(0)
      const word = words[dice(words.length)]!
      return put(word, Math.min(octets.length, at + word.length))
    }
    case 10: {
      if (other.length === 0) return put(Buffer.of(0xff))
      const from = dice(other.length)
      return put(other.subarray(from, from + 1 + dice(64)), dice(2) === 0 ? at : upTo)
    }
    case 11:
      return Buffer.from(octets.subarray(0, at))
    default: {
      const from = dice(octets.length)
      return put(octets.subarray(from, from + upTo - at), upTo)
    }
  }
}

/** One element left out, doubled, exchanged, wrapped, given another tag or another content: every length fits again. */
function changeTree(octets: Buffer, other: Buffer, dice: Dice): Buffer {
  const tree = parse(octets)
  if (tree === undefined) return octets
  for (let times = 1 + dice(2); times > 0; times--) {
    const every = nodes(tree)
    const { list, index } = every[dice(every.length)]!
    const node = list[index]!
    switch (dice(10)) {
      case 0:
        list.splice(index, 1)
        break
      case 1:
        list.splice(index, 0, node)
        break
      case 2: {
        const beside = dice(list.length)
        list[index] = list[beside]!
        list[beside] = node
        break
      }
      case 3: {
        const strangers = nodes(parse(other) ?? [node])
        const stranger = strangers[dice(strangers.length)]!
        list[index] = stranger.list[stranger.index]!
        break
      }
      case 4:
        list[index] = { ...node, tag: dice(3) === 0 ? dice(256) : all[dice(all.length)]! }
        break
      case 5:
        list[index] = { tag: 0x30, content: [node] }
        break
      case 6:
        list[index] = { ...node, lengths: dice(4) }
        break
      case 7:
        list[index] = { ...node, content: children(node) ? [] : Buffer.alloc(0) }
        break
      case 8:
        if (!children(node)) list[index] = { ...node, content: blind(node.content as Buffer, other, [], dice) }
        break
      default:
        if (!children(node)) list[index] = { ...node, content: Buffer.alloc(dice(40), dice(256)) }
        else list[index] = { ...node, content: repeated(node, dice) }
    }
    if (tree.length === 0) return Buffer.alloc(0)
  }
  return written(tree)
}

function repeated(node: Node, dice: Dice): Node[] {
  const inside = children(node)!
  return Array.from({ length: inside.length === 0 ? 0 : 1 + dice(64) }, () => inside[dice(inside.length)]!)
}

/** From one delimiter of text to another: taken out, doubled, or put where another stood. */
function movePiece(octets: Buffer, other: Buffer, dice: Dice): Buffer {
  const from = piece(dice(2) === 0 ? octets : other, dice)
  const to = piece(octets, dice)
  const middle = dice(3) === 0 ? '' : from.text
  const whole = octets.toString('latin1')
  const end = dice(2) === 0 ? to.start : to.end
  return Buffer.from(whole.slice(0, to.start) + middle + whole.slice(end), 'latin1')
}

function piece(octets: Buffer, dice: Dice): { text: string; start: number; end: number } {
  const text = octets.toString('latin1')
  const marks = [0, ...[...text.matchAll(/[<>"&;\n-]/g)].map(({ index }) => index), text.length]
  const [a, b] = [marks[dice(marks.length)]!, marks[dice(marks.length)]!]
  return { text: text.slice(Math.min(a, b), Math.max(a, b)), start: Math.min(a, b), end: Math.max(a, b) }
}
