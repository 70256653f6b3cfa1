// Why a rule stands where it stands on one subject: every part of its conditions with its value or verdict, the delays that
// run, and a sentence. Looks only: nothing of what the engine knows is changed, and nothing is kept.

import type { Device, Rule } from '../model/plant.ts'
import { LEVELS, type Level, type Tier } from '../model/tier.ts'
import { formatDuration } from '../platform/duration.ts'
import { LIMITS } from '../platform/limits.ts'
import { AreaLeaves } from './areaLeaves.ts'
import { decisive, degradedText, numberText, type Scene } from './because.ts'
import type { Lines } from './lines.ts'
import type { Memory, Place } from './memory.ts'
import { textOf } from './nodeText.ts'
import { children, type NumberNode, type TruthNode } from './tree.ts'
import { NO, UNKNOWN, type Verdict, YES } from './truth.ts'
import { isNumberNode, memberScene, roughly, unknownsIn } from './unknowns.ts'
import { alarmId, type Plan } from './watch.ts'

const VERDICTS = ['no', 'yes', 'unknown'] as const
export type VerdictName = (typeof VERDICTS)[number]

/** One part of a condition. Parts come from the outside in; `depth` says how far inside each stands. */
export interface ExplainedPart {
  readonly depth: number
  /** The device that it is judged for: the subject, or the member of a vote; null for what an area judges as a whole. */
  readonly device: string | null
  readonly text: string
  /** Null where the part is a number. */
  readonly verdict: VerdictName | null
  /** The value as text, `unknown` and `Infinity` included; null where the part is a condition. */
  readonly shown: string | null
  readonly value: number | null
  /** The metric, where the part is one, with the instant and age of its last value; null: there is none. */
  readonly metric: string | null
  readonly at: number | null
  readonly ageMs: number | null
  /** Why it is unknown, in sentences; empty where it is known. */
  readonly unknown: readonly string[]
  /** Of a vote that is counted otherwise, because members are unknown. */
  readonly degraded?: string
}

export interface ExplainedCondition {
  readonly text: string
  readonly verdict: VerdictName
  readonly parts: readonly ExplainedPart[]
}

/** A delay that runs: `of` which condition, since when (on the subject's line), and when it is over by our clock. */
export interface RunningClock {
  readonly of: 'when' | 'clear'
  readonly since: number
  readonly patienceMs: number
  readonly elapsedMs: number
  /** Epoch ms by our clock; null: it does not run out by itself, because the condition is unknown or an operator must reset. */
  readonly dueAt: number | null
}

export interface ExplainedTier {
  readonly tier: Tier
  readonly on: boolean
  /** When it last went on or off, on the subject's line; null: never. */
  readonly turnedAt: number | null
  readonly when: ExplainedCondition
  readonly clear: ExplainedCondition
  readonly clock: RunningClock | null
  readonly sentence: string
}

export interface Explanation {
  readonly rule: Rule
  readonly device: string | null
  readonly area: string | null
  /** The instant that everything here is about: by our clock, and on the subject's line. */
  readonly clock: number
  readonly at: number
  readonly level: Level
  /** The alarm's id and its last transition; null while it is clear. */
  readonly alarm: string | null
  readonly since: number | null
  /** From the lowest to the highest. */
  readonly tiers: readonly ExplainedTier[]
  readonly sentence: string
}

/** Explains a watch as it stands when our clock has come to `advancedTo`. */
export function explain(memory: Memory, lines: Lines, place: Place, advancedTo: number): Explanation {
  const { watches, areaLeaves } = memory
  const { plan, subject, named, watch } = place
  // A reading is judged at its receipt, just before which time had been advanced.
  let clock = advancedTo
  const members = named.device === null ? areaLeaves.membersOf(subject) : [subject]
  for (const device of members) clock = Math.max(clock, memory.held.lastReceipt[device] || clock)
  const offset = lines.offsetOf(subject, named)
  const lead = areaLeaves.lead
  areaLeaves.lead = offset
  const scene = { binder: plan.binder, subject, at: clock - offset, clock }
  const tiers = plan.tiers.map((_, index) => explainTier(memory, place, index, scene, offset))
  areaLeaves.lead = lead
  const level = LEVELS[watches.level[watch] as number] as Level
  const on = level !== 'clear'
  return {
    rule: plan.rule,
    device: named.device,
    area: named.area,
    clock,
    at: scene.at,
    level,
    alarm: on ? alarmId(plan.rule.id, named, watches.raisedAt[watch] as number) : null,
    since: on ? (watches.eventAt[watch] as number) : null,
    tiers,
    sentence: summary(tiers)
  }
}

function explainTier(memory: Memory, { plan, firstLatch }: Place, index: number, scene: Scene, offset: number): ExplainedTier {
  const { latches } = memory.watches
  const latch = firstLatch + index
  const { compiled, forMs, clearForMs } = plan.tiers[index] as Plan['tiers'][number]
  const on = latches.isOn(latch)
  const turnedAt = latches.turnedAt[latch] as number
  const condition = on ? compiled.clear : compiled.when
  const verdict = verdictOf(condition, scene)
  const patienceMs = on ? clearForMs : forMs
  let clock: RunningClock | null = null
  if (latches.isPulled(latch)) {
    const since = latches.pulledSince[latch] as number
    const elapsedMs = Math.max(0, Math.max(scene.at, turnedAt) - since)
    const runsOut = verdict === YES && !(on && plan.latched) && elapsedMs <= patienceMs
    clock = { of: on ? 'clear' : 'when', since, patienceMs, elapsedMs, dueAt: runsOut ? since + patienceMs + offset : null }
  }
  const conditionOf = (node: TruthNode): ExplainedCondition => ({
    text: textOf(node),
    verdict: VERDICTS[verdictOf(node, scene)],
    parts: partsOf(memory, node, scene)
  })
  return {
    tier: compiled.tier,
    on,
    turnedAt: turnedAt === Number.NEGATIVE_INFINITY ? null : turnedAt,
    when: conditionOf(compiled.when),
    clear: conditionOf(compiled.clear),
    clock,
    sentence: sentenceOf(memory, { on, latched: plan.latched, condition, verdict, clock }, scene)
  }
}

