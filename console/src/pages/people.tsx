// People and access, for administrators: users, sessions, API tokens, the audit log.

import { listAudit } from '../api-people.ts'
import { useConsole } from '../console.tsx'
import { Instant } from '../parts/age.tsx'
import { Cell, Columns, PageHead, Reading, Tabs, tabOf } from '../parts/page-frame.tsx'
import { Pager, usePaged } from '../parts/paged.tsx'
import { Sessions } from '../parts/sessions.tsx'
import { Tokens } from '../parts/tokens.tsx'
import { Users } from '../parts/users.tsx'
import { usePeopleWords } from '../people.ts'
import type { Route } from '../route.ts'

export function PeoplePage({ route }: { route: Route }) {
  const people = usePeopleWords()
  const { person } = useConsole()
  const tabs = (['users', 'sessions', 'tokens', 'audit'] as const).map((name) => ({ name, label: people.tabs[name] }))
  const tab = tabOf(route, tabs)
  const admin = person.role === 'admin'
  return (
    <div className="paper">
      <PageHead title={people.title}>{admin && <Tabs route={route} page="people" tabs={tabs} />}</PageHead>
      {!admin && <p className="notice">{people.adminsOnly}</p>}
      {admin && tab === 'users' && <Users />}
      {admin && tab === 'sessions' && <Sessions of={null} />}
      {admin && tab === 'tokens' && <Tokens />}
      {admin && tab === 'audit' && <Audit />}
    </div>
  )
}

function Audit() {
  const { audit } = usePeopleWords()
  const { columns } = audit
  const page = usePaged('audit', listAudit)
  return (
    <>
      <Reading of={page} what={audit.what} />
      {page.value !== null && page.items.length === 0 && <p className="nothing">{audit.none}</p>}
      {page.items.length > 0 && (
        <table className="paper-table">
          <Columns names={['#', columns.at, columns.who, columns.what, columns.change]} />
          <tbody>
            {page.items.map((one) => (
              <tr key={one.n}>
                <Cell of="#">{one.n}</Cell>
                <Cell of={columns.at}>
                  <Instant at={Date.parse(one.at)} />
                </Cell>
                <Cell of={columns.who}>
                  <strong>{one.who}</strong>
                </Cell>
                <Cell of={columns.what} className="wide">
                  {one.what}
                </Cell>
                <Cell of={columns.change} className="wide">
                  {(one.before !== null || one.after !== null) && (
                    <details className="diff">
                      <summary>{columns.change}</summary>
                      <pre className="json">
                        {audit.before}: {JSON.stringify(one.before, null, 1)}
                        {'\n'}
                        {audit.after}: {JSON.stringify(one.after, null, 1)}
                      </pre>
                    </details>
                  )}
                </Cell>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Pager back={page.back} forth={page.forth} />
    </>
  )
}
