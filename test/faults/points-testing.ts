/** A few statements of every kind, to see which of them are points. */

import { copyInto } from '../../src/ground/store/copy.ts'
import { Points, withPoints } from './points.ts'
import type { Stage } from './stage.ts'

export async function points({ scene }: Stage): Promise<readonly string[]> {
  await scene.store.query('CREATE TABLE tried (n int); CREATE SEQUENCE tried_numbers')
  try {
    const seen = new Points()
    const store = withPoints(scene.store, seen)
    await store.query('INSERT INTO tried VALUES (1)')
    await store.query('SELECT n FROM tried FOR UPDATE')
    await store.transaction(async client => {
      await client.query('SELECT n FROM tried FOR UPDATE OF tried SKIP LOCKED')
      await client.query('UPDATE tried SET n = 2')
    })
    // What only reads has nothing to commit.
    await store.transaction(client => client.query('SELECT n FROM tried'))
    await store.transaction(client => copyInto(client, 'tried', { n: 'int4' }, [[3]]))
    await store.query("SELECT nextval('tried_numbers')")
    return seen.passed
  } finally {
    await scene.store.query('DROP TABLE tried; DROP SEQUENCE tried_numbers')
  }
}
