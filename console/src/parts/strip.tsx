// One line over the whole installation: the worst tier of each site, how many devices are heard, how far intake is behind.

import { useMemo } from 'react'
import { type Overview, type SiteOverview, TIER_RANK, TIERS_DOWN, type Tier } from '../api.ts'
import { useAlarmList } from '../console.tsx'
import { formatLag } from '../format.ts'
import { addressOf, type Route } from '../route.ts'
import { countAlarms, withheldBy } from '../withheld.ts'
import { useSay, useWords } from '../words.ts'
import { useLinkLost } from './age.tsx'
import { WithheldFigures } from './alarm-tabs.tsx'
import { ROMAN, TierMark } from './tier-mark.tsx'

const SITES_SHOWN = 10

export function Strip({ overview, route }: { overview: Overview | null; route: Route }) {
  const words = useWords()
  const lost = useLinkLost()
  if (overview === null) return null
  const { devices } = overview
  return (
    <section className="strip" aria-label={words.overview.label}>
      <Sites sites={overview.sites} route={route} />
      <ul className="figures">
        <WithheldFigures />
        <Figure name={words.overview.online} value={`${devices.online} / ${devices.total}`} address={addressOf('devices')} old={lost} />
        <Figure
          name={words.overview.silent}
          value={String(devices.silent)}
          address={addressOf('devices', '', { state: 'silent' })}
          old={lost}
          odd={devices.silent > 0}
        />
        <Figure
          name={words.overview.never}
          value={String(devices.neverReported)}
          address={addressOf('devices', '', { state: 'never' })}
          old={lost}
          odd={devices.neverReported > 0}
        />
        <Figure name={words.overview.lag} value={formatLag(overview.intake.lagMs)} address={null} old={lost} />
      </ul>
    </section>
  )
}

function Figure(props: { name: string; value: string; address: string | null; old: boolean; odd?: boolean }) {
  const content = (
    <>
      <b className={props.old ? 'untrusted' : undefined}>{props.value}</b> {props.name}
    </>
  )
  return <li data-odd={props.odd === true}>{props.address === null ? <span>{content}</span> : <a href={props.address}>{content}</a>}</li>
}

/** The sites as the live list has them, which is sooner than the overview says the same. */
function useLiveSites(sites: readonly SiteOverview[]): readonly SiteOverview[] {
  const { alarms, loaded, cut } = useAlarmList()
  return useMemo(() => {
    if (!loaded || cut) return sites
    const bySite = Map.groupBy(
      alarms.filter((alarm) => withheldBy(alarm) === null),
      ({ site }) => site
    )
    return sites.map((site) => {
      const own = bySite.get(site.id) ?? []
      const { unacknowledged, ...counts } = countAlarms(own)
      const on = own.filter(({ clearedAt }) => clearedAt === null)
      return {
        ...site,
        alarms: counts,
        unacknowledged,
        worstTier: TIERS_DOWN.find((tier) => on.some((alarm) => alarm.tier === tier)) ?? null
      }
    })
  }, [sites, alarms, loaded, cut])
}

function Sites({ sites: known, route }: { sites: readonly SiteOverview[]; route: Route }) {
  const words = useWords()
  const sites = useLiveSites(known)
  const worstFirst = [...sites].sort((a, b) => rank(b) - rank(a))
  const abnormal = worstFirst.filter((site) => rank(site) > 0)
  const shown = (sites.length <= SITES_SHOWN ? worstFirst : abnormal).slice(0, SITES_SHOWN)
  const hidden = sites.length <= SITES_SHOWN ? 0 : abnormal.length - shown.length
  const quiet = sites.length - shown.length - hidden
  return (
    <ul className="sites" aria-label={words.overview.sites}>
      {shown.map((site) => (
        <SiteChip key={site.id} site={site} route={route} />
      ))}
      {hidden > 0 && <li className="sites-rest sites-hidden">{words.overview.abnormal(hidden)}</li>}
      {quiet > 0 && <li className="sites-rest">{words.overview.quiet(quiet)}</li>}
    </ul>
  )
}

/** Nothing is heard from a site that has devices: no alarm there says nothing. */
const isBlind = (site: SiteOverview): boolean => site.devices.total > 0 && site.devices.online === 0

/** The worst of what has returned there and still waits for somebody; null: nothing does. */
const returned = ({ alarms }: SiteOverview): Tier | null => TIERS_DOWN.find((tier) => alarms[tier] > 0) ?? null

/** What is on comes before what has returned, that before a site from which nothing is heard, that before a quiet one. */
function rank(site: SiteOverview): number {
  if (site.worstTier !== null) return TIER_RANK[site.worstTier]
  const waiting = returned(site)
  return waiting !== null ? 0.5 + TIER_RANK[waiting] / 10 : isBlind(site) ? 0.5 : 0
}

function SiteChip({ site, route }: { site: SiteOverview; route: Route }) {
  const words = useWords()
  const say = useSay()
  const count = TIERS_DOWN.reduce((sum, tier) => sum + site.alarms[tier], 0)
  const blind = isBlind(site)
  const tier = site.worstTier ?? returned(site)
  const state = site.worstTier === null ? 'returned' : site.unacknowledged > 0 ? 'unacknowledged' : 'acknowledged'
  const chosen = route.search.site === site.id
  const address = addressOf(route.page === 'devices' ? 'devices' : 'alarms', '', { ...route.search, tab: '', site: chosen ? '' : site.id })
  return (
    <li>
      <a
        className="site"
        data-blind={blind}
        aria-current={chosen ? 'true' : undefined}
        title={`${say(site.name, site.id)} · ${words.counts.filter}`}
        href={address}
      >
        {tier !== null ? (
          <TierMark tier={tier} state={state} label={words.tierName(words.tier[tier], ROMAN[tier])} />
        ) : (
          <i className="site-quiet" role="img" aria-label={blind ? words.overview.siteBlind : words.overview.noAlarm}>
            {blind ? '?' : ''}
          </i>
        )}
        <span className="site-name">{say(site.name, site.id)}</span>
        {count > 0 && <b>{count}</b>}
      </a>
    </li>
  )
}
