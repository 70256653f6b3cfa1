// What somebody, or a token, may do and see: the fields of role and scope, and how a scope is said.

import { type Granted, ROLES, type Role } from '../api-people.ts'
import { usePeopleWords } from '../people.ts'

/** As it stands in the fields: ids with commas, nothing for all. */
export interface TypedGrant {
  readonly role: Role
  readonly enterprises: string
  readonly sites: string
}

export function grantTyped(of: (Granted & { readonly role: Role }) | null): TypedGrant {
  const ids = (list: readonly string[] | null | undefined): string => (list ?? []).join(', ')
  return { role: of?.role ?? 'viewer', enterprises: ids(of?.enterprises), sites: ids(of?.sites) }
}

export function grantOf({ role, enterprises, sites }: TypedGrant): Granted & { role: Role } {
  return { role, enterprises: idsIn(enterprises), sites: idsIn(sites) }
}

/** Ids as typed with commas; nothing typed is all. */
function idsIn(text: string): string[] | null {
  const ids = text
    .split(/[,，\s]+/)
    .map((id) => id.trim())
    .filter((id) => id !== '')
  return ids.length === 0 ? null : ids
}

export function GrantFields({ value, onChange }: { value: TypedGrant; onChange: (value: TypedGrant) => void }) {
  const people = usePeopleWords()
  return (
    <>
      <label>
        {people.role}
        <select
          value={value.role}
          onChange={(event) => onChange({ ...value, role: ROLES.find((one) => one === event.target.value) ?? 'viewer' })}
        >
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {people.roles[one]}
            </option>
          ))}
        </select>
      </label>
      {(['enterprises', 'sites'] as const).map((of) => (
        <label key={of}>
          {people[of]}
          <input value={value[of]} autoCapitalize="none" onChange={(event) => onChange({ ...value, [of]: event.target.value })} />
        </label>
      ))}
    </>
  )
}

export function ScopeText({ of: { enterprises, sites } }: { of: Granted }) {
  const people = usePeopleWords()
  if (enterprises === null && sites === null) return people.everything
  const said = (ids: readonly string[] | null): string => (ids === null ? people.everything : ids.join(', '))
  return people.scope(said(enterprises), said(sites))
}
