/** Tables as files of comma-separated values (RFC 4180), which a spreadsheet opens without running anything in them. */

import type { Download } from '../frame/page.ts'

export type Cell = string | number | bigint | Date | undefined

/** Instants as UTC (RFC 3339). In UTF-8 with its mark, by which spreadsheets know it. */
export function csv(name: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): Download {
  const text = [columns, ...rows].map(row => `${row.map(cell).join(',')}\r\n`).join('')
  return { name, type: 'text/csv; charset=utf-8', octets: `\ufeff${text}` }
}

function cell(value: Cell): string {
  if (value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'string') return String(value)
  // What begins like a formula is run by spreadsheets: a mark before it makes it text. One that has marks gets one more, so
  // that the mark can be taken away again.
  const plain = /^'*[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(plain) || plain !== plain.trim() ? `"${plain.replaceAll('"', '""')}"` : plain
}
