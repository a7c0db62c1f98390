import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { copyInto, type FieldType, type Value } from './copy.ts'
import { encodeRows } from './copy-format.ts'
import { openStore, type Store } from './store.ts'
import { type TestStore, testStore } from './testing.ts'

let test: TestStore
let store: Store

before(async () => {
  test = await testStore()
  store = test.store
  await store.query(`CREATE TABLE everything (
    row int4 PRIMARY KEY, bool bool, int2 int2, int4 int4, int8 int8, bytea bytea, text text, at timestamptz,
    "a name to quote" text DEFAULT 'as it was')`)
})

after(() => test.close())

beforeEach(() => store.query('TRUNCATE everything'))

const columns: Record<string, FieldType> = {
  row: 'int4',
  bool: 'bool',
  int2: 'int2',
  int4: 'int4',
  int8: 'int8',
  bytea: 'bytea',
  text: 'text',
  at: 'timestamptz',
}

const copy = (rows: Iterable<readonly Value[]>, named = columns, table = 'everything') =>
  store.transaction(client => copyInto(client, table, named, rows))

const kept = async (): Promise<Value[][]> => {
  const { rows } = await store.query(`SELECT ${Object.keys(columns).join(', ')} FROM everything ORDER BY row`)
  return rows.map(row => Object.values(row))
}

const end = new Date('9999-12-31T23:59:59Z')

