// Plays a scenario: writes the records that a journal would hold, feeds them to the code that judges live, and compares the
// log. Receipt is the sample's time; only `clock` moves the two apart.

import type { AlarmEvent } from '../../model/alarm.ts'
import { type DrillTurn, drillId } from '../../model/drill.ts'
import type { JournalRecord, OperatorActionBody, Reject, ServiceTarget } from '../../model/journal.ts'
import type { MarkChange } from '../../model/mark.ts'
import type { PlannedNotification } from '../../model/notification.ts'
import type { Plant } from '../../model/plant.ts'
import { type Problem, problem } from '../../platform/problem.ts'
import { OfflineRun, ownGateway, RecordWriter, withGateways } from '../offline.ts'
import type { ScenarioAction, ScenarioDrill, ScenarioSwitch, ScenarioWindow } from './acts.ts'
import { type Difference, differencesOf } from './compare.ts'
import type { ClockShift, Scenario, SentValue, Word } from './parse.ts'
import { Carrier } from './telling.ts'
import { formatTime, SCENARIO_EPOCH } from './times.ts'

export interface Outcome {
  /** Names that the plant does not know, alarms that were not there to act on, samples that could not be used. */
  readonly problems: readonly Problem[]
  /** The plant it was played on: every device has a gateway. */
  readonly plant: Plant
  /** What was journaled, and until when time passed (epoch ms): enough to play it again. */
  readonly records: readonly JournalRecord[]
  readonly endAt: number
  readonly events: readonly AlarmEvent[]
  /** Whom it was planned to tell, and from whom it was withheld. */
  readonly notifications: readonly PlannedNotification[]
  /** Marks that went on and off. */
  readonly marks: readonly MarkChange[]
  /** Empty: the log is as expected. */
  readonly differences: readonly Difference[]
}

/** One thing that happens at an instant of our clock (ms since the beginning). */
type Step =
  | { readonly at: number; readonly order: 0; readonly device: string; readonly online: boolean }
  | { readonly at: number; readonly order: 1; readonly device: string; readonly values: Record<string, number | null> }
  | { readonly at: number; readonly order: 2; readonly action: ScenarioAction }
  | { readonly at: number; readonly order: 3; readonly window: ScenarioWindow }
  | { readonly at: number; readonly order: 4; readonly switched: ScenarioSwitch }
  | { readonly at: number; readonly order: 5; readonly drill: ScenarioDrill }

export function playScenario(scenario: Scenario, source: Plant): Outcome {
  const plant = withGateways(source, new Set(scenario.outages.map(({ device }) => device.text)))
  const endAt = SCENARIO_EPOCH + scenario.end
  const records: JournalRecord[] = []
  const into = {
    events: [] as AlarmEvent[],
    rejects: [] as Reject[],
    notifications: [] as PlannedNotification[],
    marks: [] as MarkChange[],
    drills: [] as DrillTurn[]
  }
  const problems = unknownNames(scenario, plant)
  if (problems.length > 0) return { problems, plant, records, endAt, events: [], notifications: [], marks: [], differences: [] }
  const run = new OfflineRun(plant, SCENARIO_EPOCH)
  const writer = new RecordWriter(plant)
  const carrier = new Carrier(scenario.faults)
  const take = (record: JournalRecord): void => {
    const before = into.notifications.length
    records.push(record)
    run.take(record, into)
    carrier.send(into.notifications.slice(before))
  }
  const passTo = (to: number): void => {
    for (;;) {
      const [answer, due] = [carrier.next, run.pipeline.nextDue]
      if (answer !== undefined && answer.at <= to && answer.at <= due) {
        run.pass(answer.at - 1, into)
        carrier.answered()
        take(writer.delivery(answer.at, answer.report))
      } else if (due <= to) {
        const before = into.notifications.length
        run.pass(due, into)
        carrier.send(into.notifications.slice(before))
      } else break
    }
    run.pass(to, into)
  }
  for (const step of stepsOf(scenario)) {
    passTo(SCENARIO_EPOCH + step.at - 1)
    const record = recordOf(step, scenario, plant, writer, [...into.events, ...into.drills])
    if ('problem' in record) {
      problems.push(record)
      continue
    }
    take(record)
  }
  passTo(endAt)
  for (const { problem: sentence } of into.rejects) problems.push(problem(sentence, { file: scenario.file, line: 1, column: 1 }))
  const { events, notifications, marks, drills } = into
  const differences = differencesOf(scenario.expected, events, notifications, marks, drills)
  return { problems, plant, records, endAt, events, notifications, marks, differences }
}

