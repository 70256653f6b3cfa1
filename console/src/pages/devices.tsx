// The device list: searched, filtered and paged by the service, so that it holds thousands; the page shown is kept live.

import { useEffect, useState } from 'react'
import { type Device, listDevices, type SiteOverview } from '../api.ts'
import { useTimed } from '../clock.ts'
import { useResource } from '../console.tsx'
import { type Held, stateNow, useHeld } from '../device-state.ts'
import { sayProblem } from '../format.ts'
import { Ago, useLinkLost } from '../parts/age.tsx'
import { Tag } from '../parts/tag.tsx'
import { ROMAN, TierMark } from '../parts/tier-mark.tsx'
import { useTrust, Value } from '../parts/value.tsx'
import { addressOf, type Route, replaceSearch } from '../route.ts'
import { useSay, useWords } from '../words.ts'

const PAGE = 50
const REFRESH_MS = 30_000
const TYPING_MS = 250
const STATES = ['online', 'silent', 'offline', 'never'] as const

export function DevicesPage({ route, sites }: { route: Route; sites: readonly SiteOverview[] }) {
  const words = useWords()
  const { q = '', site = '', state = '' } = route.search
  const settled = useSettled(q)
  const question = JSON.stringify([settled, site, state])
  const [trail, setTrail] = useState<{ question: string; cursors: readonly string[] }>({ question, cursors: [] })
  const cursors = trail.question === question ? trail.cursors : []
  const cursor = cursors.at(-1) ?? null
  const page = useResource(
    `${question} ${cursor}`,
    (signal) => listDevices({ q: settled, site, state, limit: PAGE, cursor }, signal),
    REFRESH_MS
  )
  const held = useHeld(page.value?.items ?? null)
  const first = cursors.length * PAGE + 1
  const next = page.value?.next ?? null

  return (
    <div className="devices">
      <div className="page-head">
        <h1>{words.devices.title}</h1>
        {page.value !== null && page.value.items.length > 0 && (
          <span className="page-count">{words.devices.range(first, first + page.value.items.length - 1, page.value.total)}</span>
        )}
      </div>
      <DeviceFilter route={route} sites={sites} />
      {page.problem !== null && (
        <p className="notice" role="alert">
          {words.devices.failed} {sayProblem(page.problem, words)}
        </p>
      )}
      {page.value === null && page.problem === null && <p className="nothing untrusted">{words.devices.loading}</p>}
      {page.value?.items.length === 0 && <NoDevices filtered={settled !== '' || site !== '' || state !== ''} />}
      {held.length > 0 && page.value !== null && <DeviceTable held={held} />}
      <div className="pager">
        <button
          type="button"
          className="button"
          disabled={cursors.length === 0}
          onClick={() => setTrail({ question, cursors: cursors.slice(0, -1) })}
        >
          {words.devices.previous}
        </button>
        <button
          type="button"
          className="button"
          disabled={next === null}
          onClick={() => next !== null && setTrail({ question, cursors: [...cursors, next] })}
        >
          {words.devices.next}
        </button>
      </div>
    </div>
  )
}

/** A text once it has not changed for a moment: one question to the service per word, not per key. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(text), TYPING_MS)
    return () => window.clearTimeout(timer)
  }, [text])
  return settled
}

function NoDevices({ filtered }: { filtered: boolean }) {
  const words = useWords()
  if (filtered) return <p className="nothing">{words.devices.noMatch}</p>
  return (
    <div className="nothing">
      <strong>{words.devices.none}</strong>
      <span>{words.devices.noneHow}</span>
    </div>
  )
}

function DeviceFilter({ route, sites }: { route: Route; sites: readonly SiteOverview[] }) {
  const words = useWords()
  const say = useSay()
  const { q = '', site = '', state = '' } = route.search
  return (
    <search className="filter">
      <input
        type="search"
        aria-label={words.devices.search}
        placeholder={words.devices.search}
        value={q}
        onChange={(event) => replaceSearch(route, { q: event.target.value })}
      />
      <select aria-label={words.overview.sites} value={site} onChange={(event) => replaceSearch(route, { site: event.target.value })}>
        <option value="">{words.alarms.allSites}</option>
        {sites.map((one) => (
          <option key={one.id} value={one.id}>
            {say(one.name, one.id)}
          </option>
        ))}
      </select>
      <select aria-label={words.devices.status} value={state} onChange={(event) => replaceSearch(route, { state: event.target.value })}>
        <option value="">{words.devices.allStates}</option>
        {STATES.map((one) => (
          <option key={one} value={one}>
            {words.devices.states[one]}
          </option>
        ))}
        <option value="bad">{words.devices.bad}</option>
      </select>
    </search>
  )
}

function DeviceTable({ held }: { held: readonly Held<Device>[] }) {
  const words = useWords()
  return (
    <table className="device-table">
      <thead>
        <tr>
          <th scope="col">{words.devices.device}</th>
          <th scope="col">{words.devices.status}</th>
          <th scope="col">{words.devices.values}</th>
          <th scope="col">{words.devices.last}</th>
          <th scope="col">{words.devices.place}</th>
        </tr>
      </thead>
      <tbody>
        {held.map((one) => (
          <DeviceRow key={one.device.id} held={one} />
        ))}
      </tbody>
    </table>
  )
}

const VALUES_SHOWN = 6

function DeviceRow({ held }: { held: Held<Device> }) {
  const words = useWords()
  const say = useSay()
  const { device, values } = held
  const lost = useLinkLost()
  const more = values.length - VALUES_SHOWN
  return (
    <tr>
      <th scope="row">
        <a href={addressOf('device', device.id)}>
          <strong>{say(device.name, device.id)}</strong>
          <Tag id={device.id} name={say(device.name)} />
        </a>
        <span className="faint">{say(device.profileName, device.profile)}</span>
      </th>
      <td className="device-state-cell">
        <DeviceStateWord held={held} />
        {device.worstTier !== null && (
          <TierMark tier={device.worstTier} label={words.tierName(words.tier[device.worstTier], ROMAN[device.worstTier])} />
        )}
      </td>
      <td className="device-values">
        <dl>
          {values.slice(0, VALUES_SHOWN).map((value) => (
            <MetricValue key={value.metric} held={held} value={value} />
          ))}
        </dl>
        {more > 0 && <span className="faint">{words.devices.more(more)}</span>}
      </td>
      <td className={lost ? 'untrusted' : undefined}>{held.heardAt === null ? words.devices.states.never : <Ago at={held.heardAt} />}</td>
      <td>
        {say(device.siteName, device.site ?? words.devices.noPlace)}
        <span className="faint">{say(device.areaName, device.area ?? '')}</span>
      </td>
    </tr>
  )
}

export function DeviceStateWord({ held }: { held: Held<Device> }) {
  const words = useWords()
  const lost = useLinkLost()
  const state = useTimed((now) => stateNow(held, now))
  return (
    <span className="device-state" data-state={lost ? 'unknown' : state}>
      <i aria-hidden="true" />
      {lost ? words.overview.unknown : words.devices.states[state]}
    </span>
  )
}

function MetricValue({ held, value }: { held: Held<Device>; value: Held<Device>['values'][number] }) {
  const say = useSay()
  const trust = useTrust(held, value)
  return (
    <div>
      <dt>{say(value.name, value.metric)}</dt>
      <dd>
        <Value value={value} trust={trust} />
      </dd>
    </div>
  )
}
