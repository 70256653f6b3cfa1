// An installation's state from its data folder into PostgreSQL and back: everything there, in the same order, and nothing moved
// where it cannot be.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Audit } from '../../src/access/audit.ts'
import { loadPlantFolder } from '../../src/app/config/load.ts'
import type { Config } from '../../src/app/config/service.ts'
import { moveState } from '../../src/app/stateMove.ts'
import { refuseMoved } from '../../src/app/stateStore.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { openState } from '../../src/store/state.ts'
import { openPostgres } from './postgresServer.ts'

const server = await openPostgres()
afterAll(() => server.close())

let data: string
let config: Config

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), 'fenghuo-move-'))
  config = loadPlantFolder('config/fenghuo.yaml', { FENGHUO_DATA: data }).config as Config
})

afterEach(() => rmSync(data, { recursive: true }))

/** More than one chunk of rows, with text in capitals, Chinese and signs, and every kind of value. */
async function someState(where: string): Promise<void> {
  const state = await openState(where)
  const audit = new Audit(state, new ManualClock(1_767_225_600_000))
  for (let n = 1; n <= 30; n++) await audit.append('li', `user.change ${n}`, { 名: n }, n % 2 === 0 ? null : 'ok')
  const secrets = Array.from({ length: 2_345 }, (_, n) => ({ name: `${n % 2 === 0 ? 'a' : 'B'}-${n}`, secret: `密 '${n}' "\\` }))
  for (let at = 0; at < secrets.length; at += 500) {
    await state
      .insertInto('service_secrets')
      .values(secrets.slice(at, at + 500))
      .execute()
  }
  const user = { password: '', role: 'admin', enterprises: null, sites: null, issuer: null, subject: null, disabled: 0 }
  await state
    .insertInto('users')
    .values({ name: 'li', ...user, created_at: 1, password_at: 2 })
    .execute()
  await state.insertInto('sessions').values({ hash: 'h', user_name: 'li', created_at: 1, last_seen_at: 2, from_address: '::1' }).execute()
  await state.updateTable('position').set({ seq: 77, advanced_to: 9_007_199_254_740_991, last_event: 5 }).execute()
  await state.destroy()
}

async function contents(where: string): Promise<unknown> {
  const state = await openState(where, { readOnly: true })
  const all = {
    secrets: await state.selectFrom('service_secrets').selectAll().orderBy('name').execute(),
    users: await state.selectFrom('users').selectAll().execute(),
    sessions: await state.selectFrom('sessions').selectAll().execute(),
    audit: await state.selectFrom('audit').selectAll().orderBy('n').execute(),
    position: await state.selectFrom('position').selectAll().execute()
  }
  await state.destroy()
  return all
}

describe('moving the state', () => {
  it('into PostgreSQL and back changes nothing of it, the order of text included', async () => {
    const file = path.join(data, 'state.db')
    await someState(file)
    const before = await contents(file)
    const url = await server.database()
    const there = await moveState(config, url)
    expect([there.seq, there.audit, there.rows.service_secrets, there.aside]).toEqual([77, 30, 2_345, `${file}.moved`])
    expect(await contents(url)).toEqual(before)
    expect(existsSync(file)).toBe(false)
    expect(() => refuseMoved(data)).toThrow('was moved to PostgreSQL')
    const back = await moveState({ ...config, state: { ...config.state, url } }, file)
    expect([back.seq, back.audit, back.aside]).toEqual([77, 30, null])
    expect(await contents(file)).toEqual(before)
    refuseMoved(data)
  })

  it('is refused where the target holds a state, or somebody works with it; then nothing has changed', async () => {
    const file = path.join(data, 'state.db')
    await someState(file)
    const url = await server.database()
    await someState(url)
    const [before, there] = [await contents(file), await contents(url)]
    await expect(moveState(config, url)).rejects.toThrow('holds a state already (in its table position): name an empty database.')
    const busy = await server.database()
    const other = await openState(busy)
    await expect(moveState(config, busy)).rejects.toThrow('A Fenghuo works with the state in PostgreSQL')
    await other.destroy()
    const foreign = await server.database()
    await server.run(foreign, 'create table photos (id integer)')
    await expect(moveState(config, foreign)).rejects.toThrow('holds tables, but no Fenghuo state')
    expect([await contents(file), await contents(url), existsSync(`${file}.moved`)]).toEqual([before, there, false])
  })
})
