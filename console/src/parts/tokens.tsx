// API tokens for programs. The secret is shown once, when one is made.

import { type FormEvent, useState } from 'react'
import { listTokens, makeToken, revokeToken, type Token } from '../api-people.ts'
import { useResource } from '../console.tsx'
import { usePeopleWords } from '../people.ts'
import { Ago } from './age.tsx'
import { Confirmed, type Doing, Refusal, useDoing } from './doing.tsx'
import { GrantFields, grantOf, grantTyped, ScopeText } from './grant.tsx'
import { Cell, Columns, Reading } from './page-frame.tsx'

export function Tokens() {
  const people = usePeopleWords()
  const { tokens } = people
  const { columns } = tokens
  const all = useResource('tokens', listTokens)
  const doing = useDoing()
  const [secret, setSecret] = useState('')
  const act = async (deed: () => Promise<unknown>): Promise<void> => {
    if (await doing.run(deed)) all.reload()
  }
  const make = (body: Parameters<typeof makeToken>[0]): void =>
    void act(async () => {
      setSecret((await makeToken(body)).token)
    })
  return (
    <>
      <NewToken busy={doing.busy} onSend={make} />
      {secret !== '' && (
        <p className="notice" role="status">
          {tokens.once} <code className="secret">{secret}</code>
        </p>
      )}
      <Refusal of={doing} />
      <Reading of={all} what={tokens.what} />
      {all.value?.items.length === 0 && <p className="nothing">{tokens.none}</p>}
      {all.value !== null && all.value.items.length > 0 && (
        <table className="paper-table">
          <Columns names={[columns.name, columns.role, columns.scope, columns.used, columns.state, columns.act]} />
          <tbody>
            {all.value.items.map((token) => (
              <TokenRow key={token.id} token={token} doing={doing} onRevoke={() => void act(() => revokeToken(token.id))} />
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

function TokenRow({ token, doing, onRevoke }: { token: Token; doing: Doing; onRevoke: () => void }) {
  const people = usePeopleWords()
  const { tokens } = people
  const { columns } = tokens
  return (
    <tr data-token={token.name}>
      <Cell of={columns.name}>
        <strong>{token.name}</strong>
        <span className="faint">{tokens.by(token.user)}</span>
      </Cell>
      <Cell of={columns.role}>{people.roles[token.role]}</Cell>
      <Cell of={columns.scope}>
        <ScopeText of={token} />
      </Cell>
      <Cell of={columns.used}>{token.lastUsedAt === null ? tokens.never : <Ago at={Date.parse(token.lastUsedAt)} />}</Cell>
      <Cell of={columns.state}>{token.revokedAt === null ? tokens.valid : tokens.revoked}</Cell>
      <Cell of={columns.act} className="act">
        {token.revokedAt === null && (
          <Confirmed label={tokens.revoke} question={tokens.revokeAsk} confirm={tokens.revoke} busy={doing.busy} onConfirm={onRevoke} />
        )}
      </Cell>
    </tr>
  )
}

function NewToken({ busy, onSend }: { busy: boolean; onSend: (body: Parameters<typeof makeToken>[0]) => void }) {
  const { tokens } = usePeopleWords()
  const [name, setName] = useState('')
  const [grant, setGrant] = useState(grantTyped(null))
  const send = (event: FormEvent): void => {
    event.preventDefault()
    onSend({ name: name.trim(), ...grantOf(grant) })
  }
  return (
    <form className="panel form" aria-label={tokens.add} onSubmit={send}>
      <label>
        {tokens.name}
        <input required value={name} onChange={(event) => setName(event.target.value)} />
      </label>
      <GrantFields value={grant} onChange={setGrant} />
      <button type="submit" className="button" disabled={busy}>
        {tokens.add}
      </button>
    </form>
  )
}
