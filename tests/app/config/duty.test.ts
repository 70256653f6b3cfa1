// duty.yaml: what is wrong is told with its place; what is right is part of the plant.

import { describe, expect, it } from 'vitest'
import { loadPlantFolder } from '../../../src/app/config/load.ts'
import { folderOf, GOOD, lines, load } from './folders.ts'

const DUTY = `people:
  - { id: ann, phone: "000 1", quiet: { from: "22:00", to: "06:00" } }
  - { id: bob, name: { zh: 鲍勃, en: Bob }, language: en, phone: "000 2", email: bob@example.com, zone: Europe/London }
teams:
  - { id: crew, people: [ann, bob] }
rotas:
  - id: gate
    start: 2026-01-05
    shifts:
      - { from: "08:00", to: "20:00", order: [person:ann, team:crew], rotate: 7d }
      - { from: "20:00", to: "08:00", order: [person:bob] }
    swaps:
      - { from: 2026-02-01T08:00, to: 2026-02-02T08:00, between: [person:ann, person:bob] }
ladders:
  - id: all
    steps:
      - { tell: [duty:gate], by: [sms+voice, voice], repeat: 2m, times: 3 }
`

describe('duty.yaml', () => {
  it('is part of the plant and of its hash', () => {
    const good = load({ ...GOOD, 'duty.yaml': DUTY.replace('sms+voice, voice', 'sms+voice') })
    expect(lines(good.problems)).toEqual([])
    expect(good.plant?.hash).not.toBe(load(GOOD).plant?.hash)
    expect(load(GOOD).plant).not.toHaveProperty('duty')
    expect(good.plant?.duty?.people[0]).toEqual({
      ...{ id: 'ann', name: { zh: 'ann', en: 'ann' }, language: 'zh', zone: 'Asia/Shanghai', enterprise: null, user: null },
      ...{ addresses: { sms: '000 1', voice: '000 1' }, quiet: { from: 1320, to: 360 } }
    })
    const [rota] = good.plant?.duty?.rotas ?? []
    expect(rota?.overrides.map(({ from, who, instead }) => [new Date(from).toISOString(), who.id, instead?.id])).toEqual([
      ['2026-02-01T00:00:00.000Z', 'bob', 'ann'],
      ['2026-02-01T00:00:00.000Z', 'ann', 'bob']
    ])
    expect(good.plant?.duty?.ladders[0]).toEqual({
      ...{ id: 'all', appliesTo: { tiers: null, rules: null, area: null, site: null, enterprise: null }, receiptWithinMs: null },
      rungs: [{ afterMs: 0, tell: [{ kind: 'duty', rota: 'gate' }], by: [['sms', 'voice']], repeatMs: 120_000, times: 3 }]
    })
  })

  it('a user is one person, and nobody else’s id', () => {
    const people = (text: string): string => DUTY.replace(/people:\n.*\n.*\n/, `people:\n${text}`)
    const wrong = people(
      '  - { id: ann, phone: "000 1", user: bob }\n  - { id: bob, phone: "000 2", user: Mei }\n  - { id: eve, user: mei }\n'
    )
    expect(lines(load({ ...GOOD, 'duty.yaml': wrong }).problems.filter(({ problem }) => problem.includes('user')))).toEqual([
      'duty.yaml:2:38: the user bob of person ann is the id of another person; give that person another id, or ann another user',
      'duty.yaml:4:22: the user mei of person eve is that of person bob already; a user is one person'
    ])
    const right = people('  - { id: ann, phone: "000 1", user: ann }\n  - { id: bob, phone: "000 2", user: b.smith }\n')
    expect(load({ ...GOOD, 'duty.yaml': right }).problems.filter(({ problem }) => problem.includes('user'))).toEqual([])
  })

  it('tells every mistake with its place', () => {
    const { problems } = load({
      ...GOOD,
      'duty.yaml': `zone: Asia/Shangai
people:
  - { id: ann, phone: 13800000000 }
  - { id: ann }
teams:
  - { id: crew, people: [ann, bop] }
rotas:
  - { id: gate, start: 2026-02-30, shifts: [{ from: "8:00", to: "20:00", order: [ann] }] }
responsible:
  - { operation: ann }
  - { site: farmm, main: zed }
ladders:
  - { id: red, appliesTo: { tiers: [red], site: farm }, quietHours: true, steps: [{ after: 5m, tell: [duty:gaet], by: [smoke] }, { after: 1m, tell: [person:ann], by: [sms], times: 2 }] }
`
    })
    expect(lines(problems)).toEqual([
      'duty.yaml:1:7: zone of the duty file must be the name of a time zone such as Asia/Shanghai, not the text "Asia/Shangai"',
      'duty.yaml:3:23: phone of person ann must be a phone number of digits, with spaces, hyphens and a leading + as you like, in quotes, not the number 13800000000 (put it in quotes)',
      'duty.yaml:4:11: the person ann is already defined in line 3; person ids are unique',
      'duty.yaml:6:31: team crew names the person bop, which does not exist',
      'duty.yaml:8:24: start of rota gate must be a date such as 2026-01-05, not the text "2026-02-30"',
      'duty.yaml:8:53: shifts[0].from of rota gate must be a time of day such as "08:00", not the text "8:00"',
      'duty.yaml:8:82: shifts[0].order[0] of rota gate must be person:ID or team:ID, not the text "ann"',
      'duty.yaml:10:5: entry 1 of responsible must name either a hazardSource or a site',
      'duty.yaml:11:13: entry 2 of responsible names the site farmm, which does not exist; did you mean farm?',
      'duty.yaml:11:26: entry 2 of responsible names the person zed, which does not exist',
      'duty.yaml:13:69: ladder red takes red alarms and asks for quiet hours; red is never held back: leave quietHours out, or red to another ladder',
      'duty.yaml:13:103: ladder red names the rota gaet, which does not exist; did you mean gate?',
      expect.stringMatching(/^duty.yaml:13:\d+: steps\[0\].by\[0\] of ladder red must be a way of telling/),
      'duty.yaml:13:139: step 2 of ladder red comes before step 1; order the steps by after',
      'duty.yaml:13:181: a step of ladder red has times without repeat; say how long to wait between two calls'
    ])
  })

  it('says where somebody would not be told, to the check', () => {
    const files = {
      ...GOOD,
      'duty.yaml': `people:
  - { id: ann, phone: "000 1" }
  - { id: bob, email: bob@example.com }
rotas:
  - { id: gate, start: 2026-01-01, shifts: [{ from: "08:00", to: "20:00", days: [mon, tue, wed, thu, fri, sat], order: [person:ann] }, { from: "20:00", to: "08:00", order: [person:ann] }, { from: "08:00", to: "12:00", days: [sun], order: [person:ann] }] }
ladders:
  - { id: all, steps: [{ tell: [duty:gate, responsible:main, person:bob], by: [sms] }] }
  - { id: late, appliesTo: { tiers: [yellow] }, steps: [{ tell: [person:ann], by: [sms] }] }
  - { id: red, appliesTo: { tiers: [red] }, steps: [{ tell: [person:ann], by: [sms] }] }
`
    }
    const folder = folderOf(files)
    const { plant, problems } = loadPlantFolder(folder, {}, { strict: true, now: Date.parse('2026-03-01T00:00:00Z') })
    expect(plant).toBeNull()
    expect(lines(problems).map((line) => line.replace(/^.*duty\.yaml/, 'duty.yaml'))).toEqual([
      'duty.yaml:5:5: rota gate has nobody on duty in the next 90 days from 2026-03-01T12:00 to 2026-03-01T20:00, from 2026-03-08T12:00 to 2026-03-08T20:00, from 2026-03-15T12:00 to 2026-03-15T20:00, and 10 more times (Asia/Shanghai); give it a shift or an override there',
      'duty.yaml:7:44: ladder all tells responsible:main, but nobody is named for T-1 at the site farm; add an entry under responsible',
      'duty.yaml:7:79: ladder all tells bob by sms, but bob has no phone',
      'duty.yaml:8:5: ladder late gets no alarm: all that it would take is taken by all above it',
      'duty.yaml:9:5: ladder red gets no alarm: no rule of the plant raises one there'
    ])
  })

  it('knows who is told of faults of the service, and when drills begin', () => {
    const drills = 'drills:\n  - { id: weekly, site: farm, tier: yellow, at: "10:00", days: [tue], week: 1, fast: 10 }\n'
    const good = load({
      ...GOOD,
      'duty.yaml': DUTY.replace('sms+voice, voice', 'sms+voice') + drills,
      'fenghuo.yaml': 'notifications: { faultsTo: [crew, bob] }\n'
    })
    expect(lines(good.problems)).toEqual([])
    expect(good.plant?.duty?.drills).toEqual([
      { id: 'weekly', site: 'farm', tier: 'yellow', zone: 'Asia/Shanghai', minute: 600, days: [1], week: 1, factor: 10 }
    ])
    const bad = load({
      ...GOOD,
      'duty.yaml': `${DUTY.replace('sms+voice, voice', 'sms+voice')}drills:\n  - { id: weekly, site: farmm, tier: pink, at: "25:00" }\n`
    })
    expect(lines(bad.problems)).toEqual([
      'duty.yaml:19:25: drill weekly names the site farmm, which does not exist; did you mean farm?',
      'duty.yaml:19:38: tier of drill weekly must be one of blue, yellow, orange, red, not the text "pink"',
      'duty.yaml:19:48: at of drill weekly must be a time of day such as "08:00", not the text "25:00"'
    ])
    const stranger = load({
      ...GOOD,
      'duty.yaml': DUTY.replace('sms+voice, voice', 'sms+voice'),
      'fenghuo.yaml': 'notifications:\n  faultsTo: [crew, crow]\n'
    })
    expect(lines(stranger.problems)).toEqual([
      'fenghuo.yaml:2:20: notifications.faultsTo names crow, who is neither a person nor a team of duty.yaml; did you mean crew?'
    ])
  })
})
