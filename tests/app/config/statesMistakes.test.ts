// One mistake of each kind in states, inhibitions and the calendar, and the line that `check` prints for it.

import { expect, it } from 'vitest'
import { type Files, GOOD, lines, load } from './folders.ts'

const beside = (text: string): Files => ({ ...GOOD, 'rules/more.yaml': text })
const RULE = 'rules:\n  - { id: other, appliesTo: {}, tiers: { red: { when: level_pct > 99 } } }\n'
const state = (text: string): Files => beside(`states:\n  - id: s\n    appliesTo: {}\n    suppresses: { rules: [level] }\n${text}`)

const MISTAKES: Record<string, [Files, ...string[]]> = {
  'a rule that is not there': [
    beside('states: [{ id: s, appliesTo: {}, manual: { atMost: 1h }, suppresses: { rules: [levle] } }]\n'),
    'rules/more.yaml:1:80: state s names the rule levle, which does not exist; did you mean level?'
  ],
  'a metric that is not there': [
    state('    while: levl == 1\n'),
    'rules/more.yaml:5:12: profile tank has no metric levl: its metrics are level_pct, temperature_c'
  ],
  'a state that does not say when': [
    state(''),
    'rules/more.yaml:2:5: state s does not say when it is on; give it one of while, schedule and manual'
  ],
  'a state that says it twice': [
    state('    while: level_pct > 1\n    manual: { atMost: 1h }\n'),
    'rules/more.yaml:6:13: state s says while and manual; give it one of while, schedule and manual'
  ],
  'hours that never are': [
    state('    schedule: { zone: Asia/Shanghai, from: "08:00", to: "08:00" }\n'),
    'rules/more.yaml:5:57: the schedule of state s never is: it ends when it begins; a whole day is from "00:00" to "24:00"'
  ],
  'hours that always are': [
    state('    schedule: { zone: Asia/Shanghai, from: "00:00", to: "24:00" }\n'),
    'rules/more.yaml:5:15: the schedule of state s always is: what it holds back would never be told'
  ],
  'no zone': [
    state('    schedule: { from: "08:00", to: "09:00" }\n'),
    'rules/more.yaml:5:15: the schedule of state s has no zone; give it one, or one to the calendar'
  ],
  'a zone that is not there': [
    state('    schedule: { zone: Asia/Peking, from: "08:00", to: "09:00" }\n'),
    'rules/more.yaml:5:23: schedule.zone of state s must be a time zone such as Asia/Shanghai, not the text "Asia/Peking"'
  ],
  'a tier that is not reached': [
    beside(`${RULE}states: [{ id: s, appliesTo: {}, manual: { atMost: 1h }, suppresses: { rules: [other] } }]\n`),
    'rules/more.yaml:3:80: state s holds back nothing of the rule other: its lowest tier is red, and upTo is orange'
  ],
  'its own source': [
    beside('inhibitions: [{ id: i, source: { rule: level }, within: area, suppresses: { rules: [level] } }]\n'),
    'rules/more.yaml:1:85: inhibition i suppresses its own source, the rule level'
  ],
  'a circle': [
    beside(
      `${RULE}inhibitions:\n  - { id: i, source: { rule: level }, within: area, suppresses: { rules: [other], upTo: red } }\n  - { id: j, source: { rule: other }, within: area, suppresses: { rules: all } }\n`
    ),
    'rules/more.yaml:5:65: inhibition j closes a circle, in which nobody is told of anything: other -> level -> other'
  ],
  'a source that never is so bad': [
    beside(
      `${RULE}inhibitions: [{ id: i, source: { rule: level, tier: red }, within: area, suppresses: { rules: [other], upTo: red } }]\n`
    ),
    'rules/more.yaml:3:53: the rule level has no tier red or above'
  ],
  'a day that is not': [
    beside('calendar: { holidays: [2026-02-30] }\n'),
    'rules/more.yaml:1:24: calendar.holidays[0] of the rule file must be a day of the calendar, not the text "2026-02-30"'
  ],
  'a holiday on which people work': [
    beside('calendar: { holidays: [{ from: 2026-01-01, to: 2026-01-03 }], workdays: [2026-01-02] }\n'),
    'rules/more.yaml:1:74: 2026-01-02 is a holiday and a working day; keep one of them'
  ],
  'a degrading rule without a vote': [
    {
      ...GOOD,
      'rules/level.yaml': 'rules:\n  - { id: level, appliesTo: {}, degrade: towardsTrip, tiers: { red: { when: level_pct > 99 } } }\n'
    },
    'rules/level.yaml:2:42: `degrade` needs a vote in `when`: voted(2, …) in a rule `per: area`'
  ],
  'a vote the other way round': [
    {
      ...GOOD,
      'rules/level.yaml':
        'rules:\n  - { id: level, appliesTo: {}, per: area, degrade: towardsRun, tiers: { red: { when: "!voted(2, level_pct > 9)" } } }\n'
    },
    'rules/level.yaml:2:89: with `degrade`, voted stands by itself or joined by && and ||, not inside `!`, == or a choice',
    'rules/level.yaml:2:53: `degrade` needs a vote in `when`: voted(2, …) in a rule `per: area`'
  ]
}

it.each(Object.entries(MISTAKES))('%s', (_, [files, ...expected]) => {
  expect(lines(load(files).problems).sort()).toEqual([...expected].sort())
})

it('a file may hold states alone, and leaves them out of the plant where there are none', () => {
  const { plant, problems } = load(state('    while: level_pct > 1\n'))
  expect(lines(problems)).toEqual([])
  expect(plant?.states?.[0]).toMatchObject({ id: 's', within: 'device', suppresses: { rules: ['level'], upTo: 'orange' } })
  expect(Object.keys(load(GOOD).plant ?? {})).not.toContain('states')
})
