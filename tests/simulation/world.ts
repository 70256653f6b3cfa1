// A random life of a random plant, as the journal would hold it: telemetry in time, late, repeated, in backlogs and by wrong
// clocks, gateways that go and come back, people who act, plants that are changed while alarms stand. Follows from the seed.

import { Effects } from '../../src/app/effects.ts'
import { Pipeline } from '../../src/app/pipeline.ts'
import { drillId, isDrillId } from '../../src/model/drill.ts'
import type { JournalRecord, RecordKind } from '../../src/model/journal.ts'
import type { Plant } from '../../src/model/plant.ts'
import { TIERS } from '../../src/model/tier.ts'
import { Random } from '../../src/platform/random.ts'
import { changedPlant, randomPlant } from './plants.ts'

export const T0 = Date.UTC(2026, 0, 1)
export const OPTIONS = { clockSkewMs: 300_000 }

export interface World {
  readonly seed: number
  /** By hash, all that are ever in force. */
  readonly plants: ReadonlyMap<string, Plant>
  /** The first puts the first plant in force. */
  readonly records: readonly JournalRecord[]
  /** Time passes until then, by our clock. */
  readonly end: number
}

interface Sample {
  readonly device: string
  readonly ts?: number | string
  readonly values: Readonly<Record<string, number | boolean | null>>
  readonly bad?: readonly string[]
}

/** What a device is like, and what it has not been able to send yet. */
interface Temper {
  readonly clockMs: number
  readonly stamped: boolean
  readonly still: number | null
  backlog: Sample[] | null
}

class Life {
  readonly records: JournalRecord[] = []
  readonly plants = new Map<string, Plant>()
  #now = T0
  readonly #random: Random
  readonly #effects = new Effects()
  readonly #tempers = new Map<string, Temper>()
  readonly #ids: string[] = []
  readonly #planned: string[] = []
  readonly #sent: { source: string; body: Buffer }[] = []
  readonly #pipeline: Pipeline
  #plant: Plant

  constructor(seed: number) {
    this.#random = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995)
    this.#plant = randomPlant(this.#random)
    this.plants.set(this.#plant.hash, this.#plant)
    this.#pipeline = Pipeline.begin(this.#plant, 0, T0, OPTIONS)
    this.#write('plant', this.#plant.hash, Buffer.alloc(0))
  }

  get now(): number {
    return this.#now
  }

  step(): void {
    const random = this.#random
    const gap = random.next()
    if (gap > 0.15)
      this.#now += gap < 0.6 ? random.pick([1, 500, 1000, 1000, 5000, 10_000]) : random.between(0, gap < 0.95 ? 20_000 : 120_000)
    const kind = random.next()
    if (kind < 0.8) this.#telemetry()
    else if (kind < 0.86) this.#write('presence', random.pick(['gw-0', 'gw-1', 'gw-2']), { online: random.next() < 0.5, why: 'status' })
    else if (kind < 0.95) this.#act()
    else if (kind < 0.965) this.#replant()
    else if (kind < 0.97) this.#drill()
    else if (kind < 0.985) this.#again()
    else this.#deliver()
    if (this.#planned.length > 0 && random.next() < 0.1) this.#deliver()
  }

  #telemetry(): void {
    const random = this.#random
    const { id, gateway } = random.pick(this.#plant.devices)
    const temper = this.#temperOf(id)
    const sample = this.#sampleOf(id, temper)
    if (temper.backlog !== null) {
      temper.backlog.push(sample)
      if (random.next() < 0.7) return
      const { backlog } = temper
      temper.backlog = null
      if (random.next() < 0.3) backlog.reverse()
      this.#send(gateway, backlog)
      return
    }
    if (random.next() < 0.05) temper.backlog = []
    const others = this.#plant.devices.filter((device) => device.gateway === gateway && device.id !== id && random.next() < 0.2)
    this.#send(gateway, [sample, ...others.map((device) => this.#sampleOf(device.id, this.#temperOf(device.id)))])
  }

  #send(gateway: string | null, samples: readonly Sample[]): void {
    const random = this.#random
    const rubbish = random.next()
    const source = rubbish < 0.02 ? 'fh/1/gw-x/telemetry' : `fh/1/${rubbish < 0.03 ? 'gw-0' : gateway}/telemetry`
    const text = JSON.stringify(samples.length === 1 && rubbish < 0.5 ? samples[0] : samples)
    const body = Buffer.from(rubbish > 0.99 ? text.slice(1) : text)
    if (this.#sent.length < 8 || random.next() < 0.2) this.#sent[this.#sent.length % 8] = { source, body }
    this.#write('telemetry', source, body)
  }

  /** What had been acknowledged is sent once more. */
  #again(): void {
    if (this.#sent.length === 0) return
    const { source, body } = this.#random.pick(this.#sent)
    this.#write('telemetry', source, body)
  }

  #temperOf(id: string): Temper {
    let temper = this.#tempers.get(id)
    if (temper !== undefined) return temper
    const random = this.#random
    const clockMs = random.next() < 0.6 ? 0 : random.pick([-90_000, -2000, 1500, 60_000, 250_000, 400_000])
    temper = { clockMs, stamped: random.next() < 0.85, still: random.next() < 0.1 ? random.between(-3, 3) : null, backlog: null }
    this.#tempers.set(id, temper)
    return temper
  }

  #sampleOf(device: string, { clockMs, stamped, still }: Temper): Sample {
    const random = this.#random
    const values: Record<string, number | boolean | null> = {}
    for (const metric of ['a', 'b']) {
      const chance = random.next()
      if (chance < 0.25) continue
      values[metric] = chance < 0.28 ? null : chance < 0.31 ? 5000 : chance < 0.34 ? true : (still ?? random.between(-4, 4))
    }
    const late = random.next() < 0.07 ? random.between(1, 90_000) : 0
    const at = this.#now + clockMs - late
    const stamp = !stamped ? {} : { ts: random.next() < 0.1 ? new Date(at).toISOString() : random.next() < 0.01 ? 1000 : at }
    return { device, ...stamp, values, ...(random.next() < 0.03 ? { bad: ['a'] } : {}) }
  }

