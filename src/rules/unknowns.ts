// Why a condition cannot be judged: the values it lacks, each with what became of it, in the operator's words.

import type { Device } from '../model/plant.ts'
import { formatDuration } from '../platform/duration.ts'
import { LIMITS } from '../platform/limits.ts'
import type { AreaLeaves } from './areaLeaves.ts'
import type { Scene } from './because.ts'
import { BAD, OUTSIDE } from './held.ts'
import type { Memory } from './memory.ts'
import { textOf } from './nodeText.ts'
import { children, type NumberNode, type TruthNode, type VotedNode } from './tree.ts'
import { type Binder, UNKNOWN } from './truth.ts'

/** Every reason for which the node is unknown in this scene; none where it is known. */
export function unknownsIn(memory: Memory, node: NumberNode | TruthNode, scene: Scene): string[] {
  const reasons = new Set<string>()
  collect(memory, node, scene, reasons)
  return [...reasons]
}

/** Whether the node yields a number, or a truth. */
export function isNumberNode(node: NumberNode | TruthNode): node is NumberNode {
  return ['number', 'metric', 'limit', 'negative', 'magnitude', 'arithmetic', 'window', 'choice'].includes(node.kind)
}

/** Roughly how long: seconds, above a minute no milliseconds. */
export function roughly(ms: number): string {
  return formatDuration(ms < 1000 ? Math.max(0, Math.round(ms)) : Math.floor(ms / 1000) * 1000)
}

/** Where a vote is judged: each member on its own line. */
export function memberScene(area: AreaLeaves, device: number, { at, clock }: Scene): Scene {
  const binder = area.binders[area.profileOf[device] as number] as Binder
  return { binder, subject: device, at: area.lineOf(device, at), clock }
}

function isUnknown(node: NumberNode | TruthNode, { binder, subject, at, clock }: Scene): boolean {
  return isNumberNode(node) ? Number.isNaN(binder.number(node)(subject, at, clock)) : binder.truth(node)(subject, at, clock) === UNKNOWN
}

function collect(memory: Memory, node: NumberNode | TruthNode, scene: Scene, into: Set<string>): void {
  if (!isUnknown(node, scene)) return
  const device = memory.fleet.devices[scene.subject] as Device
  switch (node.kind) {
    case 'metric':
      into.add(metricReason(memory, node.name, scene))
      return
    case 'limit':
      into.add(`${device.id} has no limit ${node.name}`)
      return
    case 'silent':
      into.add(`${device.id} has not reported yet`)
      return
    case 'clockWrong':
      into.add(clockReason(memory, scene))
      return
    case 'faulty':
    case 'outOfRange':
    case 'stuck':
      into.add(metricReason(memory, node.metric.name, scene))
      return
    case 'voted':
      collectVote(memory, node, scene, into)
      return
    default: {
      const size = into.size
      for (const child of children(node)) collect(memory, child, scene, into)
      if (into.size === size && isNumberNode(node)) into.add(noNumber(node))
    }
  }
}

function collectVote(memory: Memory, { of }: VotedNode, scene: Scene, into: Set<string>): void {
  const area = scene.binder.leaves as AreaLeaves
  let more = 0
  let named = 0
  for (const member of area.membersOf(scene.subject)) {
    const own = memberScene(area, member, scene)
    if (!isUnknown(of, own)) continue
    if (++named > LIMITS.rules.membersNamed) {
      more++
      continue
    }
    const id = area.idOf(member)
    for (const reason of unknownsIn(memory, of, own)) into.add(reason.startsWith(`${id} `) ? reason : `${id}: ${reason}`)
  }
  if (more > 0) into.add(`and ${more} more`)
}

/** What became of the value that a metric should have. */
function metricReason({ held, fleet }: Memory, metric: string, { subject: device, at }: Scene): string {
  const { id, profile } = fleet.devices[device] as Device
  const series = (held.firstSeries[device] as number) + (fleet.metricPlace.get(profile)?.get(metric) ?? 0)
  if (held.lastAt[device] === Number.NEGATIVE_INFINITY) return `${id} has not reported yet`
  const valueAt = held.valueAt[series] as number
  if (valueAt === Number.NEGATIVE_INFINITY) return `${metric} has not been reported, or not since the gateway went offline`
  const holdMs = fleet.profiles[device]?.silentAfterMs ?? 0
  if (at - valueAt > holdMs) return `${metric} was last reported ${roughly(at - valueAt)} ago and counts for ${formatDuration(holdMs)}`
  if (held.state[series] === OUTSIDE) return `${metric} is out of range`
  return held.state[series] === BAD ? `${metric} is faulty` : `${metric} is unknown`
}

/** Why nothing is known of a device's clock. */
function clockReason({ held, fleet }: Memory, { subject: device, at }: Scene): string {
  const id = fleet.devices[device]?.id ?? ''
  const lastAt = held.lastAt[device] as number
  if (lastAt === Number.NEGATIVE_INFINITY) return `${id} has not reported yet`
  const holdMs = fleet.profiles[device]?.silentAfterMs ?? 0
  if (at - lastAt > holdMs) return `${id} last reported ${roughly(at - lastAt)} ago, which counts for ${formatDuration(holdMs)}`
  return `${id} has not reported since the gateway went offline or the rule was made`
}

/** Everything inside is known, and still there is no number. */
function noNumber(node: NumberNode): string {
  if (node.kind !== 'window') return `${textOf(node)} is no number`
  const window = formatDuration(node.windowMs)
  if (node.name === 'delta' || node.name === 'rate') return `no value of ${node.metric.name} is known from ${window} ago`
  return `too few good samples of ${node.metric.name} in the last ${window}`
}
