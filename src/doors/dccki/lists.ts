/** CRLs and ARLs of the DCCKI for download, every version, with what a cache needs (dccki.md section 5; DCK-A06). */

import { hash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { type AuthorityRecord, authorities } from '../../rooms/authority/register.ts'
import { listOf, listVersions } from '../../rooms/repository/list-history.ts'
import type { DcckiWorld } from './door.ts'
import { fit, json } from './message.ts'
import { refuse } from './refusals.ts'

const named = z.strictObject({
  file: z
    .string()
    .max(100)
    .regex(/^[a-z0-9-]+\.crl$/),
})
const which = z.strictObject({
  number: z
    .string()
    .regex(/^[1-9]\d{0,18}$/)
    .transform(BigInt)
    .optional(),
})

/** `EII DCCKICA` is `eii-dcckica`. */
export function fileName({ name }: Pick<AuthorityRecord, 'name'>): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
}

export function dcckiAuthorities({ store }: Pick<DcckiWorld, 'store'>): Promise<AuthorityRecord[]> {
  return authorities(store).then(all => all.filter(one => one.pki === 'dccki'))
}

export function addLists(app: FastifyInstance, world: DcckiWorld): void {
  const { store } = world

  app.get('/crl', async (_, reply) => {
    const lists = []
    for (const one of await dcckiAuthorities(world))
      lists.push({ file: `${fileName(one)}.crl`, versions: await listVersions(store, one.id) })
    return json(reply, { lists })
  })

  app.get('/crl/:file', async (request, reply) => {
    const { file } = fit(named, request.params)
    const { number } = fit(which, request.query)
    const authority = (await dcckiAuthorities(world)).find(one => `${fileName(one)}.crl` === file)
    const list = authority && (await listOf(store, authority.id, number))
    if (!list) throw refuse('NOTHING_THERE')
    const etag = `"${hash('sha256', list.der, 'hex')}"`
    reply.header('etag', etag).header('last-modified', list.thisUpdate.toUTCString())
    // A version that was superseded never changes; the current one is asked for again each time.
    reply.header('cache-control', number === undefined ? 'no-cache' : 'max-age=31536000, immutable')
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type('application/pkix-crl').send(list.der)
  })
}
