// Plays every scenario of this folder, and applies the laws to each for free: the same log at any tick rate, when the
// process restarts at any record, and with strangers' messages in between. No rule or tier of the sample plant goes unproved.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { isBuiltIn } from '../../src/app/config/builtInKinds.ts'
import { loadPlant } from '../../src/app/config/load.ts'
import { Effects } from '../../src/app/effects.ts'
import { OFFLINE_CLOCK_SKEW_MS, RecordWriter } from '../../src/app/offline.ts'
import { Pipeline } from '../../src/app/pipeline.ts'
import { parseScenario, type Scenario } from '../../src/app/scenario/parse.ts'
import { type Outcome, playScenario } from '../../src/app/scenario/play.ts'
import { SCENARIO_EPOCH } from '../../src/app/scenario/times.ts'
import { type AlarmEvent, alarmEventLine } from '../../src/model/alarm.ts'
import type { JournalRecord } from '../../src/model/journal.ts'
import type { Plant } from '../../src/model/plant.ts'
import { LEVELS } from '../../src/model/tier.ts'
import { problemLine } from '../../src/platform/problem.ts'
import { Random } from '../../src/platform/random.ts'
import { RULE_FUNCTIONS } from '../../src/rules/expressionCalls.ts'

const FOLDER = import.meta.dirname
const SAMPLE = path.join(FOLDER, '../../config')
const FILES = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.scenario'))
  .sort()
const plants = new Map<string, Plant>()

function plantIn(folder: string): Plant {
  let plant = plants.get(folder)
  if (plant === undefined) {
    const loaded = loadPlant(folder, {})
    expect(loaded.problems.map(problemLine)).toEqual([])
    plants.set(folder, (plant = loaded.plant as Plant))
  }
  return plant
}

function plantOf(file: string, { plant }: Scenario): string {
  return path.resolve(FOLDER, path.dirname(file), plant.text)
}

function played(file: string): Outcome {
  const { scenario, problems } = parseScenario(file, readFileSync(path.join(FOLDER, file), 'utf8'))
  expect(problems?.map(problemLine) ?? []).toEqual([])
  return playScenario(scenario!, plantIn(plantOf(file, scenario!)))
}

interface Manner {
  /** Instants of our clock to which time is advanced on the way, ascending. */
  readonly ticks?: Iterable<number>
  /** The process dies and recovers before every record. */
  readonly restarting?: boolean
}

/** The live loop in short: records in, the whole log out. */
function logOf(plant: Plant, records: readonly JournalRecord[], endAt: number, { ticks = [], restarting = false }: Manner = {}): string[] {
  const options = { clockSkewMs: OFFLINE_CLOCK_SKEW_MS }
  const effects = new Effects()
  let pipeline = Pipeline.begin(plant, 0, SCENARIO_EPOCH, options)
  const pending = [...ticks]
  for (const record of records) {
    while ((pending[0] ?? Number.POSITIVE_INFINITY) < record.receivedAt) pipeline.advance(pending.shift() as number, effects)
    if (restarting) pipeline = Pipeline.restore(plant, deserialize(serialize(pipeline.snapshot())), options)
    pipeline.take([record], effects)
  }
  for (const tick of pending) if (tick < endAt) pipeline.advance(tick, effects)
  pipeline.advance(endAt, effects)
  expect(effects.rejects).toEqual([])
  return [...effects.events.map(alarmEventLine), ...[...effects.notifications, ...effects.marks].map((one) => JSON.stringify(one))]
}

/** The plant with a twin of every device, in no area; and the records with a twin's sample before each. */
function withStrangers({ plant, records }: Outcome): { plant: Plant; records: JournalRecord[] } {
  const twins = plant.devices.map((device) => ({ ...device, id: `twin-${device.id}`, area: null, labels: { ...device.labels } }))
  const crowded = { ...plant, devices: plant.devices.flatMap((device, i) => [twins[i]!, device]) }
  const writer = new RecordWriter(crowded)
  const random = new Random(5)
  const all: JournalRecord[] = []
  for (const { receivedAt, kind, source, body } of records) {
    const twin = random.pick(twins)
    const metrics = plant.profiles.find(({ id }) => id === twin.profile)!.metrics
    const values = Object.fromEntries(metrics.map(({ id, min, max }) => [id, random.between(Math.ceil(min), Math.floor(max))]))
    all.push(writer.telemetry(receivedAt, { device: twin.id, ts: receivedAt - random.between(0, 5000), values }))
    all.push({ seq: writer.skip(), receivedAt, kind, source, body })
  }
  return { plant: crowded, records: all }
}

