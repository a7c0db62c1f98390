import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, it } from 'node:test'
import { living, stillLives } from './living.ts'

/** What a test that failed left running would keep the tests from ending. */
const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

describe('a process', () => {
  it('lives, and is the same one when it is asked again', () => {
    const own = living(process.pid)
    assert.ok(own && own.pid === process.pid && own.born.length > 8)
    assert.deepEqual(living(process.pid), own)
    assert.equal(stillLives(own), true)
  })

  it('does not live once it has ended', async () => {
    const child = spawn('/bin/cat')
    started.push(child)
    const seen = living(child.pid!)!
    assert.equal(stillLives(seen), true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.equal(stillLives(seen), false)
    assert.equal(living(child.pid!), undefined)
  })

  it('is not the later one that has its process id', () => {
    assert.equal(stillLives({ pid: process.pid, born: 'another boot 4711' }), false)
  })

  it('does not live when only its parent has not asked yet how it ended', async () => {
    // The shell becomes `cat`, which never asks after the child that the shell had.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0.1 & echo $!; exec cat'])
    started.push(parent)
    const [line] = await once(parent.stdout, 'data')
    const zombie = living(Number(line))!
    assert.equal(stillLives(zombie), true)
    await new Promise(resolve => setTimeout(resolve, 300))
    assert.equal(stillLives(zombie), false)
    process.kill(zombie.pid, 0) // The id is still taken: asking the kernel for the id alone would be fooled.
  })
})