  #act(): void {
    const random = this.#random
    const standing = [...this.#pipeline.standing()].map(({ id }) => id)
    for (const id of standing) if (!this.#ids.includes(id)) this.#ids.push(id)
    const id = standing.length > 0 && random.next() < 0.7 ? random.pick(standing) : random.pick([...this.#ids, 'r-0/D-0#1'])
    const until = this.#now + random.pick([1000, 15_000, 60_000])
    const by = random.pick(['anna', 'bo'])
    const chance = random.next()
    if (chance < 0.35) this.#write('action', by, { id, action: 'reset', note: null })
    else if (chance < 0.5) this.#write('action', by, { id, action: 'acknowledge', note: random.pick([null, 'seen']) })
    else if (chance < 0.56) this.#write('action', by, { id, action: 'comment', note: 'hm' })
    else if (chance < 0.6) this.#write('action', by, { id, action: 'assign', assignee: random.pick(['bo', null]), note: null })
    else if (chance < 0.64) this.#write('action', by, { id, action: 'close', disposition: 'real', verifier: 'cai', note: 'done' })
    else if (chance < 0.78) this.#write('action', by, { id, action: 'shelve', note: 'noisy', until })
    else if (chance < 0.84) this.#write('action', by, { id, action: 'unshelve', note: null })
    else this.#setAside(by, until)
  }

  /** A device, an area or the site goes out of service or into a state, or comes back. */
  #setAside(by: string, until: number): void {
    const random = this.#random
    const nothing = { device: null, area: null, site: null }
    const target = random.pick([
      { ...nothing, device: random.pick(this.#plant.devices).id },
      { ...nothing, area: random.pick(['north', 'south']) },
      { ...nothing, site: 'site' }
    ])
    const from = random.pick([null, this.#now + 5000])
    const bodies = [
      { id: null, action: 'outOfService', target, from, until: from === null ? until : from + 20_000, note: 'works' },
      { id: null, action: 'returnToService', target, note: null },
      { id: null, action: 'enterState', state: 'cleaning', target, until, note: 'spring' },
      { id: null, action: 'leaveState', state: 'cleaning', target, until: null, note: null }
    ]
    this.#write('action', by, random.pick(bodies))
  }

  /** What a provider says became of a notification; now and then it says so twice. */
  #deliver(): void {
    const random = this.#random
    if (this.#planned.length === 0) return
    const id = random.pick(this.#planned.slice(-5))
    const state = random.pick(['sent', 'sent', 'delivered', 'failed'])
    this.#write('delivery', id, { id, state, providerId: null, problem: state === 'failed' ? 'The number is not in service.' : null })
  }

  /** Somebody holds a drill; or acknowledges one. */
  #drill(): void {
    const random = this.#random
    const subject = random.pick([
      { site: 'site', device: null, person: null },
      { site: null, device: random.pick(this.#plant.devices).id, person: null },
      { site: null, device: null, person: 'bo' }
    ])
    const asked = { ...subject, rule: random.pick([null, 'r-0']), tier: random.pick(TIERS), note: null, factor: random.pick([1, 3]) }
    const known = random.pick([...this.#planned.filter(isDrillId), null])
    if (known !== null && random.next() < 0.5) {
      this.#write('action', 'anna', { id: known.slice(0, known.indexOf('~')), action: 'acknowledge', note: null })
    } else this.#write('action', 'anna', { id: drillId(asked, this.#now), action: 'drill', drill: asked })
  }

  #replant(): void {
    this.#plant = changedPlant(this.#plant, this.#random)
    this.plants.set(this.#plant.hash, this.#plant)
    this.#write('plant', this.#plant.hash, Buffer.alloc(0))
  }

  #write(kind: RecordKind, source: string, content: object): void {
    const body = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
    const record = { seq: this.records.length + 1, receivedAt: this.#now, kind, source, body }
    this.records.push(record)
    if (kind === 'plant') this.#pipeline.replant(record, this.#plant, this.#effects)
    else this.#pipeline.take([record], this.#effects)
    for (const { id, withheld } of this.#effects.notifications) if (withheld === null) this.#planned.push(id)
    this.#effects.clear()
  }
}

export function worldOf(seed: number): World {
  const random = new Random(seed)
  const life = new Life(seed)
  for (let steps = random.between(15, 60); steps > 0; steps--) life.step()
  return { seed, plants: life.plants, records: life.records, end: life.now + random.pick([0, 1000, 90_000]) }
}

/** The same world with only some of its records: for finding the smallest that shows a fault. */
export function reduced(world: World, keep: (record: JournalRecord) => boolean): World {
  const records = world.records.filter((record) => record.seq === 1 || keep(record)).map((record, index) => ({ ...record, seq: index + 1 }))
  return { ...world, records }
}
