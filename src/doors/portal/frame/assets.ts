/** Style and script: the GOV.UK Design System's, made ours, under names that carry their hash and never change. */

import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

export interface Assets {
  readonly style: string
  readonly system: string
  readonly script: string
}

const installed = new URL('../../../../node_modules/govuk-frontend/dist/govuk/', import.meta.url)
const ours = new URL('./', import.meta.url)
const text = (base: URL, name: string) => readFileSync(new URL(name, base), 'utf8')

/** Registers the three files; whoever asks for them is not asked who he is. @returns their addresses */
export function serveAssets(app: FastifyInstance): Assets {
  const add = (name: string, type: string, content: string): string => {
    const octets = Buffer.from(content)
    const [stem, ending] = name.split('.')
    const path = `/assets/${stem}-${hash('sha256', octets).slice(0, 16)}.${ending}`
    const brotli = brotliCompressSync(octets, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
    const gzip = gzipSync(octets, { level: 9 })
    app.get(path, async (request, reply) => {
      const takes = String(request.headers['accept-encoding'] ?? '')
      const encoding = /\bbr\b/.test(takes) ? 'br' : /\bgzip\b/.test(takes) ? 'gzip' : undefined
      reply.headers({ 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' }).type(type)
      if (encoding) reply.header('content-encoding', encoding)
      return reply.send(encoding === 'br' ? brotli : encoding === 'gzip' ? gzip : octets)
    })
    return path
  }
  const system = add('system.js', 'text/javascript; charset=utf-8', systemScript())
  return {
    style: add('portal.css', 'text/css; charset=utf-8', style()),
    system,
    script: add('portal.js', 'text/javascript; charset=utf-8', text(ours, 'portal.js').replace('%system%', system)),
  }
}

/** Without the Crown, and without the typeface that only services of the government may use. */
export function style(): string {
  const system = text(installed, 'govuk-frontend.min.css')
    .replace(/@font-face\{[^}]*\}/g, '')
    .replace(/"?GDS Transport"?,arial,sans-serif/g, 'var(--portal-face)')
    .replace(/url\(\/assets\/images\/govuk-crest\.svg\)/g, 'none')
    .replace(/\/\*# sourceMappingURL.*/, '')
  return `${system}\n${text(ours, 'portal.css')}`
}

function systemScript(): string {
  return text(installed, 'govuk-frontend.min.js').replace(/\/\/# sourceMappingURL.*/, '')
}
