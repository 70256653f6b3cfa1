// node tests/simulation/run.ts [--seed N | --seeds N] [--from N]: live = replay = crash-and-recover over many random worlds.
// Prints the first seed that fails, with the smallest part of its world that does, and exits 1.

import { parseArgs } from 'node:util'
import { reportOf } from './agreement.ts'
import { straight } from './lives.ts'
import { worldOf } from './world.ts'

const { values } = parseArgs({ options: { seed: { type: 'string' }, seeds: { type: 'string' }, from: { type: 'string' } } })
const from = Number(values.seed ?? values.from ?? 1)
const count = values.seed === undefined ? Number(values.seeds ?? 100_000) : 1
if (!Number.isSafeInteger(from) || !Number.isSafeInteger(count)) {
  console.error('Seeds are whole numbers: node tests/simulation/run.ts --seed 42, or --from 1 --seeds 100000')
  process.exit(2)
}
const startedAt = performance.now()
for (let seed = from; seed < from + count; seed++) {
  const report = reportOf(seed)
  if (report !== null) {
    console.error(report)
    process.exit(1)
  }
  if (count > 1 && (seed - from + 1) % 1000 === 0) {
    const perSecond = Math.round(((seed - from + 1) * 1000) / (performance.now() - startedAt))
    console.log(`${seed - from + 1} worlds agree (${perSecond} a second)`)
  }
}
if (values.seed !== undefined) {
  for (const line of straight(worldOf(from)).told.events ?? []) console.log(line)
  console.log(`Seed ${from}: live, replay and crash-and-recover agree.`)
}
