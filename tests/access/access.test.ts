import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Access, type LoginOutcome } from '../../src/access/access.ts'
import type { Identity } from '../../src/access/roles.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { silentLog } from '../../src/platform/log.ts'
import type { State } from '../../src/store/schema.ts'
import { itInFile, openState, refuseWrites } from '../store/stateYard.ts'

const NOW = 1_767_225_600_000
const MINUTE = 60_000
const ROOT: Identity = { user: 'admin', role: 'admin', scope: null, via: 'session', expiresAt: null }

let folder: string
let state: State
let clock: ManualClock
let access: Access

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fenghuo-access-'))
  clock = new ManualClock(NOW)
  await reopen()
})

afterEach(async () => {
  await state.destroy()
  rmSync(folder, { recursive: true })
})

/** As a new process finds it. */
async function reopen(): Promise<void> {
  await state?.destroy()
  state = await openState(path.join(folder, 'state.db'))
  access = new Access({ state, clock, log: silentLog })
}

async function signIn(user: string, password: string, from = '10.0.0.1'): Promise<string> {
  const outcome = await access.login(user, password, from)
  if (outcome.kind !== 'signedIn') throw new Error(outcome.sentence)
  return outcome.secret
}

function reason(outcome: LoginOutcome): string {
  return outcome.kind === 'signedIn' ? 'signedIn' : outcome.reason
}

/** Everything in the database as text, to look for what must not be there. */
async function everything(): Promise<string> {
  const tables = ['users', 'sessions', 'tokens', 'audit']
  const rows = await Promise.all(tables.map(async (table) => (await sql`select * from ${sql.table(table)}`.execute(state)).rows))
  return JSON.stringify(rows)
}

describe('the first user', () => {
  it('gets a generated password once, on the very first run', async () => {
    const password = await access.ensureAdmin(null)
    expect(password).toMatch(/^[A-Za-z0-9_-]{20}$/)
    expect(await everything()).not.toContain(password)
    await reopen()
    expect(await access.ensureAdmin(null)).toBe(null)
    expect(await access.ensureAdmin('')).toBe(null)
    expect(await access.session(await signIn('admin', password as string))).toEqual({
      user: 'admin',
      role: 'admin',
      scope: null,
      via: 'session',
      expiresAt: NOW + LIMITS.access.sessionMs
    })
  })

  it('has the password that is given, from the first run on', async () => {
    expect(await access.ensureAdmin('from outside')).toBe(null)
    await signIn('admin', 'from outside')
  })

  it('gets it anew when it is given later; only then do its sessions end', async () => {
    const generated = (await access.ensureAdmin(null)) as string
    const session = await signIn('admin', generated)
    await access.ensureAdmin('from outside')
    expect(await access.session(session)).toBe(null)
    expect(reason(await access.login('admin', generated, '10.0.0.9'))).toBe('credentials')
    const later = await signIn('admin', 'from outside')
    await reopen()
    await access.ensureAdmin('from outside')
    expect(await access.session(later)).not.toBe(null)
    expect((await access.audit.list(10)).map(({ who, what }) => `${who}: ${what}`)).toEqual([
      'admin: session.begin',
      'environment: user.reset admin',
      'admin: session.begin',
      'environment: user.create admin'
    ])
  })

  it('is let in again by a given password after it was disabled', async () => {
    await access.ensureAdmin('from outside')
    await sql`update users set disabled = 1, role = 'viewer', enterprises = '[]'`.execute(state)
    expect(reason(await access.login('admin', 'from outside', 'a'))).toBe('credentials')
    await access.ensureAdmin('from outside')
    expect(await access.session(await signIn('admin', 'from outside'))).toMatchObject({ role: 'admin', scope: null })
  })
})

