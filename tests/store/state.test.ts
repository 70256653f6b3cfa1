import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Refusal } from '../../src/platform/problem.ts'
import { type StateFailure, type StateFailureKind, stateFailure } from '../../src/store/failure.ts'
import type { State } from '../../src/store/schema.ts'
import { openState } from '../../src/store/state.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fenghuo-state-'))
  file = path.join(folder, 'state.db')
})

afterEach(() => rmSync(folder, { recursive: true }))

async function refusal(act: Promise<State>): Promise<string> {
  const thrown = await act.then(
    () => null,
    (cause: unknown) => cause
  )
  expect(thrown).toBeInstanceOf(Refusal)
  return (thrown as Refusal).message
}

/** Every file there is a migration, and is applied in the order of its name. */
const MIGRATIONS = readdirSync(path.join(import.meta.dirname, '../../src/store/migrations'))
  .map((name) => name.replace('.ts', ''))
  .sort()

describe('opening the state store', () => {
  it('makes the tables in a new file, durable and with a write-ahead log', async () => {
    const state = await openState(file)
    const tables = await sql<{ name: string }>`select name from sqlite_schema where type = 'table' order by name`.execute(state)
    expect(tables.rows.map((row) => row.name)).toEqual([
      'alarm_events',
      'alarms',
      'amendments',
      'answers',
      'audit',
      'copy_state',
      'drills',
      'early_receipts',
      'engine_snapshots',
      'handed_answers',
      'journal_groups',
      'kept_plants',
      'lease',
      'marks',
      'notification_alarms',
      'notifications',
      'position',
      'quarantine',
      'schema_migrations',
      'schema_migrations_lock',
      'senders',
      'service_secrets',
      'sessions',
      'shadow_events',
      'tokens',
      'upstream',
      'users'
    ])
    expect((await sql`pragma journal_mode`.execute(state)).rows).toEqual([{ journal_mode: 'wal' }])
    expect((await sql`pragma synchronous`.execute(state)).rows).toEqual([{ synchronous: 2 }])
    expect((await sql`pragma foreign_keys`.execute(state)).rows).toEqual([{ foreign_keys: 1 }])
    await state.destroy()
  })

  it('opens what is there again, and leaves it as it is', async () => {
    const first = await openState(file)
    await first.updateTable('position').set({ seq: 7 }).execute()
    await first.destroy()
    const second = await openState(file)
    expect(await second.selectFrom('position').select('seq').execute()).toEqual([{ seq: 7 }])
    expect((await sql`select name from schema_migrations`.execute(second)).rows).toEqual(MIGRATIONS.map((name) => ({ name })))
    await second.destroy()
  })

  it('goes on after a migration that was interrupted before it was committed', async () => {
    // What is left then: the migrator's own tables, none of ours.
    const file0 = new DatabaseSync(file)
    file0.exec('create table schema_migrations (name varchar(255) not null primary key, timestamp varchar(255) not null)')
    file0.close()
    const state = await openState(file)
    expect(await state.selectFrom('position').selectAll().execute()).toEqual([
      { id: 1, seq: 0, advanced_to: 0, last_event: 0, last_reject: 0 }
    ])
    await state.destroy()
  })

  it('refuses a newer one, and says so', async () => {
    await (await openState(file)).destroy()
    const newer = new DatabaseSync(file)
    newer.exec(`insert into schema_migrations (name, timestamp) values ('9999-drones', '2030-01-01T00:00:00.000Z')`)
    newer.close()
    expect(await refusal(openState(file))).toBe(
      `The state store ${file} was written by a newer Fenghuo (it has 9999-drones): start that version, or restore a backup made with this one.`
    )
    const untouched = new DatabaseSync(file)
    expect(untouched.prepare('select count(*) as count from schema_migrations').get()).toEqual({ count: MIGRATIONS.length + 1 })
    untouched.close()
  })

  it('refuses a database of somebody else, and leaves it alone', async () => {
    const other = new DatabaseSync(file)
    other.exec('create table photos (id integer)')
    other.close()
    expect(await refusal(openState(file))).toContain('is a database, but not a Fenghuo state')
    const untouched = new DatabaseSync(file)
    expect(untouched.prepare('select name from sqlite_schema').all()).toEqual([{ name: 'photos' }])
    untouched.close()
  })

  it('refuses a file that is no database', async () => {
    writeFileSync(file, 'dear diary, '.repeat(1000))
    expect(await refusal(openState(file))).toBe(
      `The state store is damaged or is no Fenghuo state: restore the data folder from a backup. (${file}: file is not a database)`
    )
  })

  it('refuses a path that cannot be opened', async () => {
    writeFileSync(path.join(folder, 'plain'), '')
    const beneath = path.join(folder, 'plain', 'state.db')
    expect(await refusal(openState(beneath))).toContain('check that the data folder exists and may be read and written.')
    expect(await refusal(openState(path.join(folder, 'missing', 'state.db')))).toContain('check that the data folder exists')
  })

  it('refuses one that another program holds locked', async () => {
    await (await openState(file)).destroy()
    const other = new DatabaseSync(file)
    other.exec('pragma locking_mode = exclusive; begin exclusive')
    expect(await refusal(openState(file))).toContain('is locked by another process: end the program that has it open.')
    other.close()
  })

  it('reads without writing, beside a running service', async () => {
    const writer = await openState(file)
    await writer.updateTable('position').set({ seq: 3 }).execute()
    const reader = await openState(file, { readOnly: true })
    expect(await reader.selectFrom('position').select('seq').execute()).toEqual([{ seq: 3 }])
    const failure = await reader
      .updateTable('position')
      .set({ seq: 4 })
      .execute()
      .then(
        () => null,
        (cause: unknown) => stateFailure(cause)
      )
    expect(failure?.kind).toBe('readOnly')
    await reader.destroy()
    await writer.destroy()
    expect(await refusal(openState(path.join(folder, 'none.db'), { readOnly: true }))).toContain('cannot be opened')
  })
})

