/** Text that people write here: without characters that steer a terminal. */

/** One line, of at most so many characters. */
export function isPlainText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most && value.isWellFormed() && !/\p{Cc}/u.test(value)
}

/** As many lines as it likes. */
export function isProse(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most && isPlainText(value.replaceAll('\n', ' '), most)
}
