// Who is who: a user and a person of the duty plan are one, and nobody verifies what he closes himself.

import { describe, expect, it } from 'vitest'
import { type ActionRules, actionOutcome, SHELVING_MS } from '../../src/alerts/actions.ts'
import { type Alarm, UNTOUCHED } from '../../src/model/alarm.ts'
import type { Person } from '../../src/model/duty.ts'
import { Identities } from '../../src/model/identity.ts'

const person = (id: string, user: string | null): Person => ({
  ...{ id, name: { zh: id, en: id }, language: 'zh', zone: 'Asia/Shanghai', enterprise: null, user, quiet: null },
  addresses: {}
})
const identities = new Identities([person('wang-wu', 'wang.wu'), person('li', 'li'), person('zhao', null)])

describe('who is who', () => {
  it('one name for both of somebody, and a stranger stands for himself', () => {
    expect(['wang-wu', 'wang.wu', 'li', 'zhao', 'mei', ''].map((name) => identities.of(name))).toEqual([
      ...['wang.wu', 'wang.wu', 'li', 'zhao', 'mei', '']
    ])
    expect(['wang-wu', 'Wang.Wu', 'zhao', 'mei'].map((name) => identities.person(name)?.id ?? null)).toEqual([
      ...['wang-wu', 'wang-wu', 'zhao', null]
    ])
    expect([identities.same('wang-wu', ' Wang.Wu '), identities.same('wang-wu', 'li'), identities.same('mei', 'mei')]).toEqual([
      ...[true, false, true]
    ])
  })
})

describe('whoever closes an alarm is not its verifier', () => {
  const CLEARED: Alarm = {
    ...UNTOUCHED,
    ...{ id: 'level/T-1#1000', rule: 'level', device: 'T-1', area: null, tier: 'red', worstTier: 'red', raisedAt: 1000 },
    ...{ clearedAt: 60_000, because: 'high' }
  }
  const rules: ActionRules = { noteRequired: false, shelvingMs: SHELVING_MS, identities }
  const close = (verifier: string, by: string, more: object = { identities: true }): string => {
    const outcome = actionOutcome(
      CLEARED,
      { id: CLEARED.id, action: 'close', note: null, disposition: 'real', verifier, ...more },
      by,
      0,
      rules
    )
    return outcome.kind === 'accepted' ? 'accepted' : outcome.sentence
  }

  it.each([
    ['wang-wu', 'wang.wu', 'The verifier must be somebody else than wang.wu, who closes the alarm (wang-wu is the same person).'],
    ['wang.wu', 'wang-wu', 'The verifier must be somebody else than wang-wu, who closes the alarm (wang.wu is the same person).'],
    ['WANG.WU', 'wang.wu', 'The verifier must be somebody else than wang.wu, who closes the alarm (WANG.WU is the same person).'],
    ['zhao', 'zhao', 'The verifier must be somebody else than zhao, who closes the alarm.'],
    ['zhao', 'wang.wu', 'accepted'],
    ['li', 'wang-wu', 'accepted']
  ])('%s for %s', (verifier, by, expected) => expect(close(verifier, by)).toBe(expected))

  it('a record of an earlier version is judged as it was then', () => {
    expect(close('wang-wu', 'wang.wu', {})).toBe('accepted')
    expect(close('wang.wu', 'wang.wu', {})).toContain('somebody else')
  })
})
