// Users: names, password hashes, roles and scopes. Every change and its audit record are one transaction.

import { sql } from 'kysely'
import { type Belonging, covers, type Grants, grantsOf, maySee, scopeFrom } from '../model/scope.ts'
import type { Clock } from '../platform/clock.ts'
import { type Problem, problem, Refusal } from '../platform/problem.ts'
import { secretText } from '../platform/random.ts'
import { guarded } from '../store/failure.ts'
import type { State, UserRow } from '../store/schema.ts'
import type { Audit } from './audit.ts'
import type { Vouched } from './oidc.ts'
import { passwordProblem } from './passwords.ts'
import { hashOf, matchesPhc, parsePhc } from './phc.ts'
import { type Identity, mayAct, ROLES, type Role, roleNamed } from './roles.ts'

export interface UserView extends Grants {
  readonly name: string
  readonly role: Role
  readonly disabled: boolean
  /** Signs in elsewhere, and has no password here. */
  readonly external: boolean
  /** Epoch ms. */
  readonly createdAt: number
}

export interface UserRequest {
  readonly name: string
  readonly password: string
  readonly role: Role
  readonly enterprises: readonly string[] | null
  /** Missing: all. */
  readonly sites?: readonly string[] | null
}

/** What is to be changed; the rest stays. */
export interface UserChange {
  readonly role?: Role
  readonly enterprises?: readonly string[] | null
  readonly sites?: readonly string[] | null
  readonly disabled?: boolean
  /** Ends the user's sessions. */
  readonly password?: string
}

export const ADMIN = 'admin'

export class Users {
  readonly #state: State
  readonly #clock: Clock
  readonly #audit: Audit

  constructor(state: State, clock: Clock, audit: Audit) {
    this.#state = state
    this.#clock = clock
    this.#audit = audit
  }

