/** Pictures of pages made small: at most 256 colours, kept by number (PNG, colour type 3), packed as well as can be. */

import { crc32, deflateSync, inflateSync } from 'node:zlib'

/** @param png with 8 bits a channel, colour type 2 or 6, not interlaced: what Chromium writes */
export function smaller(png: Buffer): Buffer {
  const { width, height, channels, rows } = opened(png)
  const palette = new Map<number, number>()
  const indexes = Buffer.alloc(height * (width + 1))
  // Fewer bits for each colour, until there are few enough: letters have many shades between two colours.
  for (let bits = 8; ; bits--) {
    palette.clear()
    const round = (value: number) => Math.min(255, Math.round(value / 2 ** (8 - bits)) * 2 ** (8 - bits))
    let at = 0
    let to = 0
    for (let y = 0; y < height; y++) {
      indexes[to++] = 0
      for (let x = 0; x < width; x++, at += channels) {
        const colour = (round(rows[at]!) << 16) | (round(rows[at + 1]!) << 8) | round(rows[at + 2]!)
        let index = palette.get(colour)
        if (index === undefined) {
          index = palette.size
          palette.set(colour, index)
        }
        indexes[to++] = index & 255
      }
    }
    if (palette.size <= 256) break
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 3, 0, 0, 0], 8)
  const colours = Buffer.from([...palette.keys()].flatMap(one => [one >> 16, (one >> 8) & 255, one & 255]))
  const signature = png.subarray(0, 8)
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(indexes, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), content])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(content.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** The rows with their filters undone (PNG section 9.2). */
function opened(png: Buffer) {
  const [width, height, kind] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25]]
  const channels = kind === 6 ? 4 : 3
  const packed: Buffer[] = []
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') packed.push(png.subarray(at + 8, at + 8 + length))
    at += 12 + length
  }
  const filtered = inflateSync(Buffer.concat(packed))
  const line = width * channels
  const rows = Buffer.alloc(line * height)
  for (let y = 0; y < height; y++) {
    const filter = filtered[y * (line + 1)]
    for (let i = 0; i < line; i++) {
      const left = i >= channels ? rows[y * line + i - channels]! : 0
      const up = y > 0 ? rows[(y - 1) * line + i]! : 0
      const corner = i >= channels && y > 0 ? rows[(y - 1) * line + i - channels]! : 0
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter!]!
      rows[y * line + i] = (filtered[y * (line + 1) + 1 + i]! + guess) & 255
    }
  }
  return { width, height, channels, rows }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner
  const [a, b, c] = [left, up, corner].map(one => Math.abs(guess - one)) as [number, number, number]
  return a <= b && a <= c ? left : b <= c ? up : corner
}
