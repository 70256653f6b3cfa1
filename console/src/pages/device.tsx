// One device: each metric against its limits and over time, and the alarms it has had.

import 'uplot/dist/uPlot.min.css'
import '../style/device.css'
import { useEffect, useMemo, useState } from 'react'
import { type Alarm, ApiProblem, type DeviceDetail, getDevice, listAlarms } from '../api.ts'
import { useConsole, useResource } from '../console.tsx'
import { type Held, type HeldValue, useHeld } from '../device-state.ts'
import { formatInstant, formatUnit, formatValue, sayProblem } from '../format.ts'
import { Ago, Instant } from '../parts/age.tsx'
import { markState } from '../parts/alarm-word.tsx'
import { Bar } from '../parts/bar.tsx'
import type { AlarmSpan } from '../parts/chart.ts'
import { DeviceService } from '../parts/device-service.tsx'
import { Reason } from '../parts/reason.tsx'
import { RuleWhys } from '../parts/rule-why.tsx'
import { Tag } from '../parts/tag.tsx'
import { ROMAN, TierMark } from '../parts/tier-mark.tsx'
import { everyWord, Trend } from '../parts/trend.tsx'
import { isTwoState, useTrust, Value } from '../parts/value.tsx'
import { addressOf } from '../route.ts'
import { OPERATORS, ownThresholds } from '../thresholds.ts'
import { DEFAULT_RESOLUTION, RANGES, type RangeName, RESOLUTIONS, type Resolution } from '../trend-data.ts'
import { useSay, useWords } from '../words.ts'
import { DeviceStateWord } from './devices.tsx'

const REFRESH_MS = 60_000
const ALARMS_SHOWN = 50
/** Below this, a device's own time is not worth a word. */
const BEHIND_WORTH_SAYING_MS = 60_000

export function DevicePage({ id }: { id: string }) {
  const words = useWords()
  const read = useResource(`device ${id}`, (signal) => getDevice(id, signal), REFRESH_MS)
  const devices = useMemo(() => (read.value === null ? null : [read.value]), [read.value])
  const held = useHeld(devices)[0]
  const [range, setRange] = useState<RangeName>('1h')
  const [chosen, setChosen] = useState<Resolution | null>(null)
  const resolution = chosen !== null && RESOLUTIONS[range].includes(chosen) ? chosen : DEFAULT_RESOLUTION[range]
  const alarms = useDeviceAlarms(id)

  return (
    <div className="device">
      <a className="back" href={addressOf('devices')}>
        ← {words.device.back}
      </a>
      {read.problem !== null && (
        <p className="notice" role="alert">
          {read.problem instanceof ApiProblem && read.problem.status === 404
            ? words.device.missing(id)
            : `${words.device.failed} ${sayProblem(read.problem, words)}`}
        </p>
      )}
      {held === undefined && read.problem === null && <p className="nothing untrusted">{words.device.loading}</p>}
      {held !== undefined && (
        <>
          <DeviceHead held={held} />
          <DeviceService device={held.device} />
          <RangeBar range={range} resolution={resolution} onRange={setRange} onResolution={setChosen} />
          <div className="metrics">
            {held.values.map((value) => (
              <MetricCard key={value.metric} held={held} value={value} spans={alarms.spans} range={range} resolution={resolution} />
            ))}
          </div>
          <h2>{words.why.title}</h2>
          <RuleWhys device={held.device} />
          <h2>{words.device.alarms}</h2>
          {alarms.problem !== null && <p className="notice">{words.device.alarmsFailed}</p>}
          {alarms.items !== null && <DeviceAlarms items={alarms.items} />}
        </>
      )}
    </div>
  )
}

function useDeviceAlarms(id: string): { items: readonly Alarm[] | null; spans: readonly AlarmSpan[]; problem: unknown } {
  const { link } = useConsole()
  const { value, problem, reload } = useResource(`alarms ${id}`, (signal) =>
    listAlarms({ state: 'all', device: id, limit: ALARMS_SHOWN }, signal)
  )
  useEffect(() => link.on('alarm-state', ({ alarm }) => alarm.device === id && reload()), [link, id, reload])
  const spans = useMemo(
    () =>
      (value?.items ?? []).map((alarm) => ({
        rule: alarm.rule,
        tier: alarm.worstTier,
        from: Date.parse(alarm.raisedAt),
        to: alarm.clearedAt === null ? null : Date.parse(alarm.clearedAt)
      })),
    [value]
  )
  return { items: value?.items ?? null, spans, problem }
}

/** How far the device's own time is behind the service's clock, ms; 0 before it has reported. */
function behindOf(held: Held<DeviceDetail>): number {
  const newest = Math.max(...held.values.map((value) => (value.at === null ? Number.NEGATIVE_INFINITY : Date.parse(value.at))))
  return held.heardAt === null || !Number.isFinite(newest) ? 0 : held.heardAt - newest
}

