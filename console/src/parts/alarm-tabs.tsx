// The kinds of alarms: active, withheld for one of three reasons, and all on record, each with its number.
// Invariant: that something is withheld is to be seen on every page.

import { useAlarmList } from '../console.tsx'
import { useHandling } from '../handling.ts'
import { addressOf, type Route } from '../route.ts'
import { countTabs, TABS, tabOf, WITHHELD } from '../withheld.ts'
import { useLinkLost } from './age.tsx'

export function AlarmTabs({ route }: { route: Route }) {
  const handling = useHandling()
  const { alarms, loaded } = useAlarmList()
  const lost = useLinkLost()
  const counts = countTabs(alarms)
  const chosen = tabOf(route.search)
  return (
    <nav className="tabs" aria-label={handling.tabs.label}>
      {TABS.map((tab) => (
        <a
          key={tab}
          href={addressOf('alarms', '', { ...route.search, tab: tab === 'active' ? '' : tab })}
          aria-current={tab === chosen ? 'page' : undefined}
          data-tab={tab}
        >
          {handling.tabs[tab]} {tab !== 'all' && <b className={lost ? 'untrusted' : undefined}>{loaded ? counts[tab] : '?'}</b>}
        </a>
      ))}
    </nav>
  )
}

/** For the strip over every page; nothing where nothing is withheld. */
export function WithheldFigures() {
  const handling = useHandling()
  const { alarms, loaded } = useAlarmList()
  const lost = useLinkLost()
  const counts = countTabs(alarms)
  const some = WITHHELD.filter((withheld) => counts[withheld] > 0)
  if (!loaded || some.length === 0) return null
  return (
    <li className="withheld-figures" title={handling.withheldNow}>
      {some.map((withheld) => (
        <a key={withheld} href={addressOf('alarms', '', { tab: withheld })}>
          <b className={lost ? 'untrusted' : undefined}>{counts[withheld]}</b> {handling.tabs[withheld]}
        </a>
      ))}
    </li>
  )
}
