// Where one can go: the two pages of every minute stand in the bar, the others in its menu where the screen is narrow.

import { useConsole } from '../console.tsx'
import { addressOf, type ListName, type PageName, type Route } from '../route.ts'
import { useWords } from '../words.ts'

const ALWAYS = ['alarms', 'devices'] as const
const OTHERS = ['states', 'notifications', 'duty', 'rules', 'hazards', 'people'] as const satisfies readonly ListName[]

/** The list that a page about one thing belongs to. */
const LIST_OF: Partial<Record<PageName, ListName>> = { alarm: 'alarms', device: 'devices', rule: 'rules' }

export function PageLinks({ route, others }: { route: Route; others: boolean }) {
  const words = useWords()
  const { person } = useConsole()
  const here = LIST_OF[route.page] ?? route.page
  const shown = others ? OTHERS.filter((page) => page !== 'people' || person.role === 'admin') : ALWAYS
  return shown.map((page) => (
    <a key={page} href={addressOf(page)} aria-current={here === page ? 'page' : undefined}>
      {words.nav[page]}
    </a>
  ))
}
