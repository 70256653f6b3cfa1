// Users: made, changed, disabled, removed. A password goes in and is never shown.

import { type FormEvent, useState } from 'react'
import { changeUser, type Granted, listUsers, makeUser, ROLES, type Role, removeUser, type User } from '../api-people.ts'
import { useResource } from '../console.tsx'
import { usePeopleWords } from '../people.ts'
import { useWords } from '../words.ts'
import { Instant } from './age.tsx'
import { Confirmed, type Doing, Refusal, useDoing } from './doing.tsx'
import { Cell, Columns, Reading } from './page-frame.tsx'

export function Users() {
  const { users } = usePeopleWords()
  const { columns } = users
  const all = useResource('users', listUsers)
  const doing = useDoing()
  const [open, setOpen] = useState<string | null>(null)
  const act = async (deed: () => Promise<unknown>): Promise<void> => {
    if (!(await doing.run(deed))) return
    setOpen(null)
    all.reload()
  }
  return (
    <>
      {open === '' ? (
        <UserForm user={null} doing={doing} onSend={act} onClose={() => setOpen(null)} />
      ) : (
        <div className="filter">
          <button type="button" className="button" onClick={() => setOpen('')}>
            {users.add}
          </button>
        </div>
      )}
      {open === null && <Refusal of={doing} />}
      <Reading of={all} what={users.what} />
      {all.value !== null && (
        <table className="paper-table">
          <Columns names={[columns.name, columns.role, columns.scope, columns.state, columns.act]} />
          <tbody>
            {all.value.items.map((user) => (
              <UserRow key={user.name} user={user} open={open === user.name} doing={doing} onSend={act} onOpen={setOpen} />
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

interface RowProps {
  user: User
  open: boolean
  doing: Doing
  onSend: (deed: () => Promise<unknown>) => Promise<void>
  onOpen: (name: string | null) => void
}

function UserRow({ user, open, doing, onSend, onOpen }: RowProps) {
  const people = usePeopleWords()
  const { users } = people
  const { columns } = users
  if (open)
    return (
      <tr>
        <td colSpan={5}>
          <UserForm user={user} doing={doing} onSend={onSend} onClose={() => onOpen(null)} />
        </td>
      </tr>
    )
  return (
    <tr data-user={user.name}>
      <Cell of={columns.name}>
        <strong>{user.name}</strong>
        <span className="faint">
          {users.since} <Instant at={Date.parse(user.createdAt)} />
        </span>
      </Cell>
      <Cell of={columns.role}>{people.roles[user.role]}</Cell>
      <Cell of={columns.scope}>
        <ScopeText of={user} />
      </Cell>
      <Cell of={columns.state}>
        <span className="outcome">{user.disabled ? <strong>{users.disabled}</strong> : users.enabled}</span>
        {user.external && <span className="faint">{users.external}</span>}
      </Cell>
      <Cell of={columns.act} className="act">
        <span className="acts">
          <button type="button" className="button" disabled={doing.busy} onClick={() => onOpen(user.name)}>
            {users.edit}
          </button>
          {user.disabled ? (
            <button
              type="button"
              className="button"
              disabled={doing.busy}
              onClick={() => void onSend(() => changeUser(user.name, { disabled: false }))}
            >
              {users.enable}
            </button>
          ) : (
            <Confirmed
              label={users.disable}
              question={users.disableAsk}
              confirm={people.yes}
              busy={doing.busy}
              onConfirm={() => void onSend(() => changeUser(user.name, { disabled: true }))}
            />
          )}
          <Confirmed
            label={users.remove}
            question={users.removeAsk}
            confirm={people.yes}
            busy={doing.busy}
            onConfirm={() => void onSend(() => removeUser(user.name))}
          />
        </span>
      </Cell>
    </tr>
  )
}

export function ScopeText({ of: { enterprises, sites } }: { of: Granted }) {
  const people = usePeopleWords()
  if (enterprises === null && sites === null) return people.everything
  const said = (ids: readonly string[] | null): string => (ids === null ? people.everything : ids.join(', '))
  return people.scope(said(enterprises), said(sites))
}

/** Ids as typed with commas; nothing typed is all. */
export function idsIn(text: string): string[] | null {
  const ids = text
    .split(/[,，\s]+/)
    .map((id) => id.trim())
    .filter((id) => id !== '')
  return ids.length === 0 ? null : ids
}

interface FormProps {
  /** Null: one is made. */
  user: User | null
  doing: Doing
  onSend: (deed: () => Promise<unknown>) => Promise<void>
  onClose: () => void
}

function UserForm({ user, doing, onSend, onClose }: FormProps) {
  const words = useWords()
  const people = usePeopleWords()
  const { users } = people
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>(user?.role ?? 'viewer')
  const [enterprises, setEnterprises] = useState((user?.enterprises ?? []).join(', '))
  const [sites, setSites] = useState((user?.sites ?? []).join(', '))
  const send = (event: FormEvent): void => {
    event.preventDefault()
    const scope = { enterprises: idsIn(enterprises), sites: idsIn(sites) }
    const secret = password === '' ? {} : { password }
    void onSend(() =>
      user === null ? makeUser({ name: name.trim(), password, role, ...scope }) : changeUser(user.name, { role, ...scope, ...secret })
    )
  }
  return (
    <form className="panel form" aria-label={user === null ? users.add : user.name} onSubmit={send}>
      {user === null ? (
        <label>
          {users.name}
          <input
            name="new-name"
            required
            autoComplete="off"
            autoCapitalize="none"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
      ) : (
        <p>
          <strong>{user.name}</strong>
        </p>
      )}
      <label>
        {people.role}
        <select value={role} onChange={(event) => setRole(ROLES.find((one) => one === event.target.value) ?? 'viewer')}>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {people.roles[one]}
            </option>
          ))}
        </select>
      </label>
      <label>
        {people.enterprises}
        <input value={enterprises} onChange={(event) => setEnterprises(event.target.value)} />
      </label>
      <label>
        {people.sites}
        <input value={sites} onChange={(event) => setSites(event.target.value)} />
      </label>
      {user?.external !== true && (
        <label>
          {user === null ? users.password : users.newPassword}
          <input
            name="new-password"
            type="password"
            required={user === null}
            minLength={8}
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
      )}
      <button type="submit" className="button button-strong" disabled={doing.busy}>
        {user === null ? users.add : users.save}
      </button>
      <button type="button" className="button button-quiet" onClick={onClose}>
        {words.alarms.cancel}
      </button>
      <Refusal of={doing} />
    </form>
  )
}
