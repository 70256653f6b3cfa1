// One's own account: what one may do and see, the password, where one is signed in.

import { type FormEvent, useState } from 'react'
import { ApiProblem } from '../api.ts'
import { changeOwnPassword } from '../api-people.ts'
import { useConsole } from '../console.tsx'
import { sayProblem } from '../format.ts'
import { useDoing } from '../parts/doing.tsx'
import { ScopeText } from '../parts/grant.tsx'
import { PageHead } from '../parts/page-frame.tsx'
import { Sessions } from '../parts/sessions.tsx'
import { type PeopleWords, usePeopleWords } from '../people.ts'
import { useWords, type Words } from '../words.ts'

export function AccountPage() {
  const people = usePeopleWords()
  const { account } = people
  const { person } = useConsole()
  const [changes, setChanges] = useState(0)
  return (
    <div className="paper">
      <PageHead title={account.title} />
      <p className="panel">
        <strong>{person.username}</strong> · {people.roles[person.role]} · <ScopeText of={person} />
      </p>
      <h2>{account.password}</h2>
      {person.external ? <p className="panel">{account.external}</p> : <PasswordForm onChanged={() => setChanges(changes + 1)} />}
      <h2>{account.sessions}</h2>
      <Sessions key={changes} of={person.username} />
    </div>
  )
}

function refusal(problem: unknown, account: PeopleWords['account'], words: Words): string {
  if (!(problem instanceof ApiProblem)) return sayProblem(problem, words)
  // A wrong password is no lack of rights.
  if (problem.status === 403) return account.wrong
  if (problem.status === 429) return words.signIn.tooMany
  if (problem.status === 422) return `${account.unfit} ${problem.message}`
  return sayProblem(problem, words)
}

const EMPTY = { present: '', password: '', again: '' }

function PasswordForm({ onChanged }: { onChanged: () => void }) {
  const words = useWords()
  const { account } = usePeopleWords()
  const { person } = useConsole()
  const [typed, setTyped] = useState(EMPTY)
  const [said, setSaid] = useState('')
  const doing = useDoing()
  const differ = typed.again !== '' && typed.again !== typed.password
  const send = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    setSaid('')
    if (typed.again !== typed.password || !(await doing.run(() => changeOwnPassword(typed.present, typed.password)))) return
    setTyped(EMPTY)
    setSaid(account.changed)
    onChanged()
  }
  const field = (name: keyof typeof EMPTY, label: string, complete: string) => (
    <label>
      {label}
      <input
        name={name}
        type="password"
        required
        minLength={name === 'present' ? 1 : 8}
        autoComplete={complete}
        value={typed[name]}
        onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
      />
    </label>
  )
  return (
    <form className="panel form" aria-label={account.password} onSubmit={(event) => void send(event)}>
      <p>{account.lead}</p>
      {/* For what keeps passwords: whose this one is. */}
      <input hidden name="username" autoComplete="username" readOnly value={person.username} />
      {field('present', account.present, 'current-password')}
      {field('password', account.next, 'new-password')}
      {field('again', account.again, 'new-password')}
      <button type="submit" className="button button-strong" disabled={doing.busy || differ}>
        {account.send}
      </button>
      {differ && <p role="alert">{account.differ}</p>}
      {doing.problem !== null && (
        <p className="notice" role="alert">
          {refusal(doing.problem, account, words)}
        </p>
      )}
      {said !== '' && <p role="status">{said}</p>}
    </form>
  )
}