  /**
   * Makes sure there is somebody who may do everything. Without a password: on the very first run `admin` is made with a
   * generated one, which is answered to be shown once and is not kept; later nothing is done. With one: `admin` has it from
   * now on (its sessions end where it had another). Answers the generated password, else null.
   */
  async ensureAdmin(password: string | null): Promise<string | null> {
    const given = password === '' ? null : password
    const before = await this.find(ADMIN)
    if (given === null) {
      const anybody = await guarded(() => this.#state.selectFrom('users').select('name').limit(1).executeTakeFirst())
      if (anybody !== undefined) return null
      const generated = secretText(15)
      await this.#putAdmin(await hashOf(generated), null)
      return generated
    }
    const phc = before === null ? null : parsePhc(before.password)
    const same = phc !== null && phc.kind !== 'problem' && (await matchesPhc(phc, given))
    if (same && before?.role === 'admin' && before.disabled === 0 && before.enterprises === null && before.sites === null) return null
    const own = same && before !== null ? before.password : await hashOf(given)
    await this.#putAdmin(own, before)
    return null
  }

  async find(name: string): Promise<UserRow | null> {
    return guarded(() => rowOf(this.#state, name))
  }

  /** All users inside the asker's scope, by name. */
  async list(by: Identity): Promise<UserView[]> {
    const rows = await guarded(() => this.#state.selectFrom('users').selectAll().orderBy('name').execute())
    return rows.map(viewOf).filter((user) => covers(by.scope, scopeFrom(user)))
  }

  /** The names of all who may sign in and see what belongs there, in their order. */
  async seeing(place: Belonging): Promise<string[]> {
    const query = this.#state.selectFrom('users').select(['name', 'enterprises', 'sites']).where('disabled', '=', 0).orderBy('name')
    const rows = await guarded(() => query.execute())
    return rows.filter((row) => maySee(scopeFrom(grantsOfRow(row)), place)).map(({ name }) => name)
  }

  /** Makes a user. A problem says why not. */
  async create(by: Identity, request: UserRequest): Promise<UserView | Problem> {
    const { name, password, role, enterprises, sites = null } = request
    const wrong = nameProblem(name) ?? passwordProblem(name, password) ?? grantProblem(by, role, { enterprises, sites })
    if (wrong !== null) return wrong
    const now = this.#clock.now()
    const row: UserRow = {
      name,
      password: await hashOf(password),
      role,
      ...{ enterprises: idsText(enterprises), sites: idsText(sites), issuer: null, subject: null },
      disabled: 0,
      created_at: now,
      password_at: now
    }
    if (await this.#make(by.user, row)) return viewOf(row)
    return problem(`There is a user ${name} already, in capitals or small letters: choose another name.`)
  }

  /** Changes a user; disabling, or another password, ends the user's sessions at once. A problem says why not. */
  async change(by: Identity, name: string, change: UserChange): Promise<UserView | Problem> {
    const { password } = change
    const own = password !== undefined && passwordProblem(name, password) === null ? await hashOf(password) : null
    const done = await this.#alter(by.user, `user.change ${name}`, name, async (before, state) => {
      if (before === null || !covers(by.scope, scopeFrom(grantsOfRow(before)))) return problem(`There is no user ${name}.`)
      const role = change.role ?? roleOf(before.role)
      const had = grantsOfRow(before)
      const { enterprises = had.enterprises, sites = had.sites } = change
      const wrong = (password === undefined ? null : ownPasswordProblem(before, password)) ?? grantProblem(by, role, { enterprises, sites })
      if (wrong !== null) return wrong
      const after: UserRow = {
        ...before,
        role,
        enterprises: idsText(enterprises),
        sites: idsText(sites),
        disabled: (change.disabled ?? before.disabled === 1) ? 1 : 0,
        ...(own === null ? {} : { password: own, password_at: this.#clock.now() })
      }
      return (isFullAdmin(after) ? null : await lastAdminProblem(state, before)) ?? after
    })
    return 'problem' in done ? done : viewOf(done)
  }

  /** Removes a user with everything signed in by. A problem says why not. */
  async remove(by: Identity, name: string): Promise<Problem | null> {
    if (name === by.user) return problem('Nobody removes themselves: let another administrator do it.')
    return guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const before = await rowOf(state, name)
        if (before === null || !covers(by.scope, scopeFrom(grantsOfRow(before)))) return problem(`There is no user ${name}.`)
        const wrong = grantProblem(by, roleOf(before.role), grantsOfRow(before)) ?? (await lastAdminProblem(state, before))
        if (wrong !== null) return wrong
        for (const table of ['sessions', 'tokens'] as const) await state.deleteFrom(table).where('user_name', '=', name).execute()
        await state.deleteFrom('users').where('name', '=', name).execute()
        await this.#audit.appendIn(state, { who: by.user, what: `user.remove ${name}`, before: auditOf(before), after: null })
        return null
      })
    )
  }

  /** Gives a user the password that they chose; ends their sessions but the one of this hash. A problem says why not. */
  async setOwnPassword(user: UserRow, password: string, keptHash: string): Promise<Problem | null> {
    const wrong = ownPasswordProblem(user, password)
    if (wrong !== null) return wrong
    const own = { password: await hashOf(password), password_at: this.#clock.now() }
    const { name } = user
    const change = async (before: UserRow | null) => (before === null ? problem(`There is no user ${name}.`) : { ...before, ...own })
    const done = await this.#alter(name, `user.password ${name}`, name, change, keptHash)
    return 'problem' in done ? done : null
  }

  /**
   * The user for whom an issuer vouches: made or brought up to date, with what the issuer's claims grant. Without a grant, what
   * they are signed in by ends. A problem says why they may not come in.
   */
  async vouchedFor(issuer: string, { subject, names, grant }: Vouched): Promise<UserRow | Problem> {
    const before = await this.#vouched(issuer, subject)
    const name = before?.name ?? names.find((one) => nameProblem(one) === null)
    if (name === undefined) return problem('Your account has no name that can be a user name here: ask an administrator.')
    if (grant === null) {
      if (before !== null) await this.#endAll(before, issuer)
      return problem(`${name} may sign in there, but has no role here: ask an administrator.`)
    }
    if (before?.disabled === 1) return problem(`${name} is disabled here: ask an administrator.`)
    const now = this.#clock.now()
    const granted = { role: grant.role, enterprises: idsText(grant.enterprises), sites: idsText(grant.sites) }
    if (before === null) {
      const row = { name, password: '', issuer, subject, disabled: 0, created_at: now, password_at: now, ...granted }
      if (await this.#make(issuer, row)) return row
      const sameMoment = await this.#vouched(issuer, subject)
      return sameMoment ?? problem(`There is another user ${name} here already: an administrator has to remove one of the two.`)
    }
    if (JSON.stringify(auditOf(before)) === JSON.stringify(auditOf({ ...before, ...granted }))) return before
    return this.#alter(issuer, `user.change ${name}`, name, async (row) =>
      row === null || row.disabled === 1 ? problem(`${name} is disabled here: ask an administrator.`) : { ...row, ...granted }
    )
  }

  async #vouched(issuer: string, subject: string): Promise<UserRow | null> {
    const query = this.#state.selectFrom('users').selectAll().where('issuer', '=', issuer).where('subject', '=', subject)
    return (await guarded(() => query.executeTakeFirst())) ?? null
  }

  async #endAll(user: UserRow, issuer: string): Promise<void> {
    const now = this.#clock.now()
    await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        await state.deleteFrom('sessions').where('user_name', '=', user.name).execute()
        await state
          .updateTable('tokens')
          .set({ revoked_at: now })
          .where('user_name', '=', user.name)
          .where('revoked_at', 'is', null)
          .execute()
        await this.#audit.appendIn(state, { who: issuer, what: `user.end ${user.name}`, before: auditOf(user), after: null })
      })
    )
  }

  async #putAdmin(password: string, before: UserRow | null): Promise<void> {
    const now = this.#clock.now()
    const grants = { role: 'admin', enterprises: null, sites: null, disabled: 0 }
    const own = { password, issuer: null, subject: null, created_at: before?.created_at ?? now, password_at: now }
    const after = { name: ADMIN, ...grants, ...own }
    if (before !== null) await this.#alter('environment', `user.reset ${ADMIN}`, ADMIN, async () => after)
    else if (!(await this.#make('environment', after)))
      throw new Refusal(`There is a user called ${ADMIN} in other capitals, so ${ADMIN} is not made: start without FENGHUO_ADMIN_PASSWORD.`)
  }

  /** False where somebody has this name, be it in other capitals: both would pass for one, and each could verify what the other did. */
  async #make(who: string, row: UserRow): Promise<boolean> {
    return guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const same = sql<boolean>`lower(name) = lower(${row.name})`
        if ((await state.selectFrom('users').select('name').where(same).executeTakeFirst()) !== undefined) return false
        await state.insertInto('users').values(row).execute()
        await this.#audit.appendIn(state, { who, what: `user.create ${row.name}`, before: null, after: auditOf(row) })
        return true
      })
    )
  }

  /**
   * Changes the user as `change` makes of what is there then; whatever is slow is done before. Another password, and disabling, end
   * their sessions but the one of this hash.
   */
  async #alter(
    who: string,
    what: string,
    name: string,
    change: (before: UserRow | null, state: State) => Promise<UserRow | Problem>,
    keptHash = ''
  ): Promise<UserRow | Problem> {
    return guarded(() =>
      this.#state.transaction().execute(async (state) => {
        const before = await rowOf(state, name)
        const after = await change(before, state)
        if (before === null || 'problem' in after) return after
        await state.updateTable('users').set(after).where('name', '=', name).execute()
        if (after.disabled === 1 || after.password !== before.password) {
          await state.deleteFrom('sessions').where('user_name', '=', name).where('hash', '!=', keptHash).execute()
        }
        await this.#audit.appendIn(state, { who, what, before: auditOf(before), after: auditOf(after) })
        return after
      })
    )
  }
}