describe('signing in', () => {
  beforeEach(async () => void (await access.ensureAdmin('right password')))

  it('is refused alike for a wrong password, an unknown user and absurd lengths', async () => {
    const outcomes = await Promise.all([
      access.login('admin', 'wrong', '10.0.0.1'),
      access.login('nobody', 'right password', '10.0.0.2'),
      access.login('', '', '10.0.0.3'),
      access.login('admin\0', 'right password', '10.0.0.4'),
      access.login('x'.repeat(100_000), 'right password', '10.0.0.5'),
      access.login('admin', 'x'.repeat(100_000), '10.0.0.6')
    ])
    for (const outcome of outcomes) {
      expect(outcome).toEqual({
        kind: 'refused',
        reason: 'credentials',
        sentence: 'The user name or the password is wrong: try again.',
        retryAfterMs: null
      })
    }
  })

  it('keeps neither password nor session secret', async () => {
    const secret = await signIn('admin', 'right password')
    const kept = await everything()
    expect(kept).not.toContain(secret)
    expect(kept).not.toContain('right password')
  })

  it('is locked after five failures, for the right password too, and opens again', async () => {
    for (let failure = 0; failure < 5; failure++) expect(reason(await access.login('admin', 'wrong', '10.0.0.1'))).toBe('credentials')
    expect(await access.login('admin', 'right password', '10.0.0.1')).toEqual({
      kind: 'refused',
      reason: 'locked',
      sentence: 'Too many sign-ins have failed: try again in 1m.',
      retryAfterMs: MINUTE
    })
    expect(reason(await access.login('admin', 'right password', '10.0.0.2'))).toBe('signedIn')
    clock.moveTo(NOW + MINUTE)
    expect(reason(await access.login('admin', 'right password', '10.0.0.1'))).toBe('signedIn')
    const records = await access.audit.list(10)
    expect(records.filter(({ what }) => what === 'session.lockout').map(({ who, after }) => [who, after])).toEqual([
      ['admin', { from: '10.0.0.1' }]
    ])
  })

  it('locks a name that does not exist just the same, and does not record what was typed', async () => {
    for (let failure = 0; failure < 5; failure++) await access.login('my password', 'x', '10.0.0.1')
    expect(reason(await access.login('my password', 'x', '10.0.0.1'))).toBe('locked')
    expect(await everything()).not.toContain('my password')
    expect((await access.audit.list(1))[0]).toMatchObject({ who: 'unknown user', what: 'session.lockout' })
  })

  it('gives many guesses at once no advantage', async () => {
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => access.login('admin', 'wrong', '10.0.0.1')))
    const counts = Map.groupBy(outcomes, reason)
    expect(counts.get('credentials')?.length).toBe(5)
    expect(counts.get('locked')?.length).toBe(35)
  })

  // On a server the flood comes in a little at a time, and how many find no place hangs on its pace.
  itInFile('turns a flood away instead of storing it', async () => {
    const flood = await Promise.all(Array.from({ length: 60 }, (_, n) => access.login('admin', 'right password', `10.0.1.${n}`)))
    const counts = Map.groupBy(flood, reason)
    expect(counts.get('busy')?.length).toBe(60 - 1 - LIMITS.access.waitingChecks)
    expect(counts.get('signedIn')?.length).toBe(1 + LIMITS.access.waitingChecks)
    expect(reason(await access.login('admin', 'right password', '10.0.1.59'))).toBe('signedIn')
  })
})

