// Random plants: a few devices in areas behind gateways, and rules of every kind the language has. Everything follows from
// the seed. Texts of conditions are written so that small whole numbers cross their limits often.

import type { Device, Plant, Profile, Rule, RuleTier } from '../../src/model/plant.ts'
import { TIERS, type Tier } from '../../src/model/tier.ts'
import type { Random } from '../../src/platform/random.ts'
import { randomDuty, randomInhibitions, randomStates } from './people.ts'

const name = (text: string): { zh: string; en: string } => ({ zh: text, en: text })
const GATEWAYS = ['gw-0', 'gw-1', 'gw-2']
const AREAS = ['north', 'south']
const SECONDS = [1, 5, 10, 30, 45, 60]

function profileOf(id: string, random: Random): Profile {
  const metric = (metricId: string, stuckAfterMs: number | null): Profile['metrics'][number] => ({
    id: metricId,
    name: name(metricId),
    unit: '1',
    min: -1000,
    max: 1000,
    stuckAfterMs
  })
  return {
    id,
    name: name(id),
    metrics: [metric('a', null), metric('b', 20_000)],
    limits: { high: random.between(0, 2), high_high: random.between(2, 4) },
    silentAfterMs: random.pick([15_000, 30_000, 60_000, 600_000]),
    source: null
  }
}

function window(random: Random): string {
  return `'${random.pick(SECONDS)}s'`
}

/** A condition on one device; `depth` bounds how it nests. */
function condition(random: Random, depth = 2): string {
  if (depth > 0 && random.next() < 0.4) {
    const [one, other] = [condition(random, depth - 1), condition(random, depth - 1)]
    return random.pick([`(${one}) && (${other})`, `(${one}) || (${other})`, `!(${one})`, `(a > 0 ? (${one}) : (${other}))`])
  }
  const metric = random.pick(['a', 'b'])
  const compared = `${random.pick(['>', '>=', '<', '<='])} ${random.between(-3, 3)}`
  const kind = random.next()
  if (kind < 0.4) return `${metric} ${compared}`
  if (kind < 0.5) return `${metric} > limits.${random.pick(['high', 'high_high'])}`
  if (kind < 0.6) return `${random.pick(['delta', 'rate'])}(${metric}, ${window(random)}) ${compared}`
  if (kind < 0.72) return `${random.pick(['avg', 'min', 'max'])}(${metric}, ${window(random)}) ${compared}`
  if (kind < 0.78) return `timeTo(${metric}, ${random.between(2, 5)}, '60s') < ${random.pick(['0.5', '1', '5'])}`
  if (kind < 0.85) return random.next() < 0.3 ? 'stuck(b)' : `stuck(${metric}, ${window(random)})`
  if (kind < 0.93) return `silent(${window(random)})`
  return kind < 0.95 ? 'clockWrong()' : `${random.pick(['faulty', 'outOfRange'])}(${metric})`
}

function vote(random: Random): string {
  const one = `voted(${random.between(1, 2)}, ${condition(random, 1)})`
  return random.next() < 0.7 ? one : `${one} ${random.pick(['&&', '||'])} voted(1, ${condition(random, 0)})`
}

function tierOf(tier: Tier, per: Rule['per'], random: Random): RuleTier {
  const patience = (): number => random.pick([0, 0, 1, 5, 10, 30, 60]) * 1000
  const times = { forMs: patience(), clearForMs: patience() }
  if (per === 'device' && random.next() < 0.25) {
    return { tier, when: `a ${random.pick(['>', '<'])} limits.high`, clear: null, deadband: random.between(1, 2), ...times }
  }
  const when = per === 'area' ? vote(random) : condition(random)
  const clear = random.next() < 0.3 ? `!(${when}) && ${per === 'area' ? vote(random) : condition(random, 0)}` : null
  return { tier, when, clear, deadband: null, ...times }
}

