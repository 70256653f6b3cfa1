// The bar on top of every page: where to go, how many alarms of each tier there are, whether the link is live, the time.

import { useEffect, useState } from 'react'
import { TIERS_DOWN } from '../api.ts'
import { serverNow, useTimed } from '../clock.ts'
import { useAlarmList, useConsole, useLink } from '../console.tsx'
import { addressOf, type Route } from '../route.ts'
import { countAlarms } from '../withheld.ts'
import { useWords } from '../words.ts'
import { PageLinks } from './page-links.tsx'
import { LanguageButton, ThemeButton } from './settings.tsx'
import { SoundButton } from './sound-button.tsx'
import { ROMAN, TierMark } from './tier-mark.tsx'

export function TopBar({ route, leave }: { route: Route; leave: () => Promise<void> }) {
  const words = useWords()
  const { person } = useConsole()
  const [open, setOpen] = useState(false)
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever went to another page is done with the menu
  useEffect(() => setOpen(false), [route.page, route.id])
  return (
    <header className="top">
      <a className="brand" href={addressOf('alarms')}>
        <img src="/beacon.svg" alt="" width="28" height="28" />
        <span className="brand-name">{words.product}</span>
      </a>
      <nav className="pages" aria-label={words.nav.label}>
        <PageLinks route={route} others={false} />
      </nav>
      <nav className="pages pages-others" aria-label={words.nav.more}>
        <PageLinks route={route} others />
      </nav>
      <TierCounts route={route} />
      <SoundButton />
      <Lamp />
      <Clock />
      <button
        type="button"
        className="button button-quiet menu"
        aria-expanded={open}
        aria-controls="settings"
        aria-label={words.nav.settings}
        onClick={() => setOpen(!open)}
      >
        ☰
      </button>
      <div id="settings" className="settings" data-open={open}>
        <nav className="menu-pages" aria-label={words.nav.more}>
          <PageLinks route={route} others />
        </nav>
        <LanguageButton />
        <ThemeButton />
        <a
          className="person"
          href={addressOf('account')}
          aria-label={words.nav.accountOf(person.username)}
          aria-current={route.page === 'account' ? 'page' : undefined}
        >
          {person.username}
        </a>
        <button type="button" className="button button-quiet" onClick={() => void leave()}>
          {words.signIn.out}
        </button>
      </div>
    </header>
  )
}

function TierCounts({ route }: { route: Route }) {
  const words = useWords()
  const { alarms, loaded } = useAlarmList()
  const { kind } = useLink()
  const counts = countAlarms(alarms)
  useTitle(
    loaded,
    kind === 'lost',
    counts.unacknowledged,
    TIERS_DOWN.reduce((sum, tier) => sum + counts[tier], 0)
  )
  return (
    <ul className="counts" aria-label={words.counts.label}>
      {TIERS_DOWN.map((tier) => {
        const name = words.tierName(words.tier[tier], ROMAN[tier])
        const chosen = route.page === 'alarms' && route.search.tier === tier
        return (
          <li key={tier}>
            <a
              href={addressOf('alarms', '', { ...(route.page === 'alarms' ? route.search : {}), tab: '', tier: chosen ? '' : tier })}
              data-some={counts[tier] > 0}
              title={words.counts.filter}
              aria-current={chosen ? 'true' : undefined}
            >
              <TierMark tier={tier} state={counts[tier] > 0 ? 'plain' : 'returned'} label={name} />
              <b className={kind === 'lost' ? 'untrusted' : undefined}>{loaded ? counts[tier] : '?'}</b>
            </a>
          </li>
        )
      })}
      <li className="counts-open">
        <b className={kind === 'lost' ? 'untrusted' : undefined}>{loaded ? counts.unacknowledged : '?'}</b> {words.counts.unacknowledged}
      </li>
    </ul>
  )
}

function useTitle(loaded: boolean, lost: boolean, unacknowledged: number, all: number): void {
  const words = useWords()
  useEffect(() => {
    const count = lost || !loaded ? words.alarms.titleUnknown : words.alarms.titleCount(unacknowledged, all)
    document.title = `${count} ${words.product}`
  }, [words, loaded, lost, unacknowledged, all])
}

function Lamp() {
  const words = useWords()
  const { kind } = useLink()
  const { current } = useAlarmList()
  const shown = kind === 'live' && !current ? 'connecting' : kind
  return (
    <span className="lamp" data-link={shown} role="status">
      <i aria-hidden="true" />
      {shown === 'live' ? words.link.live : shown === 'lost' ? words.quality.link : words.link.connecting}
    </span>
  )
}

function Clock() {
  const words = useWords()
  const text = useTimed(() => new Date(serverNow()).toTimeString().slice(0, 8))
  return (
    <span className="clock" title={words.overview.server}>
      {text}
    </span>
  )
}