async function rowOf(state: State, name: string): Promise<UserRow | null> {
  return (await state.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst()) ?? null
}

/** Why this user must stay who they are, or null: somebody has to be able to do everything. */
async function lastAdminProblem(state: State, user: UserRow): Promise<Problem | null> {
  if (!isFullAdmin(user)) return null
  const rows = await state.selectFrom('users').selectAll().where('role', '=', 'admin').execute()
  return rows.filter(isFullAdmin).length > 1
    ? null
    : problem(`${user.name} is the only administrator of everything: make another one first.`)
}

function ownPasswordProblem(user: UserRow, password: string): Problem | null {
  if (user.issuer === null) return passwordProblem(user.name, password)
  return problem(`${user.name} signs in at ${user.issuer} and has no password here: change it there.`)
}

/** Why this may not be given by `by`, or null: nobody gives more than they have. */
export function grantProblem(by: Identity, role: Role, grants: Grants): Problem | null {
  if (!mayAct(by.role, role)) return problem(`${by.user} is ${by.role} and cannot give the role ${role}: ask somebody who has it.`)
  if (covers(by.scope, scopeFrom(grants))) return null
  const own = grantsOf(by.scope)
  if (!covers(scopeFrom({ ...own, sites: null }), scopeFrom({ ...grants, sites: null })))
    return problem(`${by.user} cannot give access to enterprises outside their own: name only ${own.enterprises?.join(', ')}.`)
  return problem(`${by.user} cannot give access to sites outside their own: name only ${own.sites?.join(', ')}.`)
}

export function roleOf(text: string): Role {
  // What we do not know (a role of a later version) may do the least.
  return roleNamed(text) ?? ROLES[0]
}

/** What a user or token of the store was given. */
export function grantsOfRow({ enterprises, sites }: { readonly enterprises: string | null; readonly sites: string | null }): Grants {
  const idsOf = (text: string | null): string[] | null => (text === null ? null : (JSON.parse(text) as string[]))
  return { enterprises: idsOf(enterprises), sites: idsOf(sites) }
}

export function idsText(ids: readonly string[] | null): string | null {
  return ids === null ? null : JSON.stringify(ids)
}

function isFullAdmin(user: UserRow): boolean {
  return user.role === 'admin' && user.enterprises === null && user.sites === null && user.disabled === 0
}

function nameProblem(name: string): Problem | null {
  return /^[A-Za-z0-9._@-]{1,64}$/.test(name)
    ? null
    : problem('A user name is 1 to 64 letters, digits, dots, dashes, underscores or @: choose another.')
}

function viewOf(row: UserRow): UserView {
  const { name, role, disabled, created_at: createdAt, issuer } = row
  return { name, role: roleOf(role), ...grantsOfRow(row), disabled: disabled === 1, external: issuer !== null, createdAt }
}

/** What the audit keeps of a user: when the password was set, never the password. */
function auditOf(row: UserRow): unknown {
  const { role, disabled, password_at: passwordAt, issuer, subject } = row
  const told = { role, ...grantsOfRow(row), disabled: disabled === 1, passwordAt }
  return issuer === null ? told : { ...told, issuer, subject }
}