function DeviceHead({ held }: { held: Held<DeviceDetail> }) {
  const words = useWords()
  const say = useSay()
  const { device, heardAt } = held
  const behindMs = behindOf(held)
  const labels = Object.entries(device.labels)
  const tier = device.worstTier
  return (
    <header className="device-head">
      <h1>
        {tier !== null && <TierMark tier={tier} label={words.tierName(words.tier[tier], ROMAN[tier])} />}
        {say(device.name, device.id)} <Tag id={device.id} name={say(device.name)} />
      </h1>
      <dl className="facts">
        <Fact name={words.devices.status}>
          <DeviceStateWord held={held} />
        </Fact>
        <Fact name={words.device.lastReport}>
          {heardAt === null ? words.devices.states.never : <Ago at={heardAt} />}
          {heardAt !== null && Math.abs(behindMs) > BEHIND_WORTH_SAYING_MS && (
            <span className="faint">{words.device.ownClock(formatInstant(heardAt - behindMs, heardAt))}</span>
          )}
        </Fact>
        <Fact name={words.device.profile}>{say(device.profileName, device.profile)}</Fact>
        <Fact name={words.devices.place}>
          {[say(device.siteName, device.site ?? ''), say(device.areaName, device.area ?? '')].filter((name) => name !== '').join(' · ') ||
            words.devices.noPlace}
        </Fact>
        <Fact name={words.device.gateway}>{device.gateway ?? words.device.noGateway}</Fact>
        {labels.map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </dl>
    </header>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function RangeBar(props: {
  range: RangeName
  resolution: Resolution
  onRange: (range: RangeName) => void
  onResolution: (resolution: Resolution) => void
}) {
  const words = useWords()
  return (
    <div className="range-bar">
      <fieldset>
        <legend className="unseen">{words.device.range}</legend>
        {RANGES.map((range) => (
          <button
            key={range}
            type="button"
            className="button chip"
            aria-pressed={range === props.range}
            onClick={() => props.onRange(range)}
          >
            {words.device.ranges[range]}
          </button>
        ))}
      </fieldset>
      <label>
        {words.device.resolution}{' '}
        <select value={props.resolution} onChange={(event) => props.onResolution(event.target.value as Resolution)}>
          {RESOLUTIONS[props.range].map((resolution) => (
            <option key={resolution} value={resolution}>
              {resolution === 'raw' ? words.device.raw : words.device.each(everyWord(resolution, words))}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}

/** Whether an alarm of this rule has to do with this metric; a rule that is no longer known may have. */
function watches(device: DeviceDetail, rule: string, metric: string): boolean {
  const known = device.rules.find(({ id }) => id === rule)
  return known === undefined || known.tiers.some(({ when }) => when.split(/\W+/).includes(metric))
}

function MetricCard(props: {
  held: Held<DeviceDetail>
  value: HeldValue
  spans: readonly AlarmSpan[]
  range: RangeName
  resolution: Resolution
}) {
  const { held, value, spans, range, resolution } = props
  const words = useWords()
  const say = useSay()
  const trust = useTrust(held, value)
  const { device } = held
  const thresholds = useMemo(() => ownThresholds(device, value.metric), [device, value.metric])
  const own = useMemo(() => spans.filter(({ rule }) => watches(device, rule, value.metric)), [spans, device, value.metric])
  const unit = formatUnit(value.unit)
  return (
    <section className="metric" aria-label={say(value.name, value.metric)}>
      <div className="metric-now">
        <h2>
          {say(value.name, value.metric)} <span className="tag">{value.metric}</span>
        </h2>
        <Value value={value} trust={trust} />
        <span className="faint">{value.heardAt !== null && <Ago at={value.heardAt} />}</span>
        {!isTwoState(value) && <Bar value={value} trust={trust} thresholds={thresholds} />}
        <ul className="limits">
          {thresholds.length === 0 && <li className="faint">{words.device.noLimits}</li>}
          {thresholds.map((threshold) => (
            <li key={`${threshold.rule} ${threshold.tier} ${threshold.op} ${threshold.value}`}>
              <TierMark tier={threshold.tier} />
              {words.device.limitLine(words.tier[threshold.tier], OPERATORS[threshold.op], `${formatValue(threshold.value)} ${unit}`)}
            </li>
          ))}
        </ul>
      </div>
      {held.heardAt === null ? (
        <p className="trend-empty untrusted">{words.quality.never}</p>
      ) : (
        <Trend
          device={device}
          value={value}
          thresholds={thresholds}
          spans={own}
          range={range}
          resolution={resolution}
          behindMs={behindOf(held)}
        />
      )}
    </section>
  )
}

function DeviceAlarms({ items }: { items: readonly Alarm[] }) {
  const words = useWords()
  const say = useSay()
  if (items.length === 0) return <p className="nothing">{words.device.noAlarms}</p>
  const { columns } = words.device
  return (
    <table className="alarm-table">
      <thead>
        <tr>
          <th scope="col">{columns.tier}</th>
          <th scope="col">{columns.what}</th>
          <th scope="col">{columns.raised}</th>
          <th scope="col">{columns.cleared}</th>
          <th scope="col">{columns.acknowledged}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((alarm) => (
          <tr key={alarm.id}>
            <td>
              <TierMark
                tier={alarm.worstTier}
                state={markState(alarm)}
                label={words.tierName(words.tier[alarm.worstTier], ROMAN[alarm.worstTier])}
              />
            </td>
            <td>
              <a className="alarm-title" href={addressOf('alarm', alarm.id)}>
                {say(alarm.title, alarm.rule)}
              </a>
              <Reason of={alarm} faint />
            </td>
            <td>
              <Instant at={Date.parse(alarm.raisedAt)} />
            </td>
            <td>{alarm.clearedAt === null ? words.device.ongoing : <Instant at={Date.parse(alarm.clearedAt)} />}</td>
            <td>{alarm.acknowledged === null ? words.state.unacknowledged : alarm.acknowledged.by}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
