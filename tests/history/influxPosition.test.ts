// How far the journal is stored in InfluxDB, where several data folders belong to one installation: a folder made anew goes on at
// what the database knows, and never takes what it knew itself for what the database has lost.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { InfluxPosition, installationOf, placePosition } from '../../src/history/influxPosition.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-position-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const kept = (): unknown => JSON.parse(readFileSync(path.join(folder, 'influx.json'), 'utf8'))

it('takes the id of the installation where the folder has none, and leaves its own where it is the same', () => {
  expect(installationOf(folder)).toBeNull()
  placePosition(folder, 'plant', null)
  const position = InfluxPosition.open(folder)
  expect([position.installation, position.seq, installationOf(folder)]).toEqual(['plant', 0, 'plant'])
  position.move(70)
  placePosition(folder, 'plant', null)
  expect(InfluxPosition.open(folder).seq).toBe(70)
})

it('goes on at what the database knows where the folder was made anew, but not beyond its journal', () => {
  writeFileSync(path.join(folder, 'influx.json'), '{"layout":1,"installation":"its own","seq":900}\n')
  placePosition(folder, 'plant', { historySeq: 400, lastSeq: 500 })
  const position = InfluxPosition.open(folder)
  expect([position.installation, position.seq]).toEqual(['plant', 400])
  position.learn(480)
  expect([position.seq, kept()]).toEqual([480, { layout: 1, installation: 'plant', seq: 480 }])
  // From here on the folder is like any other: more than it knows was stored by itself, before it could note so.
  position.learn(490)
  expect(position.seq).toBe(480)
  placePosition(folder, 'plant', { historySeq: 480, lastSeq: 500 })
  const again = InfluxPosition.open(folder)
  again.learn(1_000)
  expect(again.seq).toBe(500)
})

it('goes back where the database knows less, and stays where it cannot be asked', () => {
  placePosition(folder, 'plant', { historySeq: 400, lastSeq: 500 })
  const unasked = InfluxPosition.open(folder)
  expect([unasked.seq, kept()]).toEqual([400, { layout: 1, installation: 'plant', seq: 400, upTo: 500 }])
  const restarted = InfluxPosition.open(folder)
  restarted.learn(300)
  expect([restarted.seq, kept()]).toEqual([300, { layout: 1, installation: 'plant', seq: 300 }])
})
