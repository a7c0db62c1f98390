/** From a request to a page: who is there, what is asked, and what is said when the answer is no. */

import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { attachmentHeaders, isHeld } from '../../../ground/http/attachment.ts'
import { entry } from '../../../ground/journal/entry.ts'
import { append } from '../../../ground/journal/journal.ts'
import { Refusal } from '../../../ground/refusal.ts'
import { readCertificate } from '../../../ground/x509/certificate.ts'
import type { PortalDoor } from '../door.ts'
import { isFor } from '../recovery/who.ts'
import { refuse, statusOf } from '../refusals.ts'
import { type Form, formOctets, readForm } from './form.ts'
import { headersOf } from './headers.ts'
import { type Html, html } from './html.ts'
import { document, sectionNames } from './layout.ts'
import { readMultipart } from './multipart.ts'
import {
  AtField,
  type Download,
  type Fault,
  Faulty,
  type Next,
  type Onward,
  type Page,
  type Section,
  type Shown,
  type Visit,
} from './page.ts'
import { heading, link, paragraph } from './pieces.ts'
import { type Session, sameToken } from './session.ts'
import { maySee, type Visitor, visitorOf } from './visitor.ts'
import { sentence } from './words.ts'

/** Uploads in memory at a time. Defends it: each may have as many octets as a batch of the web service. */
const uploadsAtOnce = 3

