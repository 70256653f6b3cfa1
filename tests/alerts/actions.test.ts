import { describe, expect, it } from 'vitest'
import { actionOutcome, SHELVING_MS } from '../../src/alerts/actions.ts'
import { type Alarm, UNTOUCHED } from '../../src/model/alarm.ts'
import { Identities } from '../../src/model/identity.ts'

const RAISED: Alarm = {
  ...UNTOUCHED,
  id: 'level/T-1#1000',
  rule: 'level',
  device: 'T-1',
  area: null,
  tier: 'red',
  worstTier: 'red',
  raisedAt: 1000,
  clearedAt: null,
  acknowledged: null,
  because: 'high'
}
const SEEN: Alarm = { ...RAISED, acknowledged: { by: 'li', at: 0, note: null } }
const NOTED: Alarm = { ...RAISED, acknowledged: { by: 'li', at: 0, note: 'a\uFFFDb' } }
const CLEARED: Alarm = { ...RAISED, clearedAt: 60_000 }
const GONE: Alarm = { ...SEEN, clearedAt: 60_000 }

const NOW = 100_000
const RULES = { noteRequired: false, shelvingMs: SHELVING_MS, identities: new Identities([]) }

describe('what becomes of an operator action', () => {
  it.each<[string, Alarm | null, string, string | null, string]>([
    ['acknowledge', RAISED, 'li', null, 'accepted'],
    ['acknowledge', RAISED, 'li', 'on my way', 'accepted'],
    ['acknowledge', CLEARED, 'li', null, 'accepted'],
    ['acknowledge', SEEN, 'li', null, 'unchanged'],
    ['acknowledge', SEEN, 'li', 'on my way', 'conflict'],
    ['acknowledge', NOTED, 'li', 'a\uD800b', 'unchanged'],
    ['acknowledge', SEEN, 'wang', null, 'conflict'],
    ['acknowledge', GONE, 'wang', null, 'conflict'],
    ['acknowledge', null, 'li', null, 'unknownAlarm'],
    ['acknowledge', RAISED, 'li', 'x'.repeat(2001), 'invalid'],
    ['comment', RAISED, 'li', 'valve 3 sticks', 'accepted'],
    ['comment', GONE, 'li', 'valve 3 was replaced', 'accepted'],
    ['comment', RAISED, 'li', '  ', 'invalid'],
    ['comment', RAISED, 'li', null, 'invalid'],
    ['reset', RAISED, 'li', null, 'accepted'],
    ['reset', CLEARED, 'li', null, 'unchanged'],
    ['reset', null, 'li', null, 'unknownAlarm'],
    ['shelve', RAISED, 'li', 'no until', 'invalid'],
    ['unshelve', RAISED, 'li', null, 'unchanged'],
    ['assign', RAISED, 'li', null, 'invalid'],
    ['close', CLEARED, 'li', null, 'invalid'],
    ['shelve', null, 'li', null, 'unknownAlarm'],
    ['explode', RAISED, 'li', null, 'invalid'],
    ['__proto__', RAISED, 'li', null, 'invalid']
  ])('%s on %j by %s', (action, alarm, by, note, expected) => {
    const outcome = actionOutcome(alarm, { id: RAISED.id, action, note }, by, NOW, RULES)
    expect(outcome.kind === 'refused' ? outcome.reason : outcome.kind).toBe(expected)
    if (outcome.kind !== 'accepted') expect(outcome.sentence).toMatch(/^[A-Z].*[.]$/)
  })

  it('says who was first', () => {
    expect(actionOutcome(SEEN, { id: RAISED.id, action: 'acknowledge', note: null }, 'wang', NOW, RULES)).toEqual({
      kind: 'refused',
      reason: 'conflict',
      sentence: 'Alarm level/T-1#1000 was acknowledged by li at 1970-01-01T00:00:00.000Z; nothing was changed. Add a comment to say more.'
    })
  })

  it('asks for the note of an acknowledgement also where closing is one', () => {
    const close = (alarm: Alarm, note: string | null) =>
      actionOutcome(alarm, { id: RAISED.id, action: 'close', note, disposition: 'real' }, 'li', NOW, { ...RULES, noteRequired: true })
    expect(close(CLEARED, ' ')).toEqual({
      kind: 'refused',
      reason: 'invalid',
      sentence:
        'Rule level asks for a note with each acknowledgement, and closing this alarm acknowledges it: say what you have seen or done.'
    })
    expect([close(CLEARED, 'valve 3 closed').kind, close(GONE, null).kind]).toEqual(['accepted', 'accepted'])
  })

  it('speaks English', () => {
    const shelf = { id: RAISED.id, action: 'shelve', note: 'n', until: NOW + 99 * 3_600_000 } as const
    expect(actionOutcome({ ...RAISED, tier: 'orange' }, shelf, 'li', NOW, RULES)).toMatchObject({
      sentence: 'The shelf would last too long: an orange alarm may be shelved for 4h at most, so now until 1970-01-01T04:01:40.000Z.'
    })
    expect(actionOutcome(RAISED, { id: RAISED.id, action: 'close', note: null, disposition: 'real' }, 'li', NOW, RULES)).toMatchObject({
      sentence: 'Alarm level/T-1#1000 is still on (high); it can be closed once it has cleared (a latched one by its reset).'
    })
  })
})