function unknownNames(scenario: Scenario, plant: Plant): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  const refuse = ({ text, line, column }: Word, sentence: string): void => {
    if (seen.has(`${line} ${text}`)) return
    seen.add(`${line} ${text}`)
    problems.push(problem(sentence, { file: scenario.file, line, column }))
  }
  const devices = new Map(plant.devices.map((device) => [device.id, device]))
  const profiles = new Map(plant.profiles.map((profile) => [profile.id, profile.metrics.map(({ id }) => id)]))
  for (const { device } of [...scenario.values, ...scenario.outages, ...scenario.clocks]) {
    if (!devices.has(device.text)) refuse(device, `the plant ${scenario.plant.text} has no device ${device.text}`)
  }
  for (const { device, metric } of scenario.values) {
    const profile = devices.get(device.text)?.profile
    const known = profile === undefined ? undefined : profiles.get(profile)
    if (known !== undefined && !known.includes(metric.text)) {
      refuse(metric, `${device.text} (profile ${profile}) has no metric ${metric.text}: it has ${known.join(', ')}`)
    }
  }
  for (const { state } of scenario.switches) {
    const known = plant.states?.find(({ id }) => id === state.text)
    if (known === undefined) refuse(state, `the plant ${scenario.plant.text} has no state ${state.text}`)
    else if (known.longestMs === null) refuse(state, `the state ${state.text} goes by itself; only one with \`manual\` is switched`)
  }
  for (const { target } of scenario.drills) {
    if (targetOf(target.text, plant) === null) refuse(target, `the plant ${scenario.plant.text} has no device or site ${target.text}`)
  }
  for (const { target } of [...scenario.windows, ...scenario.switches]) {
    if (targetOf(target.text, plant) === null) refuse(target, `the plant ${scenario.plant.text} has no device, area or site ${target.text}`)
  }
  return problems
}

/** The device of this id, else the area, else the site. */
function targetOf(id: string, { devices, areas, sites }: Plant): ServiceTarget | null {
  const none = { device: null, area: null, site: null }
  if (devices.some((device) => device.id === id)) return { ...none, device: id }
  if (areas.some((area) => area.id === id)) return { ...none, area: id }
  return sites.some((site) => site.id === id) ? { ...none, site: id } : null
}

/** Everything that happens, in order; at one instant outages come first, then samples, then people. */
function stepsOf({ values, outages, actions, windows, switches, drills }: Scenario): Step[] {
  const steps: Step[] = []
  for (const { device, from, to } of outages) {
    steps.push({ at: from, order: 0, device: device.text, online: false }, { at: to, order: 0, device: device.text, online: true })
  }
  const heard = values.filter(
    (value) => !outages.some(({ device, from, to }) => device.text === value.device.text && value.at >= from && value.at < to)
  )
  for (const { at, device, values: of } of samplesOf(heard)) steps.push({ at, order: 1, device, values: of })
  for (const action of actions) steps.push({ at: action.at, order: 2, action })
  for (const window of windows) steps.push({ at: window.at, order: 3, window })
  for (const switched of switches) steps.push({ at: switched.at, order: 4, switched })
  for (const drill of drills) steps.push({ at: drill.at, order: 5, drill })
  return steps.sort((a, b) => a.at - b.at || a.order - b.order)
}

