// One metric over time, kept up to date: read again now and then, and every reading of the live link appended at once.

import { useEffect, useMemo, useRef, useState } from 'react'
import type { DeviceDetail, Reading, Threshold } from '../api.ts'
import { serverNow } from '../clock.ts'
import { useConsole, useResource } from '../console.tsx'
import type { HeldValue } from '../device-state.ts'
import { formatUnit, formatValue, sayProblem } from '../format.ts'
import { usePreferences } from '../preferences.ts'
import { RANGE_MS, type RangeName, type Resolution, rawColumns, readTrend, type TrendColumns } from '../trend-data.ts'
import { useSay, useWords } from '../words.ts'
import { type AlarmSpan, Chart } from './chart.ts'
import { isTwoState } from './value.tsx'

const REFRESH_MS: Readonly<Record<RangeName, number>> = { '15m': 10_000, '1h': 20_000, '8h': 60_000, '24h': 60_000, '7d': 300_000 }

export interface TrendProps {
  readonly device: DeviceDetail
  readonly value: HeldValue
  readonly thresholds: readonly Threshold[]
  readonly spans: readonly AlarmSpan[]
  readonly range: RangeName
  readonly resolution: Resolution
  /** How far the device's own time line is behind the service's clock, ms. */
  readonly behindMs: number
}

export function Trend(props: TrendProps) {
  const { device, value, range, resolution, behindMs } = props
  const words = useWords()
  const end = useRef(0)
  const trend = useResource(
    `${device.id} ${value.metric} ${range} ${resolution}`,
    (signal) => {
      end.current = serverNow() - behindMs
      const question = { device: device.id, metric: value.metric, range, to: end.current + 1, resolution, holdMs: device.silentAfterMs }
      return readTrend(question, signal)
    },
    REFRESH_MS[range]
  )
  const fresh = useFresh(device.id, value.metric, trend.value)
  const answer = trend.value
  const columns = useMemo(() => {
    if (answer === null) return null
    if (answer.readings === null) return answer.columns
    const last = answer.readings.at(-1)?.at ?? ''
    return rawColumns([...answer.readings, ...fresh.filter(({ at }) => at > last)], device.silentAfterMs)
  }, [answer, fresh, device.silentAfterMs])

  if (columns === null || answer === null) {
    const said = trend.problem === null ? words.device.trendLoading : `${words.device.trendFailed} ${sayProblem(trend.problem, words)}`
    return <p className="trend-empty untrusted">{said}</p>
  }
  const to = Math.max(end.current, (columns.at.at(-1) ?? 0) * 1000)
  return (
    <figure className="trend">
      {trend.problem !== null && <p className="notice">{words.device.trendFailed}</p>}
      {answer.resolution !== resolution && <p className="faint">{words.device.coarser(everyWord(answer.resolution, words))}</p>}
      {columns.at.length === 0 ? (
        <p className="trend-empty untrusted">{words.device.noReadings}</p>
      ) : (
        <Canvas {...props} columns={columns} banded={answer.readings === null} to={to} />
      )}
    </figure>
  )
}

export function everyWord(resolution: Resolution, words: ReturnType<typeof useWords>): string {
  const count = Number.parseInt(resolution, 10)
  return resolution.endsWith('s') ? `${count} ${words.time.short.s}` : `${count} ${words.time.short.m}`
}

/** What the live link said about the metric since the last answer was read; empty again once it is in the answer. */
function useFresh(device: string, metric: string, answer: object | null): readonly Reading[] {
  const { link } = useConsole()
  const [fresh, setFresh] = useState<readonly Reading[]>([])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new answer holds what was fresh, but for the last moments
  useEffect(() => setFresh((before) => before.slice(-50)), [answer])
  useEffect(() => {
    setFresh([])
    return link.on('reading', (reading) => {
      if (reading.device !== device) return
      const said = reading.values.find((value) => value.metric === metric)
      if (said === undefined) return
      setFresh((before) => (before.length > 0 && before.at(-1)!.at >= said.at ? before : [...before, said]))
    })
  }, [link, device, metric])
  return fresh
}

function Canvas(props: TrendProps & { columns: TrendColumns; banded: boolean; to: number }) {
  const { value, thresholds, spans, range, columns, banded, to } = props
  const words = useWords()
  const say = useSay()
  const { theme, language } = usePreferences()
  const root = useRef<HTMLDivElement>(null)
  const chart = useRef<Chart | null>(null)
  const stepped = isTwoState(value)
  const content = { columns, from: to - RANGE_MS[range], to, thresholds, spans, stepped, banded }
  const latest = useRef(content)
  latest.current = content

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme and language are in what is drawn
  useEffect(() => {
    const element = root.current
    if (element === null) return
    const unit = formatUnit(value.unit)
    const { time, average, low, high } = words.device
    const drawn = new Chart(element, latest.current, {
      time,
      value: banded ? `${average} ${unit}` : `${say(value.name, value.metric)} ${unit}`,
      low,
      high
    })
    chart.current = drawn
    const observer = new ResizeObserver(() => drawn.resize(element.clientWidth))
    observer.observe(element)
    return () => {
      observer.disconnect()
      drawn.destroy()
    }
  }, [theme, language, banded, stepped])

  useEffect(
    () => chart.current?.show({ columns, from: to - RANGE_MS[range], to, thresholds, spans, stepped, banded }),
    [columns, to, range, thresholds, spans, stepped, banded]
  )

  const label = words.device.chart(say(value.name, value.metric), words.device.ranges[range], summary(columns, words))
  return <div ref={root} className="chart" data-banded={banded} role="img" aria-label={label} />
}

function summary(columns: TrendColumns, words: ReturnType<typeof useWords>): string {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let last: number | null = null
  for (const [index, value] of columns.value.entries()) {
    if (value === null) continue
    low = Math.min(low, columns.low[index] ?? value)
    high = Math.max(high, columns.high[index] ?? value)
    last = value
  }
  return last === null ? words.device.noReadings : words.device.chartRange(formatValue(low), formatValue(high), formatValue(last))
}
