// Live = replay = crash-and-recover, byte for byte, for 2,000 random worlds (the other half: secondThousand.test.ts): plants with
// every kind of rule, states and duty plans, lagging flushes, any tick rate, late and repeated data, wrong clocks, people who
// act, plants that change while alarms stand. More seeds, or one: node tests/simulation/run.ts --seeds 100000 | --seed N

import { it } from 'vitest'
import { expectAgreement } from './agreement.ts'

it.each([1, 251, 501, 751])('live, replay and crash-and-recover tell the same, seeds %i and the 249 after it', (from) => {
  expectAgreement(from, 250)
})
