// Alarm behaviour that other systems show in their own tests (Prometheus, VictoriaMetrics, Kapacitor, Alertmanager, Alerta,
// node-opcua), case by case under the names of the collection. `why` says where this system differs, and by what.

import { describe, expect, it } from 'vitest'
import { foldEvent } from '../../src/alerts/fold.ts'
import { type Alarm, type AlarmEvent, isaState } from '../../src/model/alarm.ts'
import type { Tier } from '../../src/model/tier.ts'
import { type DeviceText, EPOCH, rule, type TierText, World } from './world.ts'

type Tiers = Partial<Record<Tier, TierText>>
type Said = readonly [seconds: number, value: number, device?: string, metric?: 'a' | 'b']

interface Case {
  readonly id: string
  /** By rule id. */
  readonly rules: Readonly<Record<string, Tiers>>
  readonly said: readonly Said[]
  /** Time passes up to here; the last message where it is not given. */
  readonly end?: number
  /** The whole log. */
  readonly log: readonly string[]
  readonly devices?: readonly DeviceText[]
  /** What of the original case is not here, and what the contract of this system demands in its place. */
  readonly why?: string
}

const every = (seconds: number, values: readonly number[], from = 0): Said[] => values.map((value, i) => [from + i * seconds, value])

const PENDING = 'waiting out a delay is no event: the log begins where the tier is entered'
const ANNOUNCED = 'when an alarm is announced again is the notifier’s; the log has the transitions'

const CASES: readonly Case[] = [
  {
    id: 'for-01-holds-5m',
    rules: { up: { red: { when: 'a == 0', for: '300s' } } },
    said: every(60, Array(11).fill(0)),
    log: ['300 up/D clear -> red'],
    why: PENDING
  },
  {
    id: 'for-03-off-delay',
    rules: { high: { red: { when: 'a > 50', for: '60s', clearFor: '60s' } } },
    said: every(60, [75, 85, 70, 70, 10, 10, 10, 10, 10]),
    log: ['60 high/D clear -> red', '300 high/D red -> clear'],
    why: PENDING
  },
  {
    id: 'for-05-clear-resets-the-hold',
    rules: { x: { red: { when: 'a >= 1', for: '10s' } } },
    said: every(10, [1, 1, 0, 1, 1]),
    log: ['10 x/D clear -> red', '20 x/D red -> clear', '40 x/D clear -> red'],
    why: PENDING
  },
  {
    id: 'for-07-off-delay-expires-then-new-pending',
    rules: { x: { red: { when: 'a >= 1', for: '10s', clearFor: '20s' } } },
    said: every(10, [1, 1, 0, 0, 0, 1, 1]),
    log: ['10 x/D clear -> red', '40 x/D red -> clear', '60 x/D clear -> red'],
    why: PENDING
  },
  {
    id: 'for-08-pending-then-false',
    rules: { x: { red: { when: 'a >= 1', for: '100s' } } },
    said: every(5, [1, 1, 0]),
    end: 300,
    log: [],
    why: PENDING
  },
  {
    id: 'hyst-02-stepwise-down',
    rules: {
      usage: {
        yellow: { when: 'a > 40', clear: 'a < 30' },
        orange: { when: 'a > 60', clear: 'a < 50' },
        red: { when: 'a > 80', clear: 'a < 70' }
      }
    },
    said: every(1, [45, 40, 30, 29, 45, 61, 49, 29, 45, 61, 81, 69, 50, 41, 25]),
    log: [
      '0 usage/D clear -> yellow',
      '3 usage/D yellow -> clear',
      '4 usage/D clear -> yellow',
      '5 usage/D yellow -> orange',
      '6 usage/D orange -> yellow',
      '7 usage/D yellow -> clear',
      '8 usage/D clear -> yellow',
      '9 usage/D yellow -> orange',
      '10 usage/D orange -> red',
      '11 usage/D red -> orange',
      '13 usage/D orange -> yellow',
      '14 usage/D yellow -> clear'
    ]
  },
  {
    id: 'tier-02-chatter',
    rules: { idle: { red: { when: 'a < 93' } } },
    said: every(1, [97.1, 92.6, 95.6, 93.1, 92.6, 95.8, 92.7, 96, 93.4, 95.3, 92.4, 95.1]),
    log: [1, 4, 6, 10].flatMap((at) => [`${at} idle/D clear -> red`, `${at + 1} idle/D red -> clear`])
  },
  {
    id: 'renotify-01-every-2s',
    rules: { idle: { red: { when: 'a < 97' } } },
    said: every(1, [97.1, 92.6, 95.6, 93.1, 92.6, 95.8, 92.7, 96, 93.4, 95.3, 98.4, 97.1]),
    log: ['1 idle/D clear -> red', '10 idle/D red -> clear'],
    why: ANNOUNCED
  },
  {
    id: 'tier-03-no-recovery-messages',
    rules: { v: { blue: { when: 'a >= 6' }, yellow: { when: 'a >= 7' }, red: { when: 'a >= 8' } } },
    said: every(1, [7, 2, 6, 7, 7, 8, 2, 6, 3, 5, 4, 5]),
    log: [
      '0 v/D clear -> yellow',
      '1 v/D yellow -> clear',
      '2 v/D clear -> blue',
      '3 v/D blue -> yellow',
      '5 v/D yellow -> red',
      '6 v/D red -> clear',
      '7 v/D clear -> blue',
      '8 v/D blue -> clear'
    ],
    why: `${ANNOUNCED}, recoveries included`
  },
  {
    id: 'limit-01-exclusive-4-tier',
    rules: {
      high: { yellow: { when: 'a > 10' }, red: { when: 'a > 100' } },
      low: { yellow: { when: 'a < 1' }, red: { when: 'a < -10' } }
    },
    said: every(10, [-100, -9, 4, 11, 200, 11, 4, 0]),
    log: [
      '0 low/D clear -> red',
      '10 low/D red -> yellow',
      '20 low/D yellow -> clear',
      '30 high/D clear -> yellow',
      '40 high/D yellow -> red',
      '50 high/D red -> yellow',
      '60 high/D yellow -> clear',
      '70 low/D clear -> yellow'
    ],
    why: 'a tier says how bad it is, not on which side: too low and too high are a rule each, and alarms of their own'
  },
  {
    id: 'limit-01-exclusive-4-tier, as one alarm',
    rules: { level: { yellow: { when: 'a < 1 || a > 10' }, red: { when: 'a < -10 || a > 100' } } },
    said: every(10, [-100, -9, 4, 11, 200, 11, 4, 0]),
    log: [
      '0 level/D clear -> red',
      '10 level/D red -> yellow',
      '20 level/D yellow -> clear',
      '30 level/D clear -> yellow',
      '40 level/D yellow -> red',
      '50 level/D red -> yellow',
      '60 level/D yellow -> clear',
      '70 level/D clear -> yellow'
    ]
  },
  {
    id: 'limit-02-no-event-without-state-change',
    rules: {
      high: { yellow: { when: 'a > 10' }, red: { when: 'a > 100' } },
      low: { yellow: { when: 'a < -1' }, red: { when: 'a < -10' } }
    },
    said: every(10, [0, 1, 0, -110, -120]),
    log: ['30 low/D clear -> red'],
    why: 'too low and too high are a rule each'
  },
  {
    id: 'isa-03-shelve',
    rules: { lic: { yellow: { when: 'a > 10' } } },
    said: [
      [0, 0],
      [10, 13],
      [60, 0]
    ],
    log: ['10 lic/D clear -> yellow', '60 lic/D yellow -> clear'],
    why: 'being shelved is a fact beside the alarm’s tier: what happens on the shelf is in the log at its own time, not at the unshelving'
  },
  {
    id: 'inhibit-01-same-zone-only',
    devices: [
      { id: 'i-aa', area: 'aa' },
      { id: 'i-ab', area: 'ab' },
      { id: 'job-aa', area: 'aa' }
    ],
    rules: { down: { red: { when: 'a >= 1' } }, jobdown: { red: { when: 'b >= 1' } } },
    said: [
      [1, 1, 'i-aa'],
      [1, 1, 'i-ab'],
      [2.2, 1, 'job-aa', 'b'],
      [3.6, 0, 'job-aa', 'b']
    ],
    log: ['1 down/i-aa clear -> red', '1 down/i-ab clear -> red', '2.2 jobdown/job-aa clear -> red', '3.6 jobdown/job-aa red -> clear'],
    why: `an inhibited alarm is judged and logged all the same; ${ANNOUNCED}`
  },
  {
    id: 'silence-01-window',
    rules: { t1: { red: { when: 'a >= 1' } }, t2: { red: { when: 'b >= 1' } } },
    said: [
      [1, 1, 'D', 'a'],
      [1, 1, 'D', 'b']
    ],
    end: 6,
    log: ['1 t1/D clear -> red', '1 t2/D clear -> red'],
    why: `a silence changes no alarm; ${ANNOUNCED}`
  }
]

