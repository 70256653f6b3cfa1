// What the pages beside alarms and devices have in common: their head, the tabs in it, what is said while nothing is there.

import '../style/pages.css'
import type { ReactNode } from 'react'
import type { Resource } from '../console.tsx'
import { sayProblem } from '../format.ts'
import { addressOf, type PageName, type Route } from '../route.ts'
import { useWords } from '../words.ts'

export function PageHead({ title, count, children }: { title: string; count?: string | undefined; children?: ReactNode }) {
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {count !== undefined && <span className="page-count">{count}</span>}
      {children}
    </div>
  )
}

/** The parts of one page, kept in its address; the first is shown where none is named. */
export function Tabs<Name extends string>(props: { route: Route; page: PageName; tabs: readonly { name: Name; label: string }[] }) {
  const { route, page, tabs } = props
  const words = useWords()
  const here = tabOf(route, tabs)
  return (
    <nav className="tabs" aria-label={words.nav.parts}>
      {tabs.map(({ name, label }, index) => (
        <a key={name} href={addressOf(page, '', index === 0 ? {} : { tab: name })} aria-current={name === here ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </nav>
  )
}

export function tabOf<Name extends string>(route: Route, tabs: readonly { name: Name }[]): Name {
  return (tabs.find(({ name }) => name === route.search.tab) ?? tabs[0]!).name
}

/** What stands in the place of something that is read: that it is being read, or why it could not be. */
export function Reading({ of, what }: { of: Pick<Resource<unknown>, 'value' | 'problem'>; what: string }) {
  const words = useWords()
  if (of.problem !== null)
    return (
      <p className="notice" role="alert">
        {of.value === null ? words.pages.unread(what) : words.pages.old(what)} {sayProblem(of.problem, words)}
      </p>
    )
  return of.value === null ? <p className="nothing untrusted">{words.pages.reading}</p> : null
}

/** One cell of a table that becomes a card on a phone, where its column's name stands before it. */
export function Cell({ of, children, className }: { of: string; children: ReactNode; className?: string }) {
  return (
    <td data-column={of} className={className}>
      {children}
    </td>
  )
}

export function Columns({ names }: { names: readonly string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col">
            {name}
          </th>
        ))}
      </tr>
    </thead>
  )
}