export function portalRoutes(app: FastifyInstance, door: PortalDoor): void {
  const tls = door.entry !== 'test'
  const common = headersOf(tls)
  let uploads = 0

  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit: formOctets },
    (_, body, done) => done(null, body),
  )
  app.addContentTypeParser('multipart/form-data', { bodyLimit: Number.MAX_SAFE_INTEGER }, (_, body, done) =>
    done(null, body),
  )
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(common)
    // A name of somebody else's that leads to our loopback address must not become our origin.
    if (door.entry === 'test' && !isLoopback(request.headers.host))
      return reply.code(403).type('text/plain').send('FORM_FOREIGN\n')
    return undefined
  })
  app.setNotFoundHandler((request, reply) => apology(request, reply, refuse('NOTHING_THERE')))
  app.setErrorHandler((cause, request, reply) => apology(request, reply, cause))
  for (const page of door.pages) {
    app.get(page.path, (request, reply) => get(page, request, reply))
    if (page.act) app.post(page.path, (request, reply) => post(page, request, reply))
  }

  async function get(page: Page, request: FastifyRequest, reply: FastifyReply) {
    const visit = await visitOf(request)
    const elsewhere = wrongPlace(page, visit)
    if (elsewhere !== undefined) return reply.redirect(elsewhere, 303)
    if (!maySee(visit.visitor, page)) throw refuse('NOT_FOR_YOU')
    const shown = await page.show(visit)
    if (visit.session && request.headers['x-portal-live'] === undefined) visit.session.notice = undefined
    return answer(reply, page, visit, shown)
  }

  async function post(page: Page, request: FastifyRequest, reply: FastifyReply) {
    const visit = await visitOf(request)
    let form: Form | undefined
    try {
      form = await bodyOf(page, request, visit)
      // An upload may take a while: who may not any more, may not now either.
      const now = page.upload ? await visitOf(request) : visit
      if (page.who !== 'everybody' && !now.session) throw refuse('SESSION_ENDED')
      if (!maySee(now.visitor, page)) throw refuse('NOT_FOR_YOU')
      const next = await page.act!(now, form)
      return isOnward(next) ? go(request, reply, now, next) : answer(reply, page, now, next)
    } catch (cause) {
      const faults = faultsOf(cause)
      // Without a form nothing is shown once more but the page as it was; without a right to it, not even that.
      if (!faults || (page.who !== 'everybody' && !visit.session)) throw cause
      await noteKey(visit, cause)
      if (!maySee(visit.visitor, page) || isEnd(cause)) throw cause
      const again = { ...visit, given: form?.given ?? {}, faults }
      return answer(reply.code(statusOfFault(cause)), page, again, await page.show(again))
    }
  }

  /** The body, once it is known that whoever sends it may. */
  async function bodyOf(page: Page, request: FastifyRequest, visit: Visit): Promise<Form> {
    const allowed = (form: Form) => {
      requireOwn(request, tls)
      if (page.who === 'everybody' && !visit.session) return
      if (!visit.session) throw refuse('SESSION_ENDED')
      if (!maySee(visit.visitor, page)) throw refuse('NOT_FOR_YOU')
      if (!sameToken(visit.session, form.text('token'))) throw refuse('FORM_STALE')
    }
    if (Buffer.isBuffer(request.body)) {
      const form = readForm(request.body)
      allowed(form)
      return form
    }
    const type = request.headers['content-type'] ?? ''
    if (!page.upload || !type.startsWith('multipart/form-data')) throw refuse('FORM_UNFIT')
    const busy = uploads >= uploadsAtOnce
    uploads++
    try {
      return await readMultipart(request.body as IncomingMessage, type, {
        fileOctets: Math.floor(door.settings.services.bodyMiB * 1_048_576),
        announced: Number(request.headers['content-length'] ?? 0),
        onFields(form) {
          allowed(form)
          if (busy) throw refuse('UPLOADS_BUSY')
        },
      })
    } finally {
      uploads--
      if (visit.session) door.sessions.touch(visit.session)
    }
  }

  async function visitOf(request: FastifyRequest): Promise<Visit & { ended?: boolean }> {
    const peer = door.entry === 'certificate' ? peerOf(request.raw.socket as TLSSocket) : undefined
    const found = door.sessions.find(cookieOf(request, tls), peer?.fingerprint)
    const session = found === 'ended' ? undefined : found
    let visitor: Visitor | undefined
    if (session) {
      try {
        visitor = await visitorOf(door, session.identity)
      } catch (cause) {
        // Revoked, returned, out of office: whatever the session was good for, it is over.
        if (cause instanceof Refusal) door.sessions.end(cookieOf(request, tls)!)
        throw cause
      }
    }
    return {
      door,
      visitor,
      session,
      peer,
      at: door.clock(),
      path: request.url.split('?', 1)[0]!,
      params: textOnly(request.params),
      query: textOnly(request.query),
      given: {},
      faults: [],
      notice: session?.notice,
      ...(found === 'ended' && { ended: true }),
    }
  }

  /** Where somebody is sent who is not signed in, or must do something else first. */
  function wrongPlace(page: Page, { visitor, ended }: Visit & { ended?: boolean }): string | undefined {
    if (page.who === 'everybody') return undefined
    if (!visitor) return ended ? '/?ended' : '/'
    if (visitor.mustChange && page.path !== '/password') return '/password'
    return undefined
  }

  function go(request: FastifyRequest, reply: FastifyReply, visit: Visit, { to, says, begin, end }: Onward) {
    const name = tls ? '__Host-portal' : 'portal'
    const how = `Path=/; HttpOnly; SameSite=Strict${tls ? '; Secure' : ''}`
    let session: Session | undefined = visit.session
    const before = cookieOf(request, tls)
    if ((begin || end) && before !== undefined) door.sessions.end(before)
    if (begin) {
      const begun = door.sessions.begin(begin, (visit.peer as BoundPeer | undefined)?.fingerprint)
      session = begun.session
      reply.header('set-cookie', `${name}=${begun.id}; ${how}`)
    }
    if (end) reply.header('set-cookie', `${name}=; Max-Age=0; ${how}`)
    if (session) session.notice = says
    return reply.redirect(to, 303)
  }

  async function answer(reply: FastifyReply, page: Pick<Page, 'title' | 'section'>, visit: Visit, shown: Shown) {
    if (isDownload(shown)) return download(reply, shown)
    const { title, body } = 'body' in shown ? shown : { title: page.title, body: shown as Html }
    return reply.type('text/html; charset=utf-8').send(
      document(
        {
          environment: door.settings.environment,
          test: door.settings.kind === 'test',
          build: door.build,
          assets: door.assets,
          visitor: visit.visitor,
          session: visit.session,
          suspensions: await door.inForce(),
          recoveries: (await door.underWay()).filter(one => isFor(visit.visitor, one)),
          menu: menuOf(visit.visitor),
          section: page.section,
        },
        { title, body, faults: visit.faults, notice: visit.notice },
      ),
    )
  }

  function menuOf(visitor: Visitor | undefined): { section: Section; to: string }[] {
    if (!visitor || visitor.mustChange) return []
    const open = new Set(
      door.pages.filter(one => one.says !== undefined && maySee(visitor, one)).map(one => one.section),
    )
    return (Object.keys(sectionNames) as Section[])
      .filter(section => open.has(section))
      .map(section => ({ section, to: `/${section}` }))
  }

  function download(reply: FastifyReply, { name, type, octets, sha256 }: Download) {
    if (sha256 !== undefined) {
      reply.headers(attachmentHeaders({ type, name, sha256 }))
      const held = isHeld(reply.request.headers['if-none-match'], { sha256 })
      return held ? reply.code(304).send() : reply.send(octets)
    }
    const plain = name.replace(/[^A-Za-z0-9._ -]/g, '_')
    if (octets instanceof Readable)
      octets.on('error', cause => door.log.error({ fault: cause.message }, 'a download broke off'))
    return reply.type(type).header('content-disposition', `attachment; filename="${plain}"`).send(octets)
  }

  /** A page that says no, or that the fault is ours. */
  async function apology(request: FastifyRequest, reply: FastifyReply, cause: unknown) {
    const refusal = cause instanceof Refusal ? cause : cause instanceof AtField ? cause.refusal : byFramework(cause)
    let visit: Visit | undefined
    try {
      visit = await visitOf(request)
    } catch {
      // He is nobody any more: the page is one for everybody.
    }
    const stranger: Visit = {
      door,
      visitor: undefined,
      session: undefined,
      peer: undefined,
      at: door.clock(),
      path: '/',
      params: {},
      query: {},
      given: {},
      faults: [],
      notice: undefined,
    }
    const to = { ...(visit ?? stranger), faults: [], notice: undefined }
    if (refusal) {
      const { title, status } = titleOf(refusal)
      const body = html`${heading(title)}${paragraph(sentence(refusal.message))}${paragraph('Code: ', refusal.code)}${to.visitor ? paragraph(link('/home', 'Go to your pages')) : paragraph(link('/', 'Go to the sign-in page'))}`
      return answer(reply.code(status), { title }, to, { title, body })
    }
    const incident = Buffer.from(door.chance(6)).toString('hex')
    const fault = cause as Error
    door.log.error({ incident, fault: `${fault.name}: ${fault.message}` }, 'a page met a fault')
    const title = 'Sorry, something went wrong on our side'
    const body = html`${heading(title)}${paragraph('Whether what you asked for was done is not known: look before you try again. If it goes on, tell the Service Desk this number.')}${paragraph('Incident: ', incident)}`
    return answer(reply.code(500), { title }, to, { title, body })
  }

  /** A private key that was sent is on record, without a word of it. */
  async function noteKey({ visitor, at }: Visit, cause: unknown): Promise<void> {
    const refusal = cause instanceof AtField ? cause.refusal : cause
    if (!(refusal instanceof Refusal) || refusal.code !== 'PRIVATE_KEY') return
    const [caller] = visitor?.callers ?? []
    const by = caller ? { person: caller.person, ...(caller.party !== undefined && { party: caller.party }) } : {}
    const says = { attempt: 'submit a private key', code: refusal.code, by }
    await door.store.transaction(client => append(client, entry('refused', at, says)))
  }
}

