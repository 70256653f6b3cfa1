// Faults of this service itself, told to those who keep it running. A fault that passes by itself within moments is not told;
// one that stays is told once, again each hour, and its end is told too.

import { addressOf, DutyPlan } from '../alerts/dutyLadders.ts'
import { timeText } from '../alerts/wording.ts'
import { messageText, wordsFrom } from '../alerts/wordingText.ts'
import type { Person } from '../model/duty.ts'
import type { ChannelKind, PlannedNotification } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import type { Clock, Timer } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Part } from '../platform/parts.ts'
import { messageOf } from '../platform/problem.ts'
import { faultWords } from './faultWords.ts'

const LOOK_MS = 5_000
const FIRST_MS = 30_000
const AGAIN_MS = 3_600_000

/** One thing that is wrong: the same `part` is the same fault, however its sentence changes. */
export interface Fault {
  readonly part: string
  readonly problem: string
}

export interface SelfWatchParts {
  readonly clock: Clock
  readonly log: Log
  /** People and teams to be told. */
  readonly to: readonly string[]
  readonly plant: () => Plant
  /** The ways that a provider is configured for. */
  readonly served: ReadonlySet<ChannelKind>
  readonly faults: () => readonly Fault[]
  readonly add: (planned: readonly PlannedNotification[]) => Promise<void>
}

interface Known {
  readonly since: number
  problem: string
  toldAt: number | null
}

export class SelfWatch implements Part {
  readonly name = 'self watch'
  readonly #parts: SelfWatchParts
  readonly #known = new Map<string, Known>()
  #timer: Timer | null = null

  constructor(parts: SelfWatchParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    this.#timer ??= this.#parts.clock.every(LOOK_MS, () => void this.look())
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Looks once. Never throws. */
  async look(): Promise<void> {
    const { clock, log, add, faults } = this.#parts
    const now = clock.now()
    const present = new Map(faults().map((fault) => [fault.part, fault.problem]))
    const telling: PlannedNotification[] = []
    for (const [part, problem] of present) {
      const known = this.#known.get(part) ?? { since: now, problem, toldAt: null }
      this.#known.set(part, known)
      known.problem = problem
      if (now - known.since < FIRST_MS || (known.toldAt !== null && now - known.toldAt < AGAIN_MS)) continue
      known.toldAt = now
      telling.push(...this.#planned(part, problem, false, now))
    }
    for (const [part, known] of this.#known) {
      if (present.has(part)) continue
      this.#known.delete(part)
      if (known.toldAt !== null) telling.push(...this.#planned(part, known.problem, true, now))
    }
    if (telling.length === 0) return
    await add(telling).catch((cause) => log.error(`a fault of the service could not be told: ${messageOf(cause)}`))
  }

  #planned(part: string, problem: string, over: boolean, at: number): PlannedNotification[] {
    const plan = new DutyPlan(this.#parts.plant())
    const ids = this.#parts.to.flatMap((id) => plan.duty?.teams.find((team) => team.id === id)?.people ?? [id])
    const people = [...new Set(ids)].flatMap((id) => plan.people.get(id) ?? [])
    if (people.length === 0) this.#parts.log.warn(`${problem} Nobody is named under notifications.faultsTo to be told of it.`)
    const { served } = this.#parts
    return people.flatMap((person) => waysOf(person, served).map((channel) => plannedFor(person, channel, part, problem, over, at)))
  }
}

/** Every way of his that there is a provider for: the one that fails may be what is wrong. */
function waysOf(person: Person, served: ReadonlySet<ChannelKind>): ChannelKind[] {
  return (Object.keys(person.addresses) as ChannelKind[]).filter((kind) => served.has(kind))
}

function plannedFor(person: Person, channel: ChannelKind, part: string, problem: string, over: boolean, at: number): PlannedNotification {
  const { language, zone } = person
  const zh = language === 'zh'
  const words = faultWords(part, problem, language)
  const parts = {
    where: zh ? '烽火服务' : 'Fenghuo service',
    what: over ? (zh ? `故障恢复:${words.name}` : `fault over: ${words.name}`) : zh ? `服务故障:${words.name}` : `fault: ${words.name}`,
    howMuch: over ? '' : words.problem,
    ...{ todo: over ? '' : words.todo, within: '', when: timeText(at, zone, language) }
  }
  return {
    ...{ id: `self~${part}~${at}~${person.id}~${channel}`, at, reason: 'self', alarms: [], tier: over ? 'blue' : 'orange', site: null },
    ...{ enterprise: person.enterprise, ladder: '', rung: 0, occurrence: 1, person: person.id, channel, language },
    address: addressOf(person, channel),
    words: wordsFrom(parts, language),
    text: messageText(channel, parts, language, false),
    drill: false,
    withheld: null
  }
}
