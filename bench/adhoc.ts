/** placeholder */
import { bench } from './bench.ts'
export const adhoc = bench({ says: 'x', options: {}, run: async () => ({}), table: () => [] })
