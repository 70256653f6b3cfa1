// The rule language once more, as plainly as it can be said: looks at every second, remembers everything, knows no timers.
// Only for sample times and durations in whole seconds, devices whose line is our clock, and one sample per second.

import type { RuleText, Values } from './world.ts'

export type Truth = boolean | null

export interface Sample {
  readonly at: number
  readonly values: Values
}

/** A condition as text and as a function of the history up to `now` (seconds). */
export interface Condition {
  readonly text: string
  judge(history: History, now: number): Truth
}

const HOLD = 60
const RANGE = 1000

export class History {
  readonly samples: Sample[] = []

  /** What was held of a metric at `at`: its instant and value; null value for a bad one, `said` as it came. */
  held(metric: string, at: number): { at: number; value: number | null; said: number | null } | null {
    const last = this.samples.findLast((sample) => sample.at <= at && metric in sample.values)
    if (last === undefined || at - last.at > HOLD) return null
    const value = last.values[metric] as number | null
    return { at: last.at, value: value === null || Math.abs(value) > RANGE ? null : value, said: value }
  }

  value(metric: string, at: number): number | null {
    return this.held(metric, at)?.value ?? null
  }

  /** Good samples of a metric in (now - window, now], up to the last report. */
  window(metric: string, window: number, now: number): { at: number; value: number }[] {
    const report = this.samples.findLast((sample) => sample.at <= now)
    if (report === undefined || this.value(metric, now) === null) return []
    const inside = this.samples.filter(({ at, values }) => metric in values && at > report.at - window && at <= report.at)
    return inside.flatMap(({ at, values }) => {
      const value = values[metric] as number | null
      return value === null || Math.abs(value) > RANGE ? [] : [{ at, value }]
    })
  }
}

const map = (value: number | null, judge: (value: number) => boolean): Truth => (value === null ? null : judge(value))

const compare = (value: number, operator: string, limit: number): boolean =>
  operator === '>' ? value > limit : operator === '>=' ? value >= limit : operator === '<' ? value < limit : value <= limit

export const over = (metric: string, operator: string, limit: number): Condition => ({
  text: `${metric} ${operator} ${limit}`,
  judge: (history, now) => map(history.value(metric, now), (value) => compare(value, operator, limit))
})

export const delta = (metric: string, window: number, operator: string, limit: number): Condition => ({
  text: `delta(${metric}, '${window}s') ${operator} ${limit}`,
  judge: (history, now) => {
    const [last, before] = [history.value(metric, now), history.value(metric, now - window)]
    return last === null || before === null ? null : compare(last - before, operator, limit)
  }
})

export const fold = (name: 'avg' | 'min' | 'max', metric: string, window: number, operator: string, limit: number): Condition => ({
  text: `${name}(${metric}, '${window}s') ${operator} ${limit}`,
  judge: (history, now) => {
    const values = history.window(metric, window, now).map(({ value }) => value)
    if (values.length === 0) return null
    const sum = values.reduce((a, b) => a + b, 0)
    const folded = name === 'avg' ? sum / values.length : name === 'min' ? Math.min(...values) : Math.max(...values)
    return compare(folded, operator, limit)
  }
})

export const silent = (window: number): Condition => ({
  text: `silent('${window}s')`,
  judge: (history, now) => {
    const last = history.samples.findLast(({ at }) => at <= now)
    return last === undefined ? null : now - last.at >= window
  }
})

export const faulty = (metric: string): Condition => ({
  text: `faulty(${metric})`,
  judge: (history, now) => {
    const held = history.held(metric, now)
    return held === null ? null : held.value === null
  }
})

export const outOfRange = (metric: string): Condition => ({
  text: `outOfRange(${metric})`,
  judge: (history, now) => {
    const held = history.held(metric, now)
    return held === null ? null : held.said !== null && Math.abs(held.said) > RANGE
  }
})

export const stuck = (metric: string, window: number): Condition => ({
  text: `stuck(${metric}, '${window}s')`,
  judge: (history, now) => {
    const value = history.value(metric, now)
    if (value === null) return null
    let since = now
    for (const sample of history.samples.toReversed()) {
      const old = sample.values[metric]
      if (sample.at > now || old === undefined || old === null || Math.abs(old) > RANGE) continue
      if (old !== value) break
      since = sample.at
    }
    return now - since >= window
  }
})

export const not = (of: Condition): Condition => ({
  text: `!(${of.text})`,
  judge: (history, now) => {
    const truth = of.judge(history, now)
    return truth === null ? null : !truth
  }
})

export const and = (a: Condition, b: Condition): Condition => ({
  text: `(${a.text} && ${b.text})`,
  judge: (history, now) => {
    const [x, y] = [a.judge(history, now), b.judge(history, now)]
    return x === false || y === false ? false : x === null || y === null ? null : true
  }
})

export const or = (a: Condition, b: Condition): Condition => not(and(not(a), not(b)))

export const either = (test: Condition, yes: Condition, no: Condition): Condition => ({
  text: `(${test.text} ? ${yes.text} : ${no.text})`,
  judge: (history, now) => {
    const truth = test.judge(history, now)
    const [x, y] = [yes.judge(history, now), no.judge(history, now)]
    return truth === null ? (x === y ? x : null) : truth ? x : y
  }
})

export interface NaiveTier {
  readonly tier: 'blue' | 'yellow' | 'orange' | 'red'
  readonly when: Condition
  /** Must not be yes while `when` is. */
  readonly clear: Condition | null
  readonly forS: number
  readonly clearForS: number
}

export function ruleTextOf(tiers: readonly NaiveTier[]): RuleText {
  const texts = tiers.map(({ tier, when, clear, forS, clearForS }) => [
    tier,
    { when: when.text, ...(clear === null ? {} : { clear: clear.text }), for: `${forS}s`, clearFor: `${clearForS}s` }
  ])
  return { tiers: Object.fromEntries(texts) }
}

/** The turns of rule r for device D, second by second until `end`. */
export function naiveTurns(tiers: readonly NaiveTier[], samples: readonly Sample[], end: number): string[] {
  const history = new History()
  const latches = tiers.map(() => ({ on: false, since: null as number | null }))
  const turns: string[] = []
  let level = 'clear'
  for (let now = 0; now <= end; now++) {
    history.samples.push(...samples.filter(({ at }) => at === now))
    for (const [index, tier] of tiers.entries()) {
      const latch = latches[index]!
      const exit = tier.clear ?? not(tier.when)
      const pull = (latch.on ? exit : tier.when).judge(history, now)
      if (pull === false) latch.since = null
      if (pull !== true) continue
      latch.since ??= now
      if (now - latch.since < (latch.on ? tier.clearForS : tier.forS)) continue
      latch.on = !latch.on
      latch.since = null
    }
    const to = tiers[latches.findLastIndex(({ on }) => on)]?.tier ?? 'clear'
    if (to !== level) turns.push(`${now} r/D ${level} -> ${to}`)
    level = to
  }
  return turns
}
