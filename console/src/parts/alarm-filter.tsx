// Which alarms are shown: by tier, site, text and whether they wait for an acknowledgement. Kept in the address.

import { type Alarm, type SiteOverview, TIERS_DOWN } from '../api.ts'
import { addressOf, type Route, replaceSearch } from '../route.ts'
import { useSay, useWords } from '../words.ts'
import { ROMAN, TierMark } from './tier-mark.tsx'

export interface Filter {
  readonly tier: string
  readonly site: string
  readonly text: string
  /** Only what nobody has acknowledged. */
  readonly open: boolean
}

export function readFilter(search: Readonly<Record<string, string>>): Filter {
  return { tier: search.tier ?? '', site: search.site ?? '', text: search.q ?? '', open: search.open === '1' }
}

/** Text is looked for in both languages, ids and the reason; several words must all occur. */
export function matches(alarm: Alarm, filter: Filter): boolean {
  if (filter.tier !== '' && alarm.tier !== filter.tier) return false
  if (filter.site !== '' && alarm.site !== filter.site) return false
  if (filter.open && alarm.acknowledged !== null) return false
  if (filter.text === '') return true
  const { deviceName, areaName, siteName, title, becauseText } = alarm
  const names = [deviceName, areaName, siteName, title, becauseText].flatMap((text) => (text ? [text.zh, text.en] : []))
  const all = [alarm.id, alarm.area, alarm.because, ...names].join('\n').toLowerCase()
  return filter.text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}

export function AlarmFilter({ route, sites }: { route: Route; sites: readonly SiteOverview[] }) {
  const words = useWords()
  const say = useSay()
  const filter = readFilter(route.search)
  const filtered = filter.tier !== '' || filter.site !== '' || filter.text !== '' || filter.open
  return (
    <search className="filter">
      <div className="filter-tiers">
        {TIERS_DOWN.map((tier) => {
          const chosen = filter.tier === tier
          return (
            <button
              key={tier}
              type="button"
              className="button chip chip-tier"
              aria-pressed={chosen}
              onClick={() => replaceSearch(route, { tier: chosen ? '' : tier })}
            >
              <TierMark tier={tier} />
              {words.tierName(words.tier[tier], ROMAN[tier])}
            </button>
          )
        })}
        <button
          type="button"
          className="button chip"
          aria-pressed={filter.open}
          onClick={() => replaceSearch(route, { open: filter.open ? '' : '1' })}
        >
          {words.alarms.onlyUnacknowledged}
        </button>
      </div>
      <select
        aria-label={words.overview.sites}
        value={filter.site}
        onChange={(event) => replaceSearch(route, { site: event.target.value })}
      >
        <option value="">{words.alarms.allSites}</option>
        {sites.map((site) => (
          <option key={site.id} value={site.id}>
            {say(site.name, site.id)}
          </option>
        ))}
      </select>
      <input
        type="search"
        aria-label={words.alarms.search}
        placeholder={words.alarms.search}
        value={filter.text}
        onChange={(event) => replaceSearch(route, { q: event.target.value })}
      />
      {filtered && (
        <a className="button button-quiet" href={addressOf('alarms', '', { tab: route.search.tab ?? '' })}>
          {words.alarms.clearFilters}
        </a>
      )}
    </search>
  )
}