describe('a session', () => {
  let secret: string

  beforeEach(async () => {
    await access.ensureAdmin('right password')
    secret = await signIn('admin', 'right password')
  })

  it('lasts while it is used, a restart included, but no longer than its absolute age', async () => {
    for (let at = NOW; at < NOW + LIMITS.access.sessionMs; at += LIMITS.access.sessionIdleMs - MINUTE) {
      clock.moveTo(at)
      expect(await access.session(secret)).not.toBe(null)
    }
    await reopen()
    clock.moveTo(NOW + LIMITS.access.sessionMs - 1)
    expect(await access.session(secret)).not.toBe(null)
    clock.moveTo(NOW + LIMITS.access.sessionMs)
    expect(await access.session(secret)).toBe(null)
  })

  it('ends when it is not used', async () => {
    clock.moveTo(NOW + LIMITS.access.sessionIdleMs - 1)
    expect(await access.session(secret)).not.toBe(null)
    clock.moveTo(NOW + 2 * LIMITS.access.sessionIdleMs)
    expect(await access.session(secret)).toBe(null)
  })

  it('ends at once on signing out', async () => {
    const other = await signIn('admin', 'right password')
    expect(await access.logout(secret)).toBe(true)
    expect(await access.session(secret)).toBe(null)
    expect(await access.logout(secret)).toBe(false)
    expect(await access.session(other)).not.toBe(null)
  })

  it("is nobody's without its secret", async () => {
    for (const wrong of ['', 'x', `${secret}x`, secret.toUpperCase(), secret.slice(1)]) expect(await access.session(wrong)).toBe(null)
    const [row] = await state.selectFrom('sessions').select('hash').execute()
    expect(await access.session(row?.hash ?? '')).toBe(null)
    expect(await access.token(secret)).toBe(null)
  })

  it('takes the place of the one unused for longest where there are too many', async () => {
    for (let more = 0; more < LIMITS.access.sessionsPerUser; more++) {
      clock.moveTo(clock.now() + 1)
      await signIn('admin', 'right password')
    }
    expect(await access.session(secret)).toBe(null)
    expect(await state.selectFrom('sessions').select('hash').execute()).toHaveLength(LIMITS.access.sessionsPerUser)
  })

  it('is swept away when it has expired', async () => {
    await access.start()
    await access.start()
    clock.moveTo(NOW + LIMITS.access.sessionIdleMs - 1)
    await access.sweep()
    expect(await state.selectFrom('sessions').select('hash').execute()).toHaveLength(1)
    clock.moveTo(NOW + LIMITS.access.sessionIdleMs)
    await access.sweep()
    expect(await state.selectFrom('sessions').select('hash').execute()).toHaveLength(0)
    await access.stop()
    await access.stop()
  })

  it('goes on while the store cannot be written', async () => {
    clock.moveTo(NOW + 2 * MINUTE)
    const { kind, end } = await refuseWrites(state)
    expect(await access.session(secret)).toMatchObject({ user: 'admin' })
    await expect(access.login('admin', 'right password', '10.0.0.1')).rejects.toMatchObject({ kind })
    await end()
  })
})