function worldOf({ rules, said, end, devices }: Case): World {
  const world = new World(
    Object.entries(rules).map(([id, tiers]) => rule({ id, tiers })),
    devices
  )
  for (const [seconds, value, device = 'D', metric = 'a'] of said) world.say(seconds, { [metric]: value }, device)
  return world.pass(end ?? (said.at(-1) as Said)[0])
}

describe('as other systems show it', () => {
  it.each(CASES)('$id', (one) => expect(worldOf(one).turns).toEqual(one.log))

  it('isa-01-ack-realarm-rtn', () => {
    const said: Said[] = [
      [0, 0],
      [10, 13],
      [30, 19],
      [50, 0]
    ]
    const world = worldOf({ id: '', rules: { lic: { yellow: { when: 'a > 10' }, red: { when: 'a > 15' } } }, said, log: [] })
    expect(world.turns).toEqual(['10 lic/D clear -> yellow', '30 lic/D yellow -> red', '50 lic/D red -> clear'])
    const id = world.events[0]!.id
    const acknowledged = (seconds: number): AlarmEvent => ({
      kind: 'action',
      at: EPOCH + seconds * 1000,
      id,
      action: 'acknowledge',
      by: 'li',
      note: null
    })
    const [raised, rose, cleared] = world.events as [AlarmEvent, AlarmEvent, AlarmEvent]
    let alarm: Alarm | null = null
    const states = [raised, acknowledged(20), rose, acknowledged(40), cleared].map((event) => {
      alarm = foldEvent(alarm, event)
      return isaState(alarm as Alarm)
    })
    // Unacknowledged, acknowledged, and unacknowledged again because it got worse; then normal.
    expect(states).toEqual(['B', 'C', 'B', 'C', 'A'])
  })
})
