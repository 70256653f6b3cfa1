// Users: names, password hashes, roles and scopes. Every change and its audit record are one transaction.

import { sql } from 'kysely'
import { type Belonging, covers, type Grants, grantsOf, maySee, scopeFrom } from '../model/scope.ts'
import type { Clock } from '../platform/clock.ts'
import { type Problem, problem } from '../platform/problem.ts'
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
      await this.#put(ADMIN, await hashOf(generated), 'user.create', null)
      return generated
    }
    const phc = before === null ? null : parsePhc(before.password)
    const same = phc !== null && phc.kind !== 'problem' && (await matchesPhc(phc, given))
    if (same && before?.role === 'admin' && before.disabled === 0 && before.enterprises === null && before.sites === null) return null
    await this.#put(
      ADMIN,
      same && before !== null ? before.password : await hashOf(given),
      before === null ? 'user.create' : 'user.reset',
      before
    )
    return null
  }

  async find(name: string): Promise<UserRow | null> {
    const row = await guarded(() => this.#state.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst())
    return row ?? null
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
    const made = await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        // `li` and `Li` would pass for two people, and each could verify what the other did.
        const same = sql<boolean>`lower(name) = lower(${name})`
        if ((await state.selectFrom('users').select('name').where(same).executeTakeFirst()) !== undefined) return false
        await state.insertInto('users').values(row).execute()
        await this.#audit.appendIn(state, { who: by.user, what: `user.create ${name}`, before: null, after: auditOf(row) })
        return true
      })
    )
    return made ? viewOf(row) : problem(`There is a user ${name} already, in capitals or small letters: choose another name.`)
  }

  /** Changes a user; disabling, or another password, ends the user's sessions at once. A problem says why not. */
  async change(by: Identity, name: string, change: UserChange): Promise<UserView | Problem> {
    const before = await this.find(name)
    if (before === null || !covers(by.scope, scopeFrom(grantsOfRow(before)))) return problem(`There is no user ${name}.`)
    const role = change.role ?? roleOf(before.role)
    const had = grantsOfRow(before)
    const { enterprises = had.enterprises, sites = had.sites } = change
    const wrong =
      (change.password === undefined ? null : ownPasswordProblem(before, change.password)) ?? grantProblem(by, role, { enterprises, sites })
    if (wrong !== null) return wrong
    const after: UserRow = {
      ...before,
      role,
      enterprises: idsText(enterprises),
      sites: idsText(sites),
      disabled: (change.disabled ?? before.disabled === 1) ? 1 : 0,
      password: change.password === undefined ? before.password : await hashOf(change.password),
      password_at: change.password === undefined ? before.password_at : this.#clock.now()
    }
    if (isFullAdmin(before) && !isFullAdmin(after) && (await this.#fullAdmins()) === 1) {
      return problem(`${name} is the only administrator of everything: make another one first.`)
    }
    await this.#write(by.user, `user.change ${name}`, before, after)
    return viewOf(after)
  }

  /** Removes a user with everything signed in by. A problem says why not. */
  async remove(by: Identity, name: string): Promise<Problem | null> {
    const before = await this.find(name)
    if (before === null || !covers(by.scope, scopeFrom(grantsOfRow(before)))) return problem(`There is no user ${name}.`)
    const wrong = grantProblem(by, roleOf(before.role), grantsOfRow(before))
    if (wrong !== null) return wrong
    if (name === by.user) return problem('Nobody removes themselves: let another administrator do it.')
    if (isFullAdmin(before) && (await this.#fullAdmins()) === 1)
      return problem(`${name} is the only administrator of everything: make another one first.`)
    await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        for (const table of ['sessions', 'tokens'] as const) await state.deleteFrom(table).where('user_name', '=', name).execute()
        await state.deleteFrom('users').where('name', '=', name).execute()
        await this.#audit.appendIn(state, { who: by.user, what: `user.remove ${name}`, before: auditOf(before), after: null })
      })
    )
    return null
  }

  /** Gives a user the password that they chose; ends their sessions but the one of this hash. A problem says why not. */
  async setOwnPassword(user: UserRow, password: string, keptHash: string): Promise<Problem | null> {
    const wrong = ownPasswordProblem(user, password)
    if (wrong !== null) return wrong
    const after = { ...user, password: await hashOf(password), password_at: this.#clock.now() }
    await this.#write(user.name, `user.password ${user.name}`, user, after, keptHash)
    return null
  }

  /**
   * The user for whom an issuer vouches: made or brought up to date, with what the issuer's claims grant. Without a grant, what
   * they are signed in by ends. A problem says why they may not come in.
   */
  async vouchedFor(issuer: string, { subject, names, grant }: Vouched): Promise<UserRow | Problem> {
    const query = this.#state.selectFrom('users').selectAll().where('issuer', '=', issuer).where('subject', '=', subject)
    const before = (await guarded(() => query.executeTakeFirst())) ?? null
    const name = before?.name ?? names.find((one) => nameProblem(one) === null)
    if (name === undefined) return problem('Your account has no name that can be a user name here: ask an administrator.')
    if (grant === null) {
      if (before !== null) await this.#endAll(before, issuer)
      return problem(`${name} may sign in there, but has no role here: ask an administrator.`)
    }
    if (before?.disabled === 1) return problem(`${name} is disabled here: ask an administrator.`)
    const now = this.#clock.now()
    const granted = { role: grant.role, enterprises: idsText(grant.enterprises), sites: idsText(grant.sites) }
    if (before === null && (await this.find(name)) !== null)
      return problem(`There is another user ${name} here already: an administrator has to remove one of the two.`)
    const after = { ...(before ?? { name, password: '', issuer, subject, disabled: 0, created_at: now, password_at: now }), ...granted }
    if (before === null || JSON.stringify(auditOf(before)) !== JSON.stringify(auditOf(after)))
      await this.#write(issuer, `${before === null ? 'user.create' : 'user.change'} ${name}`, before, after)
    return after
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

  async #put(name: string, password: string, what: string, before: UserRow | null): Promise<void> {
    const now = this.#clock.now()
    const grants = { role: 'admin', enterprises: null, sites: null, disabled: 0 }
    const after = { name, password, ...grants, issuer: null, subject: null, created_at: before?.created_at ?? now, password_at: now }
    await this.#write('environment', `${what} ${name}`, before, after)
  }

  async #write(who: string, what: string, before: UserRow | null, after: UserRow, keptHash = ''): Promise<void> {
    const { name, created_at: _, ...changed } = after
    await guarded(() =>
      this.#state.transaction().execute(async (state) => {
        await state
          .insertInto('users')
          .values(after)
          .onConflict((conflict) => conflict.column('name').doUpdateSet(changed))
          .execute()
        if (after.disabled === 1 || after.password !== before?.password) {
          await state.deleteFrom('sessions').where('user_name', '=', name).where('hash', '!=', keptHash).execute()
        }
        await this.#audit.appendIn(state, { who, what, before: before === null ? null : auditOf(before), after: auditOf(after) })
      })
    )
  }

  async #fullAdmins(): Promise<number> {
    const rows = await guarded(() => this.#state.selectFrom('users').selectAll().where('role', '=', 'admin').execute())
    return rows.filter(isFullAdmin).length
  }
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
