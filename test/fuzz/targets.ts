/** Every target by its name; each is loaded only where it is wanted, so that only its scripts are looked at. */

import type { Target } from './target.ts'

const targets: Readonly<Record<string, () => Promise<Target>>> = {
  der: async () => (await import('./targets/der.ts')).der,
  certificate: async () => (await import('./targets/x509.ts')).certificate,
  request: async () => (await import('./targets/x509.ts')).request,
  list: async () => (await import('./targets/x509.ts')).revocationList,
  xml: async () => (await import('./targets/xml.ts')).xml,
  zip: async () => (await import('./targets/zip.ts')).zip,
  dlms: async () => (await import('./targets/dlms.ts')).dlms,
  gbcs: async () => (await import('./targets/gbcs.ts')).gbcs,
  text: async () => (await import('./targets/text.ts')).text,
}

export const targetNames: readonly string[] = Object.keys(targets)

/** @throws RangeError for a name that none has */
export async function targetNamed(name: string): Promise<Target> {
  const load = targets[name]
  if (!load) throw new RangeError(`no target ${name}; there are ${targetNames.join(', ')}`)
  return load()
}