function ruleOf(id: string, random: Random): Rule {
  const per = random.next() < 0.3 ? 'area' : 'device'
  const nobody = { profile: null, devices: null, labels: {}, area: null, site: null, enterprise: null }
  const appliesTo = random.pick([
    { ...nobody, profile: 'probe' },
    { ...nobody, profile: 'valve' },
    { ...nobody, area: random.pick(AREAS) },
    { ...nobody, labels: { kind: 'odd' } },
    { ...nobody, devices: ['D-0', 'D-1', 'D-2'] },
    nobody
  ])
  const tiers = TIERS.filter(() => random.next() < 0.45)
  if (tiers.length === 0) tiers.push(random.pick(TIERS))
  return {
    id,
    title: name(id),
    appliesTo,
    per,
    latched: random.next() < 0.15,
    ...(random.next() < 0.1 ? { shadow: true as const } : {}),
    ...(per === 'area' && random.next() < 0.4 ? { degrade: random.pick(['towardsTrip', 'towardsRun'] as const) } : {}),
    ...(random.next() < 0.2 ? { realarmMs: random.pick([10_000, 60_000]) } : {}),
    ...(random.next() < 0.2 ? { realarmAcknowledgedMs: 20_000 } : {}),
    tiers: tiers.map((tier) => tierOf(tier, per, random)),
    guidance: name(''),
    source: null
  }
}

function deviceOf(number: number, profiles: readonly Profile[], random: Random): Device {
  const profile = random.pick(profiles)
  return {
    id: `D-${number}`,
    name: name(`D-${number}`),
    profile: profile.id,
    gateway: random.pick(GATEWAYS),
    area: random.pick([...AREAS, ...AREAS, null]),
    site: 'site',
    enterprise: 'enterprise',
    labels: number % 2 === 1 ? { kind: 'odd' } : {},
    limits: { ...profile.limits, ...(random.next() < 0.3 ? { high: random.between(-1, 3) } : {}) }
  }
}

function hashed(plant: Omit<Plant, 'hash'>, random: Random): Plant {
  return { ...plant, hash: `plant-${random.next()}` }
}

export function randomPlant(random: Random): Plant {
  const profiles = ['probe', 'valve'].map((id) => profileOf(id, random))
  return hashed(
    {
      enterprises: [{ id: 'enterprise', name: name('enterprise') }],
      sites: [{ id: 'site', enterprise: 'enterprise', name: name('site'), lat: null, lon: null }],
      areas: AREAS.map((id) => ({ id, site: 'site', name: name(id) })),
      gateways: GATEWAYS.map((id) => ({ id, enterprise: 'enterprise', name: name(id), secret: null })),
      profiles,
      devices: Array.from({ length: random.between(2, 6) }, (_, number) => deviceOf(number, profiles, random)),
      rules: Array.from({ length: random.between(1, 4) }, (_, number) => ruleOf(`r-${number}`, random)),
      states: randomStates(random, () => condition(random, 1)),
      inhibitions: randomInhibitions(random),
      ...(random.next() < 0.4 ? { duty: randomDuty(random) } : {})
    },
    random
  )
}

/** The plant after somebody has edited it a little. */
export function changedPlant(plant: Plant, random: Random): Plant {
  const at = random.between(0, Math.max(0, plant.rules.length - 1))
  const device = random.between(0, plant.devices.length - 1)
  const rules = [...plant.rules]
  const devices = [...plant.devices]
  const { hash: _, ...rest } = { ...plant }
  const edits: (() => void)[] = [
    () => void rules.splice(at, 1),
    () => void rules.push(ruleOf(`r-${random.between(10, 999_999)}`, random)),
    () => void (rules[at] = ruleOf(`r-${at}`, random)),
    () => void rules.reverse(),
    () => void (rules[at] = { ...rules[at]!, latched: !rules[at]!.latched }),
    () => void (rules[at] = { ...rules[at]!, tiers: rules[at]!.tiers.slice(-1) }),
    () => void (devices[device] = { ...devices[device]!, limits: { high: random.between(-2, 3), high_high: 4 } }),
    () => void (devices[device] = { ...devices[device]!, area: random.pick([...AREAS, null]) }),
    () => void (devices[device] = { ...deviceOf(device, plant.profiles, random), id: devices[device]!.id }),
    () => void devices.push(deviceOf(random.between(10, 999_999), plant.profiles, random)),
    () => void (devices.length > 1 && devices.splice(device, 1)),
    () => void devices.reverse(),
    () => void Object.assign(rest, { states: randomStates(random, () => condition(random, 1)), inhibitions: randomInhibitions(random) }),
    () => void (rest.duty !== undefined && Object.assign(rest, { duty: randomDuty(random) }))
  ]
  for (let count = random.between(1, 2); count > 0; count--) {
    const edit = random.pick(edits)
    if (rules[at] !== undefined && devices[device] !== undefined) edit()
  }
  return hashed({ ...rest, rules, devices }, random)
}