describe('failures of the store', () => {
  it('are told to people as one sentence', () => {
    expect(stateFailure(Object.assign(new Error(), { errcode: 11 }))).toBeInstanceOf(Refusal)
  })

  it.each<[number, StateFailureKind | null, boolean]>([
    [5, 'busy', true],
    [5 | (2 << 8), 'busy', true], // SQLITE_BUSY_SNAPSHOT
    [8, 'readOnly', true],
    [10 | (4 << 8), 'failing', true], // SQLITE_IOERR_FSYNC
    [11, 'corrupt', false],
    [13, 'full', true],
    [14, 'missing', false],
    [26, 'corrupt', false],
    [19, null, false], // a constraint: our own bug
    [1, null, false]
  ])('result code %i is %s', (errcode, kind, passing) => {
    const failure = stateFailure(Object.assign(new Error('from sqlite'), { code: 'ERR_SQLITE_ERROR', errcode }))
    expect(failure?.kind ?? null).toBe(kind)
    if (failure !== null) expect([failure.passing, (failure.cause as Error).message]).toEqual([passing, 'from sqlite'])
  })

  it.each<[string, StateFailureKind | null, boolean]>([
    ['57P01', 'unreachable', true], // the server is shut down
    ['08006', 'unreachable', true],
    ['53300', 'unreachable', true], // too many connections
    ['53100', 'full', true],
    ['25006', 'readOnly', true],
    ['42501', 'readOnly', true],
    ['40P01', 'busy', true],
    ['57014', 'busy', true],
    ['58030', 'failing', true],
    ['XX001', 'corrupt', false],
    ['28P01', 'missing', false],
    ['3D000', 'missing', false],
    ['23505', null, false], // a constraint: our own bug
    ['42601', null, false]
  ])('code %s of PostgreSQL is %s', (code, kind, passing) => {
    const failure = stateFailure(Object.assign(new Error('from the server'), { severity: 'ERROR', code }))
    expect(failure?.kind ?? null).toBe(kind)
    if (failure !== null) expect([failure.passing, /^PostgreSQL /.test(failure.message)]).toEqual([passing, true])
  })

  it('are none where it is something else', () => {
    expect(stateFailure(new TypeError('x'))).toBe(null)
    expect(stateFailure('text')).toBe(null)
  })

  it('report the first thing that went wrong when the disk is full, undo all of it, and pass', async () => {
    const state = await openState(file)
    const pages = (await sql<{ page_count: number }>`pragma page_count`.execute(state)).rows[0]?.page_count ?? 0
    await sql`pragma max_page_count = ${sql.lit(pages)}`.execute(state)
    const write = (): Promise<void> =>
      state.transaction().execute(async (within) => {
        await within.updateTable('position').set({ seq: 9 }).execute()
        for (let n = 1; n <= 50; n++) {
          const values = { n, at: n, who: 'w', what: 'x'.repeat(2000), before: null, after: null, previous_hash: '', hash: '' }
          await within.insertInto('audit').values(values).execute()
        }
      })
    const failure = (await write().catch(stateFailure)) as StateFailure
    expect([failure.kind, failure.message]).toEqual([
      'full',
      'No space is left for the state store: free some on the disk of the data folder.'
    ])
    expect(await state.selectFrom('position').select('seq').execute()).toEqual([{ seq: 0 }])
    await sql`pragma max_page_count = 100000`.execute(state)
    await write()
    expect(await state.selectFrom('position').select('seq').execute()).toEqual([{ seq: 9 }])
    await state.destroy()
  })
})