/** The alarm log, and behind it whom it was planned to tell, and the marks. */
function whole({ events, notifications, marks }: Outcome): string[] {
  return [...events.map(alarmEventLine), ...[...notifications, ...marks].map((one) => JSON.stringify(one))]
}

function lines(events: readonly AlarmEvent[]): string[] {
  return events.map(alarmEventLine)
}

describe.each(FILES)('%s', (file) => {
  it('gives the log it expects', () => {
    const { problems, differences } = played(file)
    expect(problems.map(problemLine)).toEqual([])
    expect(differences).toEqual([])
  })

  it('gives the same log at any tick rate', () => {
    const outcome = played(file)
    const { plant, records, endAt } = outcome
    // Scenarios of hours get longer steps, or they would take minutes.
    const longer = Math.ceil((endAt - SCENARIO_EPOCH) / 1_800_000)
    for (const stepMs of [250 * longer, 1000 * longer, 7300 * longer]) {
      const ticks = Array.from({ length: Math.floor((endAt - SCENARIO_EPOCH) / stepMs) }, (_, i) => SCENARIO_EPOCH + (i + 1) * stepMs)
      expect(logOf(plant, records, endAt, { ticks })).toEqual(whole(outcome))
    }
    expect(logOf(plant, records, endAt)).toEqual(whole(outcome))
  })

  it('gives the same log when the process restarts before every record', () => {
    const outcome = played(file)
    expect(logOf(outcome.plant, outcome.records, outcome.endAt, { restarting: true })).toEqual(whole(outcome))
  })

  it('gives the same log with strangers in between', () => {
    const outcome = played(file)
    const { plant, records } = withStrangers(outcome)
    const log = logOf(plant, records, outcome.endAt).filter((line) => line.startsWith('{"at":') && !line.includes('twin-'))
    expect(log).toEqual(lines(outcome.events))
  })
})

it('every rule function occurs in a scenario', () => {
  const { rules } = plantIn(path.join(FOLDER, 'plant'))
  const texts = rules.flatMap(({ tiers }) => tiers.flatMap(({ when, clear }) => [when, clear ?? ''])).join(' ')
  expect(RULE_FUNCTIONS.filter((name) => !texts.includes(`${name}(`))).toEqual([])
})

it('every tier of every rule of the sample plant is entered and left in a scenario', () => {
  // Built-in rules are proved one by one in builtIn.test.ts.
  const rules = plantIn(SAMPLE).rules.filter(({ id }) => !isBuiltIn(id.split('.')[0] as string))
  const proved = new Set(FILES.flatMap(turnsOnSample))
  const wanted = rules.flatMap(({ id, tiers }) => tiers.flatMap(({ tier }) => [`${id}: ${tier} entered`, `${id}: ${tier} left`]))
  expect(wanted.filter((turn) => !proved.has(turn))).toEqual([])
})

it('every state and inhibition of the sample plant holds something back, and lets it go, in a scenario', () => {
  const { states = [], inhibitions = [] } = plantIn(SAMPLE)
  const wanted = [...states.map(({ id }) => `state:${id}`), ...inhibitions.map(({ id }) => `inhibition:${id}`)]
  expect(wanted.length).toBeGreaterThan(6)
  const proved = new Set(
    FILES.filter((file) => file.startsWith('suppression')).flatMap((file) =>
      played(file).events.flatMap((event) => (event.kind === 'action' ? [`${event.by} ${event.action}`] : []))
    )
  )
  const turns = wanted.flatMap((by) => [`${by} suppress`, `${by} unsuppress`])
  expect(turns.filter((turn) => !proved.has(turn))).toEqual([])
})

/** What a scenario shows of the sample plant's rules; falling from red to clear leaves every tier below it too. */
function turnsOnSample(file: string): string[] {
  const { scenario } = parseScenario(file, readFileSync(path.join(FOLDER, file), 'utf8'))
  if (plantOf(file, scenario!) !== SAMPLE) return []
  return played(file).events.flatMap((event) => {
    if (event.kind !== 'transition') return []
    const [from, to] = [LEVELS.indexOf(event.from), LEVELS.indexOf(event.to)]
    if (from < to) return [`${event.rule}: ${event.to} entered`]
    return LEVELS.slice(to + 1, from + 1).map((level) => `${event.rule}: ${level} left`)
  })
}
