// fenghuo audit verify as a command: whole, broken at a named record, cut short of its anchors; by exit status and sentence.

import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Audit } from '../../../src/access/audit.ts'
import { SystemClock } from '../../../src/platform/clock.ts'
import { openState } from '../../../src/store/state.ts'
import { runFenghuo } from '../../liveService.ts'
import { type TankPlant, tankPlant } from '../tankPlant.ts'

let plant: TankPlant
let data: string

beforeEach(async () => {
  plant = tankPlant()
  data = path.join(plant.folder, 'data')
  mkdirSync(data)
})
afterEach(() => plant.remove())

/** A log of four records, then whatever somebody does to it. */
async function logOf(tampering: readonly string[]): Promise<void> {
  const state = await openState(path.join(data, 'state.db'))
  const audit = new Audit(state, new SystemClock())
  for (const n of [1, 2, 3, 4]) await audit.append('li', `alarm.acknowledge level/T-${n}#1`, null, { n })
  for (const statement of tampering) await sql.raw(statement).execute(state)
  await state.destroy()
}

const verify = (...more: string[]) => runFenghuo(['audit', 'verify', '--config', plant.config, ...more], { FENGHUO_DATA: data })

it('says that it is whole', async () => {
  await logOf([])
  expect(await verify()).toEqual({
    ...{ code: 0, signal: null },
    output: `The audit log is whole: 4 records.\nThere are no anchors in ${path.join(data, 'audit-anchors.ndjson')}, so nothing tells whether its end was cut off.\n`
  })
})

it('names the first broken record of several, and fails', async () => {
  await logOf([`update audit set who = 'wang' where n = 4`, `update audit set after = '{"n":9}' where n = 3`])
  expect(await verify()).toEqual({
    ...{ code: 1, signal: null },
    output: 'Record 3 of the audit log is broken: Audit record 3 was changed after it was written.\n'
  })
  const json = await verify('--json')
  expect([json.code, JSON.parse(json.output.split('\n')[0] as string)]).toEqual([
    1,
    { kind: 'broken', n: 3, sentence: 'Audit record 3 was changed after it was written.' }
  ])
})

it('refuses a file of anchors that is not there', async () => {
  await logOf([])
  const missing = path.join(plant.folder, 'nowhere.ndjson')
  const outcome = await verify('--anchors', missing)
  expect([outcome.code, outcome.output]).toEqual([1, `There is no file ${missing}: name the file that the anchors are appended to.\n`])
  writeFileSync(missing, 'no anchor\n')
  expect(await verify('--anchors', missing)).toMatchObject({ code: 0, output: expect.stringContaining(`${missing}:1: this is no anchor`) })
})