describe('an API token', () => {
  beforeEach(async () => void (await access.ensureAdmin('right password')))

  async function token(by: Identity, request: Parameters<Access['createToken']>[1]): Promise<{ secret: string; id: string }> {
    const made = await access.createToken(by, request)
    if ('problem' in made) throw new Error(made.problem)
    return { secret: made.secret, id: made.token.id }
  }

  it('is shown once, and says who it is', async () => {
    const { secret, id } = await token(ROOT, { name: ' map ', role: 'viewer', enterprises: ['daxie'] })
    expect(secret).toMatch(/^fh_[A-Za-z0-9_-]{43}$/)
    expect(await everything()).not.toContain(secret)
    expect(await access.token(secret)).toEqual({
      user: 'admin',
      role: 'viewer',
      scope: { enterprises: ['daxie'], sites: null },
      via: 'token',
      expiresAt: null
    })
    await reopen()
    expect(await access.token(secret)).not.toBe(null)
    expect(await access.tokens(ROOT)).toEqual([
      {
        id,
        name: 'map',
        user: 'admin',
        role: 'viewer',
        enterprises: ['daxie'],
        sites: null,
        createdAt: NOW,
        lastUsedAt: NOW,
        revokedAt: null
      }
    ])
  })

  it('remembers its last use to the minute', async () => {
    const { secret } = await token(ROOT, { name: 'a', role: 'viewer', enterprises: null })
    const used = async (after: number): Promise<number | null | undefined> => {
      clock.moveTo(NOW + after)
      await access.token(secret)
      return (await access.tokens(ROOT))[0]?.lastUsedAt
    }
    expect([await used(5), await used(MINUTE), await used(MINUTE + 5)]).toEqual([NOW + 5, NOW + 5, NOW + MINUTE + 5])
  })

  it('ends at once when it is revoked, and stays in the list', async () => {
    const { secret, id } = await token(ROOT, { name: 'a', role: 'viewer', enterprises: null })
    clock.moveTo(NOW + 7)
    expect(await access.revokeToken(ROOT, id)).toBe(true)
    expect(await access.token(secret)).toBe(null)
    expect(await access.revokeToken(ROOT, id)).toBe(false)
    expect(await access.revokeToken(ROOT, 'unknown')).toBe(false)
    expect(await access.tokens(ROOT)).toMatchObject([{ id, revokedAt: NOW + 7 }])
  })

  it.each([['fh_'], ['fh_x'], [''], ['Bearer fh_x']])('%s is none', async (secret) => {
    expect(await access.token(secret)).toBe(null)
  })

  it('may never do more than its owner may then', async () => {
    await access.createUser(ROOT, { name: 'li', password: 'long enough', role: 'engineer', enterprises: ['daxie', 'ward'] })
    const li: Identity = {
      user: 'li',
      role: 'engineer',
      scope: { enterprises: ['daxie', 'ward'], sites: null },
      via: 'session',
      expiresAt: null
    }
    expect(await access.createToken(li, { name: 'a', role: 'admin', enterprises: ['daxie'] })).toMatchObject({
      problem: expect.stringContaining('cannot give the role admin')
    })
    expect(await access.createToken(li, { name: 'a', role: 'viewer', enterprises: null })).toMatchObject({
      problem: expect.stringContaining('outside their own')
    })
    expect(await access.createToken(li, { name: ' ', role: 'viewer', enterprises: ['ward'] })).toMatchObject({
      problem: expect.stringContaining('1 to 128 characters')
    })
    const { secret, id } = await token(li, { name: 'a', role: 'engineer', enterprises: ['daxie', 'ward'] })
    await access.changeUser(ROOT, 'li', { role: 'viewer', enterprises: ['ward'] })
    expect(await access.token(secret)).toMatchObject({ user: 'li', role: 'viewer', scope: { enterprises: ['ward'], sites: null } })
    await access.changeUser(ROOT, 'li', { disabled: true })
    expect(await access.token(secret)).toBe(null)
    const wang: Identity = { ...li, user: 'wang' }
    expect(await access.tokens(wang)).toEqual([])
    expect(await access.revokeToken(wang, id)).toBe(false)
    expect(await access.revokeToken(ROOT, id)).toBe(true)
  })
})

