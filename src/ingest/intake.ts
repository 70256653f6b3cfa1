// From a journal record to qualified readings: topic, decoder, qualities; and what could not be used, as rejects.
// Pure but for what it remembers of each device; equal records in equal order give equal readings and rejects.

import type { Fleet } from '../model/fleet.ts'
import type { JournalRecord, Reject } from '../model/journal.ts'
import type { ReadingColumns } from '../model/readings.ts'
import { LIMITS } from '../platform/limits.ts'
import { decodeFenghuo } from './decoders/fenghuo.ts'
import { type Registry, registryOf, Samples } from './decoders/samples.ts'
import { Qualifier, type QualifyCounts, type TimeLinesSnapshot } from './qualify.ts'
import { parseTelemetryTopic } from './topics.ts'

const { rejectsPerMessage: MOST_REJECTS, excerptBytes: EXCERPT_BYTES, samplesPerMessage: MOST_SAMPLES } = LIMITS.message
const TOPICS_KNOWN = 50_000

export interface IntakeOptions {
  /** A time stamp further ahead of its receipt than this is not believed. */
  readonly clockSkewMs: number
}

/** Since the process began. */
export interface IntakeCounts extends Readonly<QualifyCounts> {
  readonly messages: number
  /** Problems found, also those not reported one by one. */
  readonly rejects: number
}

export interface IntakeSnapshot {
  readonly timeLines: TimeLinesSnapshot
}

interface Sender {
  readonly gateway: string
  /** Its number in the plant; -1 where the plant does not know it. */
  readonly number: number
  readonly device: string | null
  /** Why nothing can be read from this topic; null where it can. */
  readonly problem: string | null
}

export class Intake {
  readonly #fleet: Fleet
  readonly #registry: Registry
  readonly #options: IntakeOptions
  readonly #samples = new Samples(MOST_REJECTS)
  readonly #qualifier: Qualifier
  readonly #senders = new Map<string, Sender>()
  #messages = 0
  #rejects = 0

  constructor(fleet: Fleet, options: IntakeOptions) {
    this.#fleet = fleet
    this.#registry = registryOf(fleet)
    this.#options = options
    this.#qualifier = new Qualifier(fleet, options.clockSkewMs)
  }

  /** An intake that knows of each device what the snapshot knew; devices no longer in the fleet are forgotten. */
  static restore(fleet: Fleet, options: IntakeOptions, snapshot: IntakeSnapshot): Intake {
    const intake = new Intake(fleet, options)
    intake.#qualifier.restore(snapshot.timeLines)
    return intake
  }

  /** The same intake for another fleet: what it knows of each device, and its counts, go on. */
  under(fleet: Fleet): Intake {
    const intake = Intake.restore(fleet, this.#options, this.snapshot())
    Object.assign(intake.#qualifier.counts, this.#qualifier.counts)
    intake.#messages = this.#messages
    intake.#rejects = this.#rejects
    return intake
  }

  get counts(): IntakeCounts {
    return { ...this.#qualifier.counts, messages: this.#messages, rejects: this.#rejects }
  }

  /** A copy of what is remembered; goes through v8.serialize. */
  snapshot(): IntakeSnapshot {
    return { timeLines: this.#qualifier.snapshot() }
  }

  /** Appends the readings of a telemetry record to `into`, and what could not be used to `rejects`. Other records are none of its. */
  read(record: JournalRecord, into: ReadingColumns, rejects: Reject[]): void {
    if (record.kind !== 'telemetry') return
    this.#messages++
    const samples = this.#samples
    const sender = this.#senderOf(record.source)
    if (sender.problem === null) {
      decodeFenghuo(this.#registry, sender.number, sender.device, record.body, samples)
      this.#qualifier.qualify(samples, record.receivedAt, into)
    } else {
      samples.clear()
      samples.reject(0, sender.device, sender.problem)
    }
    if (samples.problems.length > 0) this.#report(record, sender.gateway, rejects)
  }

  #senderOf(topic: string): Sender {
    let sender = this.#senders.get(topic)
    if (sender === undefined) {
      sender = senderOf(this.#fleet, topic)
      if (this.#senders.size >= TOPICS_KNOWN) this.#senders.clear()
      this.#senders.set(topic, sender)
    }
    return sender
  }

  #report({ seq, receivedAt, source, body }: JournalRecord, gateway: string, rejects: Reject[]): void {
    const { problems, furtherProblems } = this.#samples
    const excerpt = excerptOf(body)
    for (const [i, { device, problem }] of problems.entries()) {
      const isLast = i === problems.length - 1
      const further = isLast && furtherProblems > 0 ? ` This message has ${furtherProblems} more problems.` : ''
      rejects.push({ at: receivedAt, seq, gateway, topic: source, device, problem: problem + further, excerpt })
    }
    this.#rejects += problems.length + furtherProblems
  }
}

function senderOf(fleet: Fleet, source: string): Sender {
  const topic = parseTelemetryTopic(source)
  if (topic === null) {
    const gateway = /^fh\/1\/([A-Za-z0-9._-]{1,64})(\/|$)/.exec(source)?.[1] ?? ''
    const problem = `The topic ${JSON.stringify(source)} is not one that is read: send telemetry to fh/1/{gateway}/telemetry or fh/1/{gateway}/{device}/telemetry.`
    return { gateway, number: -1, device: null, problem }
  }
  const { gateway, device, leaf } = topic
  const number = fleet.gatewayNumber.get(gateway) ?? -1
  return { gateway, number, device, problem: senderProblem(gateway, number, leaf) }
}

function senderProblem(gateway: string, number: number, leaf: 'telemetry' | 'status' | 'rejects'): string | null {
  if (leaf !== 'rejects' && number < 0)
    return `The gateway ${JSON.stringify(gateway)} is not in the plant: add it to plant.yaml, or correct its name.`
  if (leaf === 'status')
    return 'The status of a gateway is {"online": true} or {"online": false}, and this is neither: send one of the two.'
  if (leaf === 'rejects')
    return `The topic fh/1/${gateway}/rejects is for messages to the gateway: send telemetry to fh/1/${gateway}/telemetry.`
  return null
}

/** The first bytes of a body as text, cut between characters; bytes that are no text show as U+FFFD. */
export function excerptOf(body: Uint8Array): string {
  if (body.length <= EXCERPT_BYTES) return new TextDecoder().decode(body)
  return new TextDecoder().decode(body.subarray(0, EXCERPT_BYTES), { stream: true })
}

/** What a body would come to, without taking it: for the answer to an HTTP sender. */
export interface TelemetryCheck {
  /** Samples that will be used, in whole or in part; one used in part is among the rejected too. */
  readonly accepted: number
  readonly rejected: readonly { readonly index: number; readonly problem: string }[]
}

/** Reads a body as `Intake.read` will, from a gateway of the fleet. Values are not qualified: that depends on what came before. */
export function checkTelemetry(fleet: Fleet, gateway: string, deviceInTopic: string | null, body: Uint8Array): TelemetryCheck {
  const topic = deviceInTopic === null ? `fh/1/${gateway}/telemetry` : `fh/1/${gateway}/${deviceInTopic}/telemetry`
  const sender = senderOf(fleet, topic)
  const samples = new Samples(MOST_SAMPLES)
  if (sender.problem === null) decodeFenghuo(registryOf(fleet), sender.number, sender.device, body, samples)
  else samples.reject(0, null, sender.problem)
  return { accepted: samples.count - samples.hollow, rejected: samples.problems.map(({ index, problem }) => ({ index, problem })) }
}
