// Random states and inhibitions that hold alarms back, and random duty plans that say who is told: the plant around the rules.

import type { DrillSchedule, Duty, Ladder, Person, Rung, Target } from '../../src/model/duty.ts'
import { CHANNEL_KINDS } from '../../src/model/notification.ts'
import { type Inhibition, type PlantState, WITHIN } from '../../src/model/plant.ts'
import { TIERS } from '../../src/model/tier.ts'
import type { Random } from '../../src/platform/random.ts'

const name = (text: string): { zh: string; en: string } => ({ zh: text, en: text })
const WAYS = CHANNEL_KINDS.slice(0, 3)

function suppresses(random: Random): PlantState['suppresses'] {
  return { rules: random.next() < 0.5 ? null : ['r-0', 'r-1'], upTo: random.pick(TIERS) }
}

/** One that goes by a condition, one by the clock on the wall, one that people switch. */
export function randomStates(random: Random, condition: () => string): PlantState[] {
  const nobody = { profile: null, devices: null, labels: {}, area: null, site: null, enterprise: null }
  return ['filling', 'night', 'cleaning'].flatMap((id): PlantState[] => {
    if (random.next() < 0.6) return []
    const fromMinute = 8 * 60 + random.between(0, 8)
    return [
      {
        id,
        title: name(id),
        appliesTo: random.pick([nobody, { ...nobody, area: 'north' }, { ...nobody, profile: 'probe' }]),
        within: random.pick(WITHIN),
        while: id === 'filling' ? condition() : null,
        // Worlds begin at eight in the morning of Shanghai.
        schedule: id === 'night' ? { zone: 'Asia/Shanghai', days: 'every', fromMinute, toMinute: fromMinute + random.between(1, 5) } : null,
        longestMs: id === 'cleaning' ? 300_000 : null,
        forMs: id === 'filling' ? random.pick([0, 0, 5000]) : 0,
        clearForMs: id === 'filling' ? random.pick([0, 0, 10_000]) : 0,
        suppresses: suppresses(random),
        source: null
      }
    ]
  })
}

export function randomInhibitions(random: Random): Inhibition[] {
  if (random.next() < 0.6) return []
  return [
    {
      id: 'power-cut',
      title: name('power-cut'),
      rule: random.pick(['r-0', 'r-1']),
      tier: random.pick(TIERS),
      within: random.pick(WITHIN),
      clearForMs: random.pick([0, 20_000]),
      suppresses: suppresses(random),
      source: null
    }
  ]
}

function personOf(id: string, random: Random): Person {
  return {
    id,
    name: name(id),
    language: random.pick(['zh', 'en']),
    zone: 'Asia/Shanghai',
    enterprise: null,
    user: random.pick([id, null]),
    addresses: { sms: `+8613800000${id.length}${random.between(10, 99)}`, ...(random.next() < 0.5 ? { email: `${id}@example.org` } : {}) },
    quiet: random.next() < 0.2 ? { from: 480, to: 484 } : null
  }
}

function rungOf(index: number, random: Random): Rung {
  const targets: Target[] = [
    { kind: 'duty', rota: 'watch' },
    { kind: 'person', id: 'bo' },
    { kind: 'team', id: 'shift' },
    { kind: 'responsible', role: 'operation' }
  ]
  return {
    afterMs: index * random.pick([0, 10_000, 30_000]),
    tell: [random.pick(targets), ...(random.next() < 0.3 ? [random.pick(targets)] : [])],
    by: random.pick([[[random.pick(WAYS)]], [[random.pick(WAYS)], ['sms']], [['sms', 'email']]]),
    repeatMs: random.pick([null, 15_000, 60_000]),
    times: random.between(1, 3)
  }
}

/** One that begins within the minutes of a world. */
function drillSchedule(random: Random): DrillSchedule {
  const when = { zone: 'Asia/Shanghai', minute: 480 + random.between(0, 4), days: [0, 1, 2, 3, 4, 5, 6], week: null }
  return { id: 'daily', site: 'site', tier: random.pick(TIERS), ...when, factor: random.pick([1, 4]) }
}

export function randomDuty(random: Random): Duty {
  const people = ['anna', 'bo', 'cai'].map((id) => personOf(id, random))
  const everybody = { tiers: null, rules: null, area: null, site: null, enterprise: null }
  const ladder = (id: string, appliesTo: Ladder['appliesTo']): Ladder => ({
    id,
    appliesTo,
    rungs: Array.from({ length: random.between(1, 3) }, (_, index) => rungOf(index, random)),
    receiptWithinMs: random.pick([null, 10_000, 45_000])
  })
  const order = ['anna', 'cai'].map((id) => ({ kind: 'person' as const, id }))
  return {
    people,
    teams: [{ id: 'shift', name: name('shift'), people: ['anna', 'cai'] }],
    rotas: [
      {
        id: 'watch',
        name: name('watch'),
        zone: 'Asia/Shanghai',
        startDay: 20_000,
        shifts: [{ hours: { from: 480, to: random.pick([482, 960]) }, days: [0, 1, 2, 3, 4, 5, 6], order, rotateDays: 1, offset: 0 }],
        overrides: []
      }
    ],
    responsible: [{ hazardSource: null, site: 'site', roles: { operation: 'cai' } }],
    ladders: [ladder('grave', { ...everybody, tiers: ['orange', 'red'] }), ladder('all', everybody)],
    groupWindowMs: random.pick([0, 0, 20_000]),
    throttle: random.pick([null, null, { max: 2, perMs: 60_000 }]),
    floodDigestMs: 60_000,
    receipts: random.pick([[], ['sms']]),
    ...(random.next() < 0.3 ? { drills: [drillSchedule(random)] } : {})
  }
}