/** What one device says at one instant is one sample. */
function samplesOf(values: readonly SentValue[]): { at: number; device: string; values: Record<string, number | null> }[] {
  const samples: { at: number; device: string; values: Record<string, number | null> }[] = []
  const open = new Map<string, Record<string, number | null>>()
  for (const { at, device, metric, value } of values) {
    const key = `${at} ${device.text}`
    let sample = open.get(key)
    if (sample === undefined || Object.hasOwn(sample, metric.text)) {
      sample = {}
      open.set(key, sample)
      samples.push({ at, device: device.text, values: sample })
    }
    sample[metric.text] = value
  }
  return samples
}

function recordOf(
  step: Step,
  scenario: Scenario,
  plant: Plant,
  writer: RecordWriter,
  events: readonly Pick<AlarmEvent, 'id'>[]
): JournalRecord | Problem {
  const receivedAt = SCENARIO_EPOCH + step.at
  switch (step.order) {
    case 0:
      return writer.presence(receivedAt, ownGateway(plant, step.device), step.online)
    case 1:
      return writer.telemetry(receivedAt, {
        device: step.device,
        ts: receivedAt + skewOf(scenario.clocks, step.device, step.at),
        values: step.values
      })
    case 2: {
      const { alarm, action } = step.action
      const id = alarmNamed(alarm.text, events)
      if (id !== null) return writer.action(receivedAt, 'scenario', bodyOf(id, step.action, receivedAt))
      const place = { file: scenario.file, line: alarm.line, column: alarm.column }
      return problem(`there is no alarm ${alarm.text} at ${formatTime(step.at)} to ${action}`, place)
    }
    case 3: {
      const { target: named, from, to, note } = step.window
      const target = targetOf(named.text, plant) as ServiceTarget
      if (from === null || to === null) return writer.action(receivedAt, 'scenario', { id: null, action: 'returnToService', target, note })
      const window = { from: SCENARIO_EPOCH + from, until: SCENARIO_EPOCH + to }
      return writer.action(receivedAt, 'scenario', { id: null, action: 'outOfService', target, ...window, note })
    }
    case 4: {
      const { state, target: named, forMs, note } = step.switched
      const body = { id: null, state: state.text, target: targetOf(named.text, plant) as ServiceTarget, note }
      const turn =
        forMs === null ? ({ action: 'leaveState', until: null } as const) : ({ action: 'enterState', until: receivedAt + forMs } as const)
      return writer.action(receivedAt, 'scenario', { ...body, ...turn })
    }
    case 5: {
      const { target: named, tier, factor, note } = step.drill
      const { device, site } = targetOf(named.text, plant) as ServiceTarget
      const asked = { site, device, rule: null, tier, person: null, note, factor }
      return writer.action(receivedAt, 'scenario', { id: drillId(asked, receivedAt), action: 'drill', drill: asked })
    }
  }
}

function bodyOf(id: string, { action, note, forMs, assignee, disposition, verifier }: ScenarioAction, at: number): OperatorActionBody {
  return {
    id,
    action,
    note,
    ...(forMs === undefined ? {} : { until: at + forMs }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(disposition === undefined ? {} : { disposition }),
    ...(verifier === undefined ? {} : { verifier }),
    identities: true
  }
}

function skewOf(clocks: readonly ClockShift[], device: string, at: number): number {
  return (
    clocks
      .filter((clock) => clock.device.text === device && clock.from <= at)
      .sort((a, b) => a.from - b.from)
      .at(-1)?.skewMs ?? 0
  )
}

/** The id of the alarm or drill, newest first: a whole id, or rule/subject. */
function alarmNamed(name: string, events: readonly Pick<AlarmEvent, 'id'>[]): string | null {
  return events.findLast(({ id }) => id === name || id.slice(0, id.lastIndexOf('#')) === name)?.id ?? null
}
