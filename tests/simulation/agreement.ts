// Whether live, replay and crash-and-recover tell the same of one world; and where they do not, the smallest part of it that
// shows so.

import type { JournalRecord } from '../../src/model/journal.ts'
import { difference, type LiveOptions, live, straight } from './lives.ts'
import { reduced, type World, worldOf } from './world.ts'

/** What differs, as text; null where nothing does. An engine that throws differs too. */
export function disagreement(world: World, fault: Pick<LiveOptions, 'fault'> = {}): string | null {
  try {
    const replayed = straight(world)
    const unbroken = difference(replayed, live(world, { crashes: false, ...fault }), { crashed: false })
    if (unbroken !== null) return `replay and live differ in ${unbroken}`
    const crashed = difference(replayed, live(world, { crashes: true, ...fault }), { crashed: true })
    return crashed === null ? null : `replay and recovery differ in ${crashed}`
  } catch (thrown) {
    return `it throws ${thrown instanceof Error ? thrown.stack : thrown}`
  }
}

/** Takes away records as long as the rest still disagrees. */
export function smallest(world: World): World {
  let found = world
  for (let size = Math.ceil(world.records.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 1; from < found.records.length; ) {
      const without = reduced(found, ({ seq }) => seq <= from || seq > from + size)
      if (without.records.length < found.records.length && disagreement(without) !== null) found = without
      else from += size
    }
  }
  return found
}

/** All there is to say about a seed that fails. */
export function reportOf(seed: number): string | null {
  const world = worldOf(seed)
  if (disagreement(world) === null) return null
  const small = smallest(world)
  const rules = [...small.plants.values()].flatMap((plant) => plant.rules.map((rule) => `${plant.hash} ${JSON.stringify(rule)}`))
  const records = small.records.map((record) => recordText(record))
  return [
    `Seed ${seed}: ${disagreement(small)}`,
    `Again: node tests/simulation/run.ts --seed ${seed}`,
    ...rules,
    ...records,
    `end ${small.end}`
  ].join('\n')
}

/** Throws the report of the first seed that fails. */
export function expectAgreement(from: number, seeds: number): void {
  for (let seed = from; seed < from + seeds; seed++) {
    const report = reportOf(seed)
    if (report !== null) throw new Error(report)
  }
}

function recordText({ seq, receivedAt, kind, source, body }: JournalRecord): string {
  return `${seq} ${receivedAt} ${kind} ${source} ${Buffer.from(body).toString()}`
}
