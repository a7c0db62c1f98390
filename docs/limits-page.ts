/** The page of limits: what a client may take of the service, out of the settings and of the code that holds each. */

import { bodyOctets as dcckiOctets } from '../src/doors/dccki/door.ts'
import { bodyOctets as journalOctets } from '../src/doors/journal/door.ts'
import { bodyOctets as operatorOctets } from '../src/doors/operator/door.ts'
import { formOctets } from '../src/doors/portal/frame/form.ts'
import { bodyOctets as repositoryOctets } from '../src/doors/repository/door.ts'
import { longestPacket } from '../src/doors/sftp/packets.ts'
import { mostUnderWay } from '../src/ground/http/guard.ts'
import { headOctets } from '../src/ground/http/listen.ts'
import { limits as pathLimits } from '../src/ground/x509/path/search.ts'
import { defaultLimits as xml } from '../src/ground/xml/read.ts'
import { settingsSchema } from '../src/policy/settings.ts'

/** A limit: where it is set, or its value where it is not, and what becomes of whoever goes beyond it. */
type Row = readonly [what: string, value: string, beyond: string]

export function limitsPage(generated: string, aligned: (rows: string[][]) => string): string {
  const defaults = settingsSchema.parse({ environment: 'a', kind: 'test' })
  const { services, issuing } = defaults
  const set = (key: keyof typeof services, unit = '') => `${shown(services[key])}${unit} (\`services.${key}\`)`
  const table = (...rows: Row[]) =>
    aligned([['limit', 'value', 'what happens beyond it'], ...rows.map(row => [...row])])
  return `# Limits

${generated}

\`\`\`json
{ "services": { "connections": 5000, "connectionsOfAddress": 5000, "newConnectionsOfAddress": 1000 } }
\`\`\`

is what an environment behind a relay wants: all its clients come from one address. Values in the tables are the
defaults; a key in brackets is where it is set, and a value without one is fixed.

## Connections

Of each listener for itself: the Device CSR services, the Repository, the Portals, the operator interface, the journal.

${table(
  [
    'connections at a time',
    set('connections'),
    'the one that has been silent longest is closed; without a silent one, the one idle longest; when all are being answered, the newcomer',
  ],
  [
    'of one address (IPv6: one /64)',
    set('connectionsOfAddress'),
    'the newcomer is closed before anything is read of it',
  ],
  [
    'new ones of one address',
    `${set('newConnectionsOfAddress')} a second, five seconds’ worth in a burst`,
    'the same: a handshake costs us a signature',
  ],
  ['a handshake takes', set('headSeconds', ' s'), 'closed'],
  [
    'handshakes on one connection',
    '1, and 3 more within ten minutes',
    'closed; a client of Appendix M renegotiates every five minutes',
  ],
  ['a head of a request takes', set('headSeconds', ' s'), '408, and closed'],
  ['nothing is said, or no answer read, for', set('idleSeconds', ' s'), 'closed'],
  ['requests without waiting for answers', String(mostUnderWay), 'closed'],
  [
    'SFTP connections',
    `${set('sftpConnections')}, of one Party ${set('sftpConnectionsOfParty')}`,
    'closed; a login has as long as a head',
  ],
)}

## Requests

${table(
  ['a head', `${headOctets.toLocaleString('en-GB')} octets`, '431'],
  [
    'a whole request takes',
    `${set('requestSeconds', ' s')}; at the Repository and the journal ${set('headSeconds', ' s')}`,
    '408, or closed',
  ],
  ['a body is silent for', set('bodySilenceSeconds', ' s'), '408'],
  [
    'a body brings in the mean, after the time of a head',
    `${set('bodyOctetsPerSecond')} octets a second`,
    'closed',
  ],
  [
    'the body of a batch, a file at the Portal',
    set('bodyMiB', ' MiB'),
    '413; read to its end as far as four times that (files: sixteen), and thrown away, so that the client hears it',
  ],
  ['the body of a single CSR', '65,536 octets', '413'],
  ['a body at the Repository', octets(repositoryOctets), '413'],
  ['at the operator interface', octets(operatorOctets), '413; files of documents have a limit of their own'],
  ['at the DCCKI interface', octets(dcckiOctets), '413'],
  ['at the journal', octets(journalOctets), '413'],
  ['a form without a file', octets(formOctets), 'FORM_TOO_LONG'],
  ['a packet of SFTP', octets(longestPacket), 'the connection is closed'],
)}

No body is unpacked: one that says it is compressed is read as what it is, and refused as that.

## Documents

${table(
  ['depth of elements in XML', String(xml.depth), 'FM:AA1'],
  ['characters of a tag, a comment, the text of an element', xml.longest.toLocaleString('en-GB'), 'FM:AA1'],
  ['attributes of an element', String(xml.attributes), 'FM:AA1'],
  ['document types, entities, processing instructions', 'none', 'FM:AA1'],
  ['CSRs in a batch', `${shown(issuing.batchMaximum)} (\`issuing.batchMaximum\`)`, 'FM:AA2'],
  [
    'members of a zip',
    `${shown(issuing.batchMaximum)} (\`issuing.batchMaximum\`)`,
    'FM:AA2, by what the archive says, before any name is read',
  ],
  ['a member of a zip, unpacked', '16,384 octets', 'FM:ZIP; what it says of itself is held against what comes out'],
  ['names in a zip', 'no folder, none twice, `.csr` at the end', 'FM:ZIP'],
  ['a CSR', '4,096 octets', 'CR:CC2'],
  [
    'a path of certificates',
    `${pathLimits.length} certificates, ${pathLimits.steps.toLocaleString('en-GB')} steps of search`,
    'SEARCH_LIMIT',
  ],
)}

## What is seen of it

Refused handshakes are in the log of each program, sixty a minute at most, and then how many were not told. Memory, open
descriptors and the delay of the event loop of each program are among its metrics. \`node test/hostile/all.ts\` attacks a
service of its own in fourteen ways and shows what a good client meets meanwhile.

## What this does not hold

An attacker with many thousands of addresses, or more octets than the line carries, is for what stands before the
service. Limits are held by each listener for itself; two programs on one machine do not know of one another.
`
}

const octets = (count: number) => `${count.toLocaleString('en-GB')} octets`
const shown = (value: unknown) => (typeof value === 'number' ? value.toLocaleString('en-GB') : String(value))
