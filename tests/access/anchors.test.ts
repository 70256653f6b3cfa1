import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Anchors, readAnchors } from '../../src/access/anchors.ts'
import { Audit } from '../../src/access/audit.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import type { Log } from '../../src/platform/log.ts'
import type { State } from '../../src/store/schema.ts'
import { openState } from '../store/stateYard.ts'

const NOW = Date.parse('2026-01-31T23:58:00.000Z')
let folder: string
let state: State
let clock: ManualClock
let audit: Audit
let file: string
let said: string[]

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fenghuo-anchors-'))
  file = path.join(folder, 'anchors.ndjson')
  clock = new ManualClock(NOW)
  said = []
  state = await openState(path.join(folder, 'state.db'))
  audit = new Audit(state, clock)
})
afterEach(async () => {
  await state.destroy()
  rmSync(folder, { recursive: true })
})

const say = (sentence: string): void => void said.push(sentence)
const log: Log = { debug: say, info: say, warn: say, error: say }
const anchors = (at = file) => new Anchors({ audit, file: at, clock, log })
const record = async (...names: string[]) => {
  for (const name of names) await audit.append('li', name, null, null)
}
const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1)
const days = () => lines().map((line) => [JSON.parse(line).day, JSON.parse(line).n])
const read = async () => (await readAnchors(file))?.anchors ?? []

describe('anchors', () => {
  it('are set at the start, each UTC day, and at the end where something was recorded since', async () => {
    await record('one')
    const part = anchors()
    await part.start()
    const [first] = await read()
    expect(first).toEqual({ day: '2026-01-31', at: '2026-01-31T23:58:00.000Z', n: 1, hash: await audit.hashAt(1) })
    await record('two')
    clock.moveTo(clock.now() + 60_000)
    expect(days()).toEqual([['2026-01-31', 1]])
    clock.moveTo(clock.now() + 60_000)
    await expect.poll(days).toEqual([
      ['2026-01-31', 1],
      ['2026-02-01', 2]
    ])
    await part.stop()
    expect(lines()).toHaveLength(2)
    const again = anchors()
    await again.start()
    expect(lines()).toHaveLength(2)
    await record('three')
    await again.stop()
    expect(days().at(-1)).toEqual(['2026-02-01', 3])
    expect(said).toEqual(Array(3).fill('anchor of the audit log'))
    expect(await audit.verify(await read())).toMatchObject({ kind: 'whole', count: 3, anchors: 3 })
  })

  it('tell that the end was cut off, and which anchor is the first to know', async () => {
    for (const name of ['one', 'two', 'three']) {
      await record(name)
      await anchors().stop()
    }
    await state.deleteFrom('audit').where('n', '>', 1).execute()
    const kept = await read()
    expect(await audit.verify()).toMatchObject({ kind: 'whole', count: 1 })
    expect(await audit.verify(kept)).toEqual({
      kind: 'unanchored',
      how: 'cutOff',
      anchor: kept[1],
      sentence: 'The audit log was cut off: the anchor of 2026-01-31 knows record 2, and there are only 1.'
    })
    const part = anchors()
    await part.start()
    expect(part.problem).toMatch(/^The audit log was cut off since its anchor of 2026-01-31 \(record 3\)/)
    await part.stop()
  })

  it('tell that the chain was written anew, as whole as it is', async () => {
    for (const name of ['one', 'two', 'three']) {
      await record(name)
      await anchors().stop()
    }
    await state.deleteFrom('audit').where('n', '>', 1).execute()
    await record('another two', 'another three', 'four')
    const kept = await read()
    expect(await audit.verify()).toMatchObject({ kind: 'whole', count: 4 })
    expect(await audit.verify(kept)).toMatchObject({ kind: 'unanchored', how: 'rewritten', anchor: kept[1] })
    await state.deleteFrom('audit').execute()
    expect(await audit.verify(kept)).toMatchObject({ kind: 'unanchored', how: 'cutOff', anchor: kept[0] })
  })

  it('go on behind a line that a loss of power left incomplete', async () => {
    await record('one')
    await anchors().stop()
    appendFileSync(file, '{"day":"2026-0')
    expect(await readAnchors(file)).toMatchObject({ torn: true, unreadable: [2], anchors: [{ n: 1 }] })
    await record('two')
    const part = anchors()
    await part.start()
    await part.stop()
    expect(lines()[1]).toBe('{"day":"2026-0')
    expect(await readAnchors(file)).toMatchObject({ torn: false, unreadable: [2], anchors: [{ n: 1 }, { n: 2 }] })
  })

  it('that cannot be written hinder nothing, are a problem in a sentence, and are set once they can be', async () => {
    await record('one')
    const elsewhere = path.join(folder, 'not', 'there', 'anchors.ndjson')
    const part = anchors(elsewhere)
    await part.start()
    expect(part.problem).toMatch(/could not be written in .*: ENOENT/)
    await part.stop()
    writeFileSync(path.join(folder, 'not'), '')
    expect(await readAnchors(path.join(folder, 'nothing'))).toBe(null)
  })
})
