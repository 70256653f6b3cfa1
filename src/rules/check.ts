// A tier held against the profiles of the devices it applies to: unknown metrics and limits, limits that can never be
// reached, exits that can never be met, votes in the wrong place.

import type { Fleet } from '../model/fleet.ts'
import type { Device, Profile, Rule } from '../model/plant.ts'
import type { CompiledTier, RuleProblem } from './compiled.ts'
import { type Bounds, metricsOf, overlap, possibleVerdicts } from './possible.ts'
import { children, type NumberNode, type TruthNode, walk } from './tree.ts'
import { mismatchedUnits } from './units.ts'

type Add = (
  field: 'when' | 'clear' | 'deadband' | 'per' | 'degrade',
  offset: number | null,
  problem: string,
  stops?: RuleProblem['stops']
) => void

/** Adds what is wrong with a tier for any of `devices`; each sentence once, with the first device it concerns. */
export function checkTier(fleet: Fleet, rule: Rule, tier: CompiledTier, devices: Int32Array, problems: RuleProblem[]): void {
  const seen = new Set<string>()
  const add: Add = (field, offset, problem, stops) => {
    const key = `${field} ${offset} ${problem}`
    if (seen.has(key)) return
    seen.add(key)
    problems.push({ rule: rule.id, tier: tier.tier, field, offset, problem, ...(stops === undefined ? {} : { stops }) })
  }
  const fields = writtenFields(rule, tier)
  checkDegrade(rule, tier.when, add)
  for (const { field, node } of fields) {
    checkPlaces(rule, field, node, add)
    for (const profile of profilesOf(fleet, rule, devices)) {
      checkNames(profile, field, node, add)
      mismatchedUnits(profile, node, (offset, sentence) => add(field, offset, sentence, 'check'))
    }
    checkLimits(fleet, devices, field, node, add)
  }
  if (seen.size === 0) checkReach(fleet, rule, tier, devices, add)
}

/** The conditions that a person wrote; a default exit has no text of its own. */
function writtenFields(rule: Rule, tier: CompiledTier): { field: 'when' | 'clear'; node: TruthNode }[] {
  const written = rule.tiers.find((other) => other.tier === tier.tier)?.clear ?? null
  const when = { field: 'when' as const, node: tier.when }
  return written === null ? [when] : [when, { field: 'clear', node: tier.clear }]
}

function profilesOf(fleet: Fleet, rule: Rule, devices: Int32Array): Set<Profile> {
  const profiles = new Set<Profile>()
  for (const device of devices) profiles.add(fleet.profiles[device] as Profile)
  const named = fleet.plant.profiles.find(({ id }) => id === rule.appliesTo.profile)
  if (named !== undefined) profiles.add(named)
  return profiles
}

/** Per area everything stands inside voted(); per device nothing does. */
function checkPlaces(rule: Rule, field: 'when' | 'clear', node: TruthNode, add: Add): void {
  const visit = (part: TruthNode | NumberNode, inside: boolean): void => {
    const voted = part.kind === 'voted'
    if (voted && rule.per === 'device')
      add(field, part.span.start, 'voted needs `per: area` on the rule: a single device has nobody to vote with')
    if (voted && inside) add(field, part.span.start, 'voted cannot stand inside voted')
    if (
      rule.per === 'area' &&
      !inside &&
      ['metric', 'limit', 'window', 'faulty', 'outOfRange', 'stuck', 'silent', 'clockWrong'].includes(part.kind)
    ) {
      add(field, part.span.start, 'in a rule `per: area` it is not clear which device is meant: write voted(1, …) around it')
      return
    }
    for (const child of children(part)) visit(child, inside || voted)
  }
  visit(node, false)
}

/** A vote that degrades must mean the same wherever it stands: not the other way round inside `!` or a choice. */
function checkDegrade(rule: Rule, when: TruthNode, add: Add): void {
  if (rule.degrade === undefined) return
  let plain = 0
  walk(when, (node) => {
    if (node.kind !== 'voted') return
    if (node.degrade !== undefined) plain++
    else add('when', node.span.start, 'with `degrade`, voted stands by itself or joined by && and ||, not inside `!`, == or a choice')
  })
  if (plain === 0) add('degrade', null, '`degrade` needs a vote in `when`: voted(2, …) in a rule `per: area`')
}

function checkNames(profile: Profile, field: 'when' | 'clear', node: TruthNode, add: Add): void {
  const known = profile.metrics.map(({ id }) => id)
  walk(node, (part) => {
    if (part.kind === 'metric' && !known.includes(part.name)) {
      const hint = profile.limits[part.name] === undefined ? `its metrics are ${known.join(', ')}` : `did you mean limits.${part.name}?`
      add(field, part.span.start, `profile ${profile.id} has no metric ${part.name}: ${hint}`)
    }
    if (part.kind === 'stuck' && part.windowMs === null && known.includes(part.metric.name)) {
      const metric = profile.metrics.find(({ id }) => id === part.metric.name)
      if (metric?.stuckAfterMs === null) {
        add(field, part.span.start, `say how long: stuck(${metric.id}, '6h'), or give ${metric.id} a stuckAfter in profile ${profile.id}`)
      }
    }
  })
}

