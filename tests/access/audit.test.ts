import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Audit } from '../../src/access/audit.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import type { State } from '../../src/store/schema.ts'
import { openState } from '../store/stateYard.ts'

let folder: string
let state: State
let audit: Audit

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fenghuo-audit-'))
  state = await openState(path.join(folder, 'state.db'))
  audit = new Audit(state, new ManualClock(1_767_225_600_000))
})

afterEach(async () => {
  await state.destroy()
  rmSync(folder, { recursive: true })
})

async function fill(): Promise<void> {
  await audit.append('admin', 'user.create li', null, { role: 'operator' })
  await audit.append('li', 'alarm.acknowledge level/T-1#1000', { acknowledged: null }, { by: 'li', note: '到 "now"\u2028' })
  await audit.append('torn \uD800\0', 'session.lockout', null, { from: '\uD800' })
  await audit.append('admin', 'user.change li', { role: 'operator' }, { role: 'engineer' })
}

describe('the audit log', () => {
  it('is whole when nobody has touched it', async () => {
    expect(await audit.verify()).toEqual({ kind: 'whole', count: 0, hash: '', anchors: 0 })
    await fill()
    const verdict = await audit.verify()
    expect(verdict).toMatchObject({ kind: 'whole', count: 4, hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const [last, , , first] = await audit.list(10)
    expect(first).toMatchObject({
      n: 1,
      at: 1_767_225_600_000,
      who: 'admin',
      what: 'user.create li',
      before: null,
      after: { role: 'operator' }
    })
    expect(last?.hash).toBe((verdict as { hash: string }).hash)
    expect((await audit.list(2, 3)).map(({ n }) => n)).toEqual([2, 1])
  })

  it('is one chain however many append at once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => audit.append('li', `thing ${n}`, null, { n })))
    expect(await audit.verify()).toMatchObject({ kind: 'whole', count: 20 })
  })

  it('is checked beyond one page', async () => {
    await state.transaction().execute(async (within) => {
      for (let n = 0; n < 1005; n++) await audit.appendIn(within, { who: 'li', what: `thing ${n}`, before: null, after: null })
    })
    expect(await audit.verify()).toMatchObject({ kind: 'whole', count: 1005 })
    await sql`update audit set what = 'nothing' where n = 1003`.execute(state)
    expect(await audit.verify()).toMatchObject({ kind: 'broken', n: 1003 })
  })

  it('belongs to the transaction of the change it records', async () => {
    const failing = state.transaction().execute(async (within) => {
      await audit.appendIn(within, { who: 'li', what: 'something', before: null, after: null })
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await audit.verify()).toMatchObject({ kind: 'whole', count: 0 })
  })

  it.each<[string, string, number, string]>([
    ['a changed word', `update audit set what = 'user.create wang' where n = 2`, 2, 'Audit record 2 was changed after it was written.'],
    ['a changed instant', 'update audit set at = at + 1 where n = 1', 1, 'Audit record 1 was changed after it was written.'],
    ['a changed value', `update audit set after = '{"role":"admin"}' where n = 4`, 4, 'Audit record 4 was changed after it was written.'],
    ['a removed value', 'update audit set after = null where n = 1', 1, 'Audit record 1 was changed after it was written.'],
    [
      'text moved between fields',
      `update audit set who = '', what = who || what where n = 2`,
      2,
      'Audit record 2 was changed after it was written.'
    ],
    ['a removed record', 'delete from audit where n = 2', 2, 'Audit record 2 is missing: the next one there is 3.'],
    ['a removed first record', 'delete from audit where n = 1', 1, 'Audit record 1 is missing: the next one there is 2.'],
    [
      'records closed up',
      'delete from audit where n = 2; update audit set n = n - 1 where n > 2',
      2,
      'Audit record 2 does not follow from record 1: one of them was exchanged.'
    ],
    [
      'a changed hash',
      `update audit set hash = 'ab' || substr(hash, 3) where n = 3`,
      3,
      'Audit record 3 was changed after it was written.'
    ],
    [
      'a link bent to fit',
      `update audit set previous_hash = 'x' where n = 3`,
      3,
      'Audit record 3 does not follow from record 2: one of them was exchanged.'
    ]
  ])('names the first broken record: %s', async (_name, tampering, n, sentence) => {
    await fill()
    for (const statement of tampering.split(';')) await sql.raw(statement).execute(state)
    expect(await audit.verify()).toEqual({ kind: 'broken', n, sentence })
  })

  it('finds a record that was made anew with a right hash of its own, at the next one', async () => {
    await fill()
    const [second] = await state.selectFrom('audit').selectAll().where('n', '=', 2).execute()
    const other = new Audit(state, new ManualClock(1))
    await sql`delete from audit where n >= 2`.execute(state)
    await other.append('li', 'nothing at all', null, null)
    await state
      .insertInto('audit')
      .values({ ...(second as NonNullable<typeof second>), n: 3 })
      .execute()
    expect(await audit.verify()).toMatchObject({ kind: 'broken', n: 3 })
  })
})