describe('rows that are copied into a table', () => {
  it('come out as they went in, at the edges of every type', async () => {
    const rows: Value[][] = [
      [0, true, 32767, 2147483647, 2n ** 63n - 1n, Buffer.from([0, 255, 10, 92]), 'a meter', end],
      [1, false, -32768, -2147483648, -(2n ** 63n), Buffer.alloc(0), '', new Date(0)],
      [2, null, null, null, null, null, null, null],
      [
        3,
        true,
        0,
        0,
        0n,
        Buffer.alloc(300_000, 7),
        'zähler \u{1f4a1} € \\N \t\n',
        new Date('1999-12-31T23:59:59.999Z'),
      ],
      [4, true, -1, -1, -1n, Uint8Array.of(1), 'x'.repeat(300_000), new Date('0001-01-01T00:00:00Z')],
    ]
    assert.equal(await copy(rows), 5)
    const expected = rows.map(row => row.map(value => (value instanceof Uint8Array ? Buffer.from(value) : value)))
    assert.deepEqual(await kept(), expected)
  })

  it('are what PostgreSQL itself calls the same values', async () => {
    await copy([[1, true, 1, 1, 9007199254740991, Buffer.from('cafe', 'hex'), '£', end]])
    const { rows } = await store.query(`SELECT int8::text, bytea::text, at AT TIME ZONE 'UTC' AS at,
      (at AT TIME ZONE 'UTC')::text AS shown, octet_length(text) AS length FROM everything`)
    const [{ int8, bytea, shown, length }] = rows as [Record<string, unknown>]
    assert.deepEqual(
      { int8, bytea, shown, length },
      { int8: '9007199254740991', bytea: '\\xcafe', shown: '9999-12-31 23:59:59', length: 2 },
    )
  })

  it('come out as they went in, whatever they are', async () => {
    const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
    const row = fc.tuple(
      nullable(fc.boolean()),
      nullable(fc.integer({ min: -32768, max: 32767 })),
      nullable(fc.integer()),
      nullable(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger())),
      nullable(fc.uint8Array({ maxLength: 300 })),
      // PostgreSQL keeps no zero octet in text.
      nullable(fc.string({ unit: 'binary' }).map(text => text.replaceAll('\0', ''))),
      nullable(fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: end, noInvalidDate: true })),
    )
    const property = fc.asyncProperty(fc.array(row, { maxLength: 40 }), async drawn => {
      await store.query('TRUNCATE everything')
      const rows = drawn.map((values, index) => [index, ...values])
      assert.equal(await copy(rows), rows.length)
      const same = (value: Value, index: number): Value =>
        value instanceof Uint8Array
          ? Buffer.from(value)
          : index === 4 && value !== null
            ? BigInt(value as number)
            : value
      assert.deepEqual(
        await kept(),
        rows.map(values => values.map(same)),
      )
    })
    await fc.assert(property, { numRuns: 50 })
  })

  it('may be none, and may be many more than one piece holds', async () => {
    assert.equal(await copy([]), 0)
    const many = function* () {
      for (let row = 0; row < 20_000; row++)
        yield [row, true, 1, row, BigInt(row), Buffer.alloc(100, row), `${row}`, end]
    }
    assert.equal(await copy(many()), 20_000)
    const { rows } = await store.query(
      'SELECT count(*), sum(int8)::int8 AS sum FROM everything WHERE text = row::text AND get_byte(bytea, 99) = row % 256',
    )
    assert.deepEqual(rows, [{ count: 20_000n, sum: 199_990_000n }])
  })

  it('may hold millions of octets, which are sent from where they are', async () => {
    const octets = Buffer.alloc(3 * 2 ** 20 + 1, 'octets of a list ')
    const pieces = [...encodeRows(['bytea'], [[octets]])]
    assert.ok(pieces.filter(piece => piece.buffer === octets.buffer).length > 10)
    assert.equal(await copy([[1, octets, 'behind']], { row: 'int4', bytea: 'bytea', text: 'text' }), 1)
    const { rows } = await store.query('SELECT bytea, text FROM everything WHERE row = 1')
    assert.ok(octets.equals(rows[0]!.bytea as Buffer))
    assert.equal(rows[0]!.text, 'behind')
  })

  it('leave to its default each column that is not named, and may name any', async () => {
    await copy([[1]], { row: 'int4' }, 'public.everything')
    await copy([[2, 'said']], { row: 'int4', 'a name to quote': 'text' })
    const { rows } = await store.query('SELECT "a name to quote" AS it FROM everything ORDER BY row')
    assert.deepEqual(rows, [{ it: 'as it was' }, { it: 'said' }])
  })

  const fine = (row: number): Value[] => [row, true, 1, 1, 1n, null, 'x', end]
  const oneBad = function* (bad: readonly Value[]) {
    for (let row = 0; row < 6000; row++) yield row === 5000 ? bad : fine(row)
  }
  const failures: Record<string, [readonly Value[], object]> = {
    'a number beyond two octets': [[5000, true, 32768, 1, 1n, null, 'x', end], RangeError],
    'a fraction': [[5000, true, 1, 1.5, 1n, null, 'x', end], RangeError],
    'a bigint beyond eight octets': [[5000, true, 1, 1, 2n ** 63n, null, 'x', end], RangeError],
    'a number that is not exact': [[5000, true, 1, 1, 2 ** 53, null, 'x', end], RangeError],
    'a date that is none': [[5000, true, 1, 1, 1n, null, 'x', new Date(Number.NaN)], RangeError],
    'half a character': [[5000, true, 1, 1, 1n, null, '\ud800', end], RangeError],
    'a value too few': [[5000, true, 1, 1, 1n, null, 'x'], RangeError],
    'text for octets': [[5000, true, 1, 1, 1n, 'x', 'x', end], TypeError],
    'octets for text': [[5000, true, 1, 1, 1n, null, Buffer.from('x'), end], TypeError],
    'nothing at all': [[5000, undefined as unknown as null, 1, 1, 1n, null, 'x', end], TypeError],
    'a key that is taken': [fine(4999), { code: '23505' }],
    'a zero octet in text': [[5000, true, 1, 1, 1n, null, 'a\0b', end], { code: '22021' }],
  }
  for (const [what, [bad, error]] of Object.entries(failures)) {
    it(`leave nothing behind when one of them has ${what}, and the connection is of use again`, async () => {
      const other = await openStore(test.connection, { max: 1 })
      // Outside a transaction: the COPY alone must see to it.
      await other.transaction(async client => {
        await client.query('COMMIT')
        await assert.rejects(copyInto(client, 'everything', columns, oneBad(bad)), error)
        assert.equal((await client.query('SELECT count(*) FROM everything')).rows[0].count, 0n)
        assert.equal(await copyInto(client, 'everything', columns, [fine(1)]), 1)
        await client.query('BEGIN')
      })
      await other.close()
      assert.equal((await kept()).length, 1)
    })
  }

  it('are not read at all when there is no such table', async () => {
    await assert.rejects(copy([fine(1)], columns, 'nowhere'), { code: '42P01' })
    assert.deepEqual(await kept(), [])
  })
})

describe('the octets of a COPY', () => {
  it('are those of the manual', () => {
    const octets = Buffer.concat([...encodeRows(['int2', 'text', 'bool'], [[258, 'ab', null]])])
    const header = '5047434f50590aff0d0a00' + '00000000' + '00000000'
    const row = '0003' + '00000002' + '0102' + '00000002' + '6162' + 'ffffffff'
    assert.equal(octets.toString('hex'), `${header}${row}ffff`)
  })

  it('come in pieces, and a piece stays as it was while the next are made', () => {
    const rows = Array.from({ length: 3000 }, (_, row) => [Buffer.alloc(1000, row)])
    const pieces: Buffer[] = []
    const copies: Buffer[] = []
    for (const piece of encodeRows(['bytea'], rows)) {
      pieces.push(piece)
      copies.push(Buffer.from(piece))
    }
    assert.ok(pieces.length > 5 && pieces.every(({ length }) => length < 300_000))
    assert.ok(pieces.every((piece, index) => piece.equals(copies[index]!)))
  })
})