function checkLimits(fleet: Fleet, devices: Int32Array, field: 'when' | 'clear', node: TruthNode, add: Add): void {
  walk(node, (part) => {
    if (part.kind !== 'limit') return
    const lacking = [...devices].filter((number) => (fleet.devices[number] as Device).limits[part.name] === undefined)
    if (lacking.length === 0) return
    const first = fleet.devices[lacking[0] as number] as Device
    const others = lacking.length > 1 ? ` (and ${lacking.length - 1} more)` : ''
    add(
      field,
      part.span.start,
      `device ${first.id}${others} has no limit ${part.name}: give it to profile ${first.profile} or to the device`
    )
  })
}

/** Whether each condition can be met at all, per distinct set of limits. */
function checkReach(fleet: Fleet, rule: Rule, tier: CompiledTier, devices: Int32Array, add: Add): void {
  const ownExit = rule.tiers.find((other) => other.tier === tier.tier)
  const exitField = ownExit?.clear != null ? 'clear' : ownExit?.deadband != null ? 'deadband' : 'when'
  const subjects = distinctSubjects(fleet, rule, [tier.when, tier.clear], devices)
  const reached = subjects.filter(({ bounds }) => possibleVerdicts(tier.when, bounds).yes)
  for (const { device, bounds, subject } of subjects) {
    const ranges = rangesText(fleet, device, tier.when)
    if (!possibleVerdicts(tier.when, bounds).yes) {
      // An area with too few members for the vote does no harm where others have enough.
      const few = bounds.members > 0 && possibleVerdicts(tier.when, { ...bounds, members: Number.POSITIVE_INFINITY }).yes
      const why = bounds.members === 0 ? ranges : ` with its ${bounds.members === 1 ? 'only device' : `${bounds.members} devices`}`
      add('when', tier.when.span.start, `this can never be true for ${subject}${why}`, few && reached.length > 0 ? 'nothing' : undefined)
    } else if (!possibleVerdicts(tier.clear, bounds).yes) {
      const exit = exitField === 'when' ? 'the opposite of this' : 'this exit'
      add(
        exitField,
        exitField === 'deadband' ? null : tier.clear.span.start,
        `${exit} can never be true for ${subject}${ranges}: the alarm would stand for ever`
      )
    } else if (exitField === 'clear' && overlap(tier.when, tier.clear, bounds)) {
      add(
        'clear',
        tier.clear.span.start,
        `this exit can be met while the tier is being entered: the alarm of ${subject} would come and go`,
        'check'
      )
    }
  }
}

function rangesText(fleet: Fleet, device: number, node: TruthNode): string {
  const metrics = fleet.profiles[device]?.metrics ?? []
  const ranges = metricsOf(node).flatMap((name) => metrics.filter(({ id }) => id === name))
  return ranges.length === 0 ? '' : ` (${ranges.map(({ id, min, max }) => `${id} is known from ${min} to ${max}`).join(', ')})`
}

/** A device or an area that stands for all with the same limits. */
export interface Subject {
  readonly device: number
  readonly subject: string
  readonly bounds: Bounds
}

/** Those that these conditions can treat differently. */
export function distinctSubjects(fleet: Fleet, rule: Rule, conditions: readonly TruthNode[], devices: Int32Array): Subject[] {
  if (rule.per === 'area') return areaSubjects(fleet, devices)
  const limits = new Set<string>()
  for (const node of conditions) walk(node, (part) => void (part.kind === 'limit' && limits.add(part.name)))
  const subjects = new Map<string, Subject>()
  for (const number of devices) {
    const device = fleet.devices[number] as Device
    let key = device.profile
    for (const name of limits) key += ` ${device.limits[name]}`
    if (!subjects.has(key)) subjects.set(key, { device: number, subject: device.id, bounds: boundsOf(fleet, [number], 0) })
  }
  return [...subjects.values()]
}

function areaSubjects(fleet: Fleet, devices: Int32Array): Subject[] {
  const areas = new Map<string, number[]>()
  for (const number of devices) {
    const area = (fleet.devices[number] as Device).area as string
    const members = areas.get(area)
    if (members === undefined) areas.set(area, [number])
    else members.push(number)
  }
  return [...areas].map(([area, members]) => ({
    device: members[0] as number,
    subject: `area ${area}`,
    bounds: boundsOf(fleet, members, members.length)
  }))
}

/** The widest ranges over some devices. */
function boundsOf(fleet: Fleet, devices: readonly number[], members: number): Bounds {
  const spread = (values: number[]): { low: number; high: number } => ({ low: Math.min(...values), high: Math.max(...values) })
  return {
    members,
    metric: (name) => {
      const profiles = [...new Set(devices.map((number) => fleet.profiles[number] as Profile))]
      return spread(profiles.flatMap(({ metrics }) => metrics.filter(({ id }) => id === name).flatMap(({ min, max }) => [min, max])))
    },
    limit: (name) => {
      const limits = new Set(devices.map((number) => (fleet.devices[number] as Device).limits[name] ?? Number.NaN))
      return limits.size === 1 ? ([...limits][0] as number) : Number.NaN
    }
  }
}