describe('users', () => {
  beforeEach(async () => void (await access.ensureAdmin('right password')))

  const LI = { name: 'li', password: 'long enough', role: 'operator', enterprises: ['daxie'] } as const

  it('are made, listed, changed and disabled, on the record and without their passwords', async () => {
    expect(await access.createUser(ROOT, LI)).toEqual({
      name: 'li',
      role: 'operator',
      enterprises: ['daxie'],
      sites: null,
      disabled: false,
      external: false,
      createdAt: NOW
    })
    const session = await signIn('li', 'long enough')
    expect(await access.changeUser(ROOT, 'li', { role: 'viewer' })).toMatchObject({ role: 'viewer', enterprises: ['daxie'] })
    expect(await access.session(session)).toMatchObject({ role: 'viewer' })
    await access.changeUser(ROOT, 'li', { password: 'another one' })
    expect(await access.session(session)).toBe(null)
    expect(reason(await access.login('li', 'long enough', 'a'))).toBe('credentials')
    const later = await signIn('li', 'another one')
    await access.changeUser(ROOT, 'li', { disabled: true })
    expect(await access.session(later)).toBe(null)
    expect(reason(await access.login('li', 'another one', 'a'))).toBe('credentials')
    expect((await access.users(ROOT)).map(({ name, disabled }) => [name, disabled])).toEqual([
      ['admin', false],
      ['li', true]
    ])
    const records = (await access.audit.list(20)).reverse().filter(({ what }) => what.includes('li'))
    expect(records.map(({ who, what, after }) => [who, what, after])).toEqual([
      ['admin', 'user.create li', { role: 'operator', enterprises: ['daxie'], sites: null, disabled: false, passwordAt: NOW }],
      ['admin', 'user.change li', { role: 'viewer', enterprises: ['daxie'], sites: null, disabled: false, passwordAt: NOW }],
      ['admin', 'user.change li', { role: 'viewer', enterprises: ['daxie'], sites: null, disabled: false, passwordAt: NOW }],
      ['admin', 'user.change li', { role: 'viewer', enterprises: ['daxie'], sites: null, disabled: true, passwordAt: NOW }]
    ])
    expect(await access.audit.verify()).toMatchObject({ kind: 'whole' })
  })

  it.each([
    [{ ...LI, name: 'li si' }, 'A user name is 1 to 64'],
    [{ ...LI, name: '' }, 'A user name is 1 to 64'],
    [{ ...LI, name: 'admin' }, 'There is a user admin already, in capitals or small letters: choose another name.'],
    [{ ...LI, name: 'Admin' }, 'There is a user Admin already, in capitals or small letters: choose another name.'],
    [{ ...LI, password: 'short' }, 'A password is 8 to 1024 characters long'],
    [{ ...LI, password: 'x'.repeat(1025) }, 'A password is 8 to 1024 characters long']
  ])('are not made of %j', async (request, sentence) => {
    expect(await access.createUser(ROOT, request)).toMatchObject({ kind: 'problem', problem: expect.stringContaining(sentence) })
    expect(await access.users(ROOT)).toHaveLength(1)
  })

  it("are seen and changed only from above and within one's enterprises", async () => {
    await access.createUser(ROOT, LI)
    const daxie: Identity = { ...ROOT, user: 'boss', scope: { enterprises: ['daxie'], sites: null } }
    const ward: Identity = { ...ROOT, user: 'boss', scope: { enterprises: ['ward'], sites: null } }
    expect((await access.users(daxie)).map(({ name }) => name)).toEqual(['li'])
    expect(await access.users(ward)).toEqual([])
    expect(await access.changeUser(ward, 'li', { disabled: true })).toMatchObject({ problem: 'There is no user li.' })
    expect(await access.changeUser(daxie, 'admin', { password: 'taken over' })).toMatchObject({ problem: 'There is no user admin.' })
    expect(await access.changeUser(daxie, 'li', { enterprises: null })).toMatchObject({
      problem: expect.stringContaining('outside their own')
    })
    expect(await access.changeUser({ ...ROOT, role: 'engineer' }, 'admin', { password: 'taken over' })).toMatchObject({
      problem: expect.stringContaining('cannot give the role admin')
    })
  })

  it('always include one who may do everything', async () => {
    expect(await access.changeUser(ROOT, 'admin', { disabled: true })).toMatchObject({
      problem: expect.stringContaining('only administrator')
    })
    expect(await access.changeUser(ROOT, 'admin', { role: 'viewer' })).toMatchObject({
      problem: expect.stringContaining('only administrator')
    })
    await access.createUser(ROOT, { ...LI, role: 'admin', enterprises: null })
    const both = await Promise.all(['admin', 'li'].map((name) => access.changeUser(ROOT, name, { disabled: true })))
    expect(both).toMatchObject([{ disabled: true }, { problem: expect.stringContaining('li is the only administrator') }])
  })
})