interface Standing {
  readonly on: boolean
  readonly latched: boolean
  /** The condition that would turn it. */
  readonly condition: TruthNode
  readonly verdict: Verdict
  readonly clock: RunningClock | null
}

function sentenceOf(memory: Memory, { on, latched, condition, verdict, clock }: Standing, scene: Scene): string {
  const run = clock === null ? '' : `${roughly(clock.elapsedMs)} of ${formatDuration(clock.patienceMs)}`
  if (verdict === UNKNOWN) {
    const why = unknownsIn(memory, condition, scene).join('; ') || textOf(condition)
    const waiting = clock === null || clock.patienceMs === 0 ? '' : `; what has lasted for ${run} waits until it is known again`
    return on ? `stays on: whether it may leave is unknown: ${why}${waiting}` : `not on: unknown: ${why}${waiting}`
  }
  const why = decisive(condition, verdict, scene)
  if (verdict === NO) return on ? `stays on: ${why}` : `not on: ${why}`
  if (on && latched) return `stays on until an operator resets it; its exit is met: ${why}`
  if (clock === null || clock.patienceMs === 0) return `${on ? 'stays on' : 'not yet'}: ${why} is decided at the next reading`
  if (clock.dueAt === null) return `${on ? 'stays on' : 'not yet'}: ${why} has lasted long enough and is decided at the next reading`
  return `${on ? 'leaving' : 'not yet'}: ${why} holds since ${run}`
}

/** What is most worth saying: a higher tier on its way, else the tier that is on, else what is unknown, else the lowest tier. */
function summary(tiers: readonly ExplainedTier[]): string {
  const highest = tiers.findLastIndex(({ on }) => on)
  const coming = tiers.find(({ on, clock }, index) => index > highest && !on && clock !== null)
  const said = coming ?? tiers[highest] ?? tiers.find(({ when }) => when.verdict === 'unknown') ?? tiers[0]
  return said === undefined ? '' : `${said.tier}: ${said.sentence}`
}

function verdictOf(node: TruthNode, { binder, subject, at, clock }: Scene): Verdict {
  return binder.truth(node)(subject, at, clock)
}

/** The condition itself, then what is inside it; written numbers and what says the same again are left out. */
function partsOf(memory: Memory, root: TruthNode, scene: Scene): ExplainedPart[] {
  const parts: ExplainedPart[] = []
  const add = (node: NumberNode | TruthNode, at: Scene, depth: number): void => {
    if (node.kind === 'number' || node.kind === 'constant') return
    parts.push(partOf(memory, node, at, depth))
    if (node.kind === 'voted') {
      const area = at.binder.leaves as AreaLeaves
      const members = area.membersOf(at.subject).subarray(0, LIMITS.rules.membersExplained)
      for (const device of members) add(node.of, memberScene(area, device, at), depth + 1)
      return
    }
    // The opposite of a comparison is written as one comparison.
    const inside = node.kind === 'not' && node.of.kind === 'comparison' ? node.of : node
    for (const child of children(inside)) add(child, at, depth + 1)
  }
  add(root, scene, 0)
  return parts
}

function partOf(memory: Memory, node: NumberNode | TruthNode, scene: Scene, depth: number): ExplainedPart {
  const { binder, subject, at, clock } = scene
  const device = binder.leaves instanceof AreaLeaves ? null : (memory.fleet.devices[subject] as Device)
  const unknown = unknownsIn(memory, node, scene)
  const plain = { depth, device: device?.id ?? null, text: textOf(node), metric: null, at: null, ageMs: null, unknown }
  if (!isNumberNode(node)) {
    const part = { ...plain, verdict: VERDICTS[verdictOf(node, scene)], shown: null, value: null }
    if (node.kind !== 'voted' || !(binder.leaves instanceof AreaLeaves)) return part
    const votes = binder.leaves.votesOf(node, subject, at, clock)
    const degraded = degradedText(node, binder.leaves, votes.known, votes.unknown)
    return degraded === null ? part : { ...part, degraded }
  }
  const number = binder.number(node)(subject, at, clock)
  const value = Number.isFinite(number) ? number : null
  const part = { ...plain, verdict: null, shown: numberText(number), value }
  if (node.kind !== 'metric' || device === null) return part
  const { held, fleet } = memory
  const series = (held.firstSeries[subject] as number) + (fleet.metricPlace.get(device.profile)?.get(node.name) ?? 0)
  const valueAt = held.valueAt[series] as number
  if (valueAt === Number.NEGATIVE_INFINITY) return { ...part, metric: node.name }
  return { ...part, metric: node.name, at: valueAt, ageMs: Math.max(0, at - valueAt) }
}
