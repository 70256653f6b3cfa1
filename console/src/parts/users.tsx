// Users: made, changed, disabled, removed. A password goes in and is never shown.

import { type FormEvent, useState } from 'react'
import { changeUser, listUsers, makeUser, removeUser, type User } from '../api-people.ts'
import { useResource } from '../console.tsx'
import { usePeopleWords } from '../people.ts'
import { useWords } from '../words.ts'
import { Instant } from './age.tsx'
import { Confirmed, type Doing, Refusal, useDoing } from './doing.tsx'
import { GrantFields, grantOf, grantTyped, ScopeText } from './grant.tsx'
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

interface FormProps {
  /** Null: one is made. */
  user: User | null
  doing: Doing
  onSend: (deed: () => Promise<unknown>) => Promise<void>
  onClose: () => void
}

function UserForm({ user, doing, onSend, onClose }: FormProps) {
  const words = useWords()
  const { users } = usePeopleWords()
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [grant, setGrant] = useState(grantTyped(user))
  const send = (event: FormEvent): void => {
    event.preventDefault()
    const given = grantOf(grant)
    const secret = password === '' ? {} : { password }
    void onSend(() =>
      user === null ? makeUser({ name: name.trim(), password, ...given }) : changeUser(user.name, { ...given, ...secret })
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
      <GrantFields value={grant} onChange={setGrant} />
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
