// Users whom two changes meet at once, and those of a provider: nobody comes back, and nobody passes for another.

import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Access } from '../../src/access/access.ts'
import type { Identity } from '../../src/access/roles.ts'
import { Users } from '../../src/access/users.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import type { State } from '../../src/store/schema.ts'
import { openState } from '../store/stateYard.ts'

const ROOT: Identity = { user: 'admin', role: 'admin', scope: null, via: 'session', expiresAt: null }
const LI = { name: 'li', password: 'long enough', role: 'operator', enterprises: ['daxie'] } as const
const clock = new ManualClock(1_767_225_600_000)

let folder: string
let state: State
let access: Access

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'fenghuo-users-'))
  state = await openState(path.join(folder, 'state.db'))
  access = new Access({ state, clock, log: silentLog })
  await access.ensureAdmin('right password')
})
afterEach(async () => {
  await state.destroy()
  rmSync(folder, { recursive: true })
})

async function signIn(user: string): Promise<string> {
  const outcome = await access.login(user, LI.password, '10.0.0.1')
  if (outcome.kind !== 'signedIn') throw new Error(outcome.sentence)
  return outcome.secret
}

it('stay disabled, and removed, where they were just choosing another password', async () => {
  for (const name of ['li', 'mei']) await access.createUser(ROOT, { ...LI, name })
  const secrets = [await signIn('li'), await signIn('mei')]
  const chosen = secrets.map((secret) => access.changePassword(secret, 'long enough', 'another one', 'a'))
  await access.changeUser(ROOT, 'li', { disabled: true })
  await access.removeUser(ROOT, 'mei')
  await Promise.all(chosen)
  expect((await access.users(ROOT)).map(({ name, disabled }) => [name, disabled])).toEqual([
    ['admin', false],
    ['li', true]
  ])
})

it('of a provider are never one of the same name here, nor one in other capitals', async () => {
  await access.createUser(ROOT, LI)
  const users = new Users(state, clock, access.audit)
  const grant = { role: 'admin', enterprises: null, sites: null } as const
  for (const name of ['li', 'Li']) {
    expect(await users.vouchedFor('https://id.example', { subject: name, names: [name], grant: { value: 'a', ...grant } })).toMatchObject({
      problem: `There is another user ${name} here already: an administrator has to remove one of the two.`
    })
  }
  const wu = { subject: 'wu', names: ['wu'], grant: { value: 'a', ...grant } }
  expect(await Promise.all([1, 2].map(() => users.vouchedFor('https://id.example', wu)))).toMatchObject([{ name: 'wu' }, { name: 'wu' }])
  expect((await access.users(ROOT)).map(({ name, external }) => [name, external])).toEqual([
    ['admin', false],
    ['li', false],
    ['wu', true]
  ])
})

it('who are disabled while their password is looked at are not signed in', async () => {
  await access.createUser(ROOT, LI)
  const signing = access.login('li', LI.password, '10.0.0.1')
  await access.changeUser(ROOT, 'li', { disabled: true })
  expect(await signing).toMatchObject({ kind: 'refused', reason: 'credentials' })
  expect(await access.sessions(ROOT)).toEqual([])
})