interface BoundPeer {
  readonly issuer: Uint8Array
  readonly serial: Uint8Array
  readonly notAfter: Date
  readonly fingerprint: string
}

const peers = new WeakMap<TLSSocket, BoundPeer>()

function peerOf(socket: TLSSocket): BoundPeer | undefined {
  const known = peers.get(socket)
  if (known) return known
  const shown = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (!shown) return undefined
  const { issuer, serial, notAfter } = readCertificate(shown.raw)
  const peer = { issuer: issuer.der, serial, notAfter: new Date(notAfter.ms), fingerprint: shown.fingerprint256 }
  peers.set(socket, peer)
  return peer
}

function cookieOf({ headers }: FastifyRequest, tls: boolean): string | undefined {
  const name = tls ? '__Host-portal' : 'portal'
  const found = (headers.cookie ?? '').split(';').find(one => one.trim().startsWith(`${name}=`))
  return found?.trim().slice(name.length + 1)
}

function isLoopback(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? '')
}

/** Browsers say where a form comes from. @throws Refusal FORM_FOREIGN */
function requireOwn({ headers }: FastifyRequest, tls: boolean): void {
  const { origin, host } = headers
  if (origin !== undefined && origin !== `${tls ? 'https' : 'http'}://${host}`) throw refuse('FORM_FOREIGN')
}

function textOnly(values: unknown): Record<string, string> {
  const all = Object.entries((values ?? {}) as Record<string, unknown>)
  return Object.fromEntries(all.filter((one): one is [string, string] => typeof one[1] === 'string'))
}

function isDownload(shown: Shown): shown is Download {
  return 'octets' in shown
}

function isOnward(next: Next): next is Onward {
  return 'to' in next
}

function faultsOf(cause: unknown): readonly Fault[] | undefined {
  if (cause instanceof Faulty) return cause.faults
  if (cause instanceof AtField) return [{ field: cause.field, says: said(cause.refusal) }]
  if (cause instanceof Refusal) return [{ says: said(cause) }]
  return undefined
}

function statusOfFault(cause: unknown): number {
  if (cause instanceof Refusal) return statusOf(cause.code)
  return cause instanceof AtField ? statusOf(cause.refusal.code) : 400
}

/** What a page that is shown once more would not help with. */
function isEnd(cause: unknown): boolean {
  return (
    cause instanceof Refusal &&
    ['SESSION_ENDED', 'FORM_FOREIGN', 'NOT_FOR_YOU', 'CREDENTIAL_NOT_IN_USE'].includes(cause.code)
  )
}

const said = ({ code, message }: Refusal): string => `${sentence(message)} (${code})`

function titleOf({ code }: Refusal): { title: string; status: number } {
  const status = statusOf(code)
  if (code === 'SESSION_ENDED') return { title: 'Your session has ended', status }
  if (status === 404) return { title: 'Page not found', status }
  if (status === 403) return { title: 'You cannot do this', status }
  return { title: 'There is a problem', status }
}

/** What HTTP and its framework refuse before anybody here is asked. */
function byFramework(cause: unknown): Refusal | undefined {
  const { statusCode } = cause as { statusCode?: number }
  if (statusCode === undefined || statusCode >= 500) return undefined
  return statusCode === 413 ? refuse('FORM_TOO_LONG') : refuse('FORM_UNFIT')
}
