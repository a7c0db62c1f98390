/** Text that people write: short, and without characters that steer a terminal. */

/** Whether it is such a text, of at most so many characters. */
export function isPlainText(value: unknown, most: number): value is string {
  return typeof value === 'string' && value.length <= most && value.isWellFormed() && !/\p{Cc}/u.test(value)
}
