import { describe, expect, it } from 'vitest'
import { foldEvent, isActive } from '../../src/alerts/fold.ts'
import { type Alarm, type AlarmEvent, isaState, UNTOUCHED } from '../../src/model/alarm.ts'
import type { Level } from '../../src/model/tier.ts'
import { act, turn } from './yard.ts'

const ID = 'level/T-1#1000'

function fold(events: readonly AlarmEvent[]): Alarm | null {
  return events.reduce<Alarm | null>((alarm, event) => foldEvent(alarm, event), null)
}

function at(at: number, from: Level, to: Level): AlarmEvent {
  return turn('T-1', 1000, at, from, to)
}

const ack = (instant: number, by = 'li'): AlarmEvent => act(ID, instant, 'acknowledge', by, `seen at ${instant}`)

describe('an alarm is the fold of its events', () => {
  it('begins with the event that raised it', () => {
    expect(fold([at(1000, 'clear', 'yellow')])).toEqual({
      ...UNTOUCHED,
      told: true,
      id: ID,
      rule: 'level',
      device: 'T-1',
      area: null,
      tier: 'yellow',
      worstTier: 'yellow',
      raisedAt: 1000,
      clearedAt: null,
      acknowledged: null,
      because: 'clear>yellow'
    })
  })

  it.each<[string, AlarmEvent[], Partial<Alarm>, 'A' | 'B' | 'C' | 'D']>([
    ['raised', [at(1000, 'clear', 'red')], { tier: 'red', worstTier: 'red' }, 'B'],
    ['acknowledged', [at(1000, 'clear', 'red'), ack(2000)], { acknowledged: { by: 'li', at: 2000, note: 'seen at 2000' } }, 'C'],
    [
      'escalated',
      [at(1000, 'clear', 'blue'), at(2000, 'blue', 'orange')],
      { tier: 'orange', worstTier: 'orange', because: 'blue>orange' },
      'B'
    ],
    [
      'eased: keeps its worst',
      [at(1000, 'clear', 'red'), at(2000, 'red', 'yellow')],
      { tier: 'yellow', worstTier: 'red', clearedAt: null },
      'B'
    ],
    [
      'cleared: keeps the last tier and why it had it',
      [at(1000, 'clear', 'red'), at(2000, 'red', 'yellow'), at(3000, 'yellow', 'clear')],
      { tier: 'yellow', worstTier: 'red', clearedAt: 3000, because: 'red>yellow' },
      'D'
    ],
    ['cleared, then acknowledged', [at(1000, 'clear', 'red'), at(2000, 'red', 'clear'), ack(3000)], { clearedAt: 2000 }, 'A'],
    ['acknowledged, then cleared', [at(1000, 'clear', 'red'), ack(1500), at(2000, 'red', 'clear')], { clearedAt: 2000 }, 'A'],
    [
      'a rise takes the acknowledgement back',
      [at(1000, 'clear', 'yellow'), ack(1500), at(2000, 'yellow', 'red')],
      { acknowledged: null, tier: 'red' },
      'B'
    ],
    [
      'easing does not',
      [at(1000, 'clear', 'red'), ack(1500), at(2000, 'red', 'blue')],
      { tier: 'blue', acknowledged: { by: 'li', at: 1500, note: 'seen at 1500' } },
      'C'
    ],
    [
      'rising again to where it was before is a rise',
      [at(1000, 'clear', 'red'), at(1200, 'red', 'blue'), ack(1500), at(2000, 'blue', 'red')],
      { acknowledged: null, worstTier: 'red' },
      'B'
    ],
    [
      'raised anew at the same instant: the same alarm, on again',
      [at(1000, 'clear', 'red'), at(1000, 'red', 'clear'), ack(1000), at(1000, 'clear', 'yellow')],
      { clearedAt: null, acknowledged: null, tier: 'yellow', worstTier: 'red', raisedAt: 1000 },
      'B'
    ],
    [
      'the first acknowledgement stays',
      [at(1000, 'clear', 'red'), ack(1500), ack(1600, 'wang')],
      { acknowledged: { by: 'li', at: 1500, note: 'seen at 1500' } },
      'C'
    ],
    [
      'a comment changes nothing',
      [at(1000, 'clear', 'red'), act(ID, 1100, 'comment', 'li', 'hm')],
      { acknowledged: null, clearedAt: null, tier: 'red' },
      'B'
    ]
  ])('%s', (_name, events, expected, state) => {
    const alarm = fold(events)
    expect(alarm).toMatchObject(expected)
    expect(isaState(alarm as Alarm)).toBe(state)
    expect(isActive(alarm as Alarm)).toBe(state !== 'A')
  })

  it('takes up an alarm whose beginning it has not seen, from its id', () => {
    expect(fold([at(5000, 'yellow', 'red')])).toMatchObject({ raisedAt: 1000, tier: 'red', worstTier: 'red', clearedAt: null })
    expect(fold([at(5000, 'red', 'yellow')])).toMatchObject({ raisedAt: 1000, tier: 'yellow', worstTier: 'red' })
    expect(fold([at(5000, 'orange', 'clear')])).toMatchObject({ raisedAt: 1000, tier: 'orange', clearedAt: 5000 })
  })

  it('has nothing to do for an action on no alarm', () => {
    expect(fold([ack(1000)])).toBe(null)
  })

  it('leaves the alarm it was given as it was', () => {
    const before = Object.freeze(fold([at(1000, 'clear', 'red')]) as Alarm)
    foldEvent(before, at(2000, 'red', 'clear'))
    expect(before.clearedAt).toBe(null)
  })
})
