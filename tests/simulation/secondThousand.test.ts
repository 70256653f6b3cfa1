// The other half of firstThousand.test.ts, in a process of its own.

import { it } from 'vitest'
import { expectAgreement } from './agreement.ts'

it.each([1001, 1251, 1501, 1751])('live, replay and crash-and-recover tell the same, seeds %i and the 249 after it', (from) => {
  expectAgreement(from, 250)
})
