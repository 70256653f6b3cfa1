// One SMPP 3.4 session after another: bound as transceiver, kept alive by enquire_link, given up where it is silent, and bound
// again with growing jittered pauses. Invariant: every submit ends in exactly one answer, also where the connection is lost.

import smpp, { type PDU, type Session } from 'smpp'
import type { Clock, Timer } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import type { Log } from '../../platform/log.ts'
import { messageOf } from '../../platform/problem.ts'
import { Random } from '../../platform/random.ts'
import type { SmppSettings } from './settings.ts'

/** - answered: by its status (0: taken). - unsent: it did not leave. - lost: it left, and no answer came. */
export type SubmitAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly messageId: string }
  | { readonly kind: 'unsent'; readonly problem: string }
  | { readonly kind: 'lost'; readonly problem: string }

export interface SmppLinkOptions {
  readonly settings: SmppSettings
  readonly clock: Clock
  readonly log: Log
  readonly ca: string | null
  /** What the carrier delivers: receipts and replies. Answered once it resolves; where it rejects, the carrier is to deliver again. */
  readonly delivered: (pdu: PDU) => Promise<void>
}

/** Statuses of a bind that people have to mend. */
const BIND_PROBLEMS: Readonly<Record<number, string>> = {
  13: 'the carrier refuses the bind (ESME_RBINDFAIL)',
  14: 'the password is wrong (ESME_RINVPASWD)',
  15: 'the system id is unknown (ESME_RINVSYSID)'
}

/** ESME_RSYSERR. */
const SYSTEM_ERROR = 0x08

export class SmppLink {
  readonly #options: SmppLinkOptions
  readonly #random: Random
  #session: Session | null = null
  #bound = false
  #stopping = false
  #tries = 0
  #timers: Timer[] = []
  #problem: string | null = 'it is not connected yet'
  /** Until when the first session may take its time, by the monotonic clock; null: it was bound or has failed. */
  #firstUntil: number | null = null
  readonly #unanswered = new Set<(answer: SubmitAnswer) => void>()
  #whenIdle: (() => void) | null = null

  constructor(options: SmppLinkOptions) {
    this.#options = options
    // Seeded by who connects where: jitter between services, the same story in every test.
    this.#random = new Random(0).fork(`${options.settings.id} ${options.settings.host} ${options.settings.systemId}`)
  }

  get problem(): string | null {
    return this.#problem
  }

  /** Whether the first session since the start is on its way, and not for too long. */
  get starting(): boolean {
    return this.#firstUntil !== null && !this.#stopping && this.#options.clock.monotonic() < this.#firstUntil
  }

  /** Connects, also after a stop that is over. */
  start(): void {
    if (this.#session !== null) return
    this.#cancelTimers()
    if (this.#stopping) this.#problem = 'it is not connected yet'
    this.#stopping = false
    this.#firstUntil = this.#options.clock.monotonic() + LIMITS.channels.firstBindMs
    this.#connect()
  }

  /** Waits for the answers under way for a while, then unbinds. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#problem = 'it is stopping'
    const { clock } = this.#options
    const { smppStopMs } = LIMITS.channels
    if (this.#unanswered.size > 0) {
      const idle = Promise.withResolvers<void>()
      this.#whenIdle = idle.resolve
      const timer = clock.after(smppStopMs, idle.resolve)
      await idle.promise
      timer.cancel()
    }
    const session = this.#session
    if (session === null) return this.#cancelTimers()
    const closed = Promise.withResolvers<void>()
    session.once('close', closed.resolve)
    const timer = clock.after(smppStopMs, () => session.destroy())
    if (!this.#bound || !session.unbind({}, () => session.close())) session.destroy()
    if (session.socket.destroyed) closed.resolve()
    await closed.promise
    timer.cancel()
    this.#lost('it was stopped')
  }

  /** Submits one part. */
  submit(fields: Record<string, unknown>): Promise<SubmitAnswer> {
    const session = this.#session
    if (session === null || !this.#bound || this.#stopping)
      return Promise.resolve({ kind: 'unsent', problem: this.#problem ?? 'it is not connected' })
    return new Promise((resolve) => {
      const answer = (outcome: SubmitAnswer): void => {
        if (!this.#unanswered.delete(answer)) return
        timer.cancel()
        resolve(outcome)
        if (this.#unanswered.size === 0) this.#whenIdle?.()
      }
      this.#unanswered.add(answer)
      const timer = this.#options.clock.after(LIMITS.channels.smppAnswerMs, () =>
        answer({ kind: 'lost', problem: 'the carrier did not answer the submit in time' })
      )
      const sent = session.submit_sm(fields, ({ command_status, message_id }) =>
        answer({ kind: 'answered', status: command_status, messageId: message_id ?? '' })
      )
      if (!sent) answer({ kind: 'unsent', problem: 'the connection is closing' })
    })
  }

  #connect(): void {
    const { host, port, tls } = this.#options.settings
    const { clock, ca } = this.#options
    const session = smpp.connect({ host, port, tls, ...(tls ? { servername: host, ...(ca === null ? {} : { ca }) } : {}) })
    this.#session = session
    let why = 'the connection was closed'
    // The library stops reading after an error, so the session cannot be used further.
    session.on('error', (error: unknown) => {
      why = messageOf(error) || (error as { code?: string }).code || why
      session.destroy()
    })
    session.on('close', () => {
      if (this.#session === session) this.#lost(why)
    })
    const silent = clock.after(LIMITS.channels.smppAnswerMs, () => {
      why = 'it does not answer'
      session.destroy()
    })
    this.#timers.push(silent)
    session.on('pdu', (pdu: PDU) => this.#received(session, pdu))
    session.on(tls ? 'secureConnect' : 'connect', () => {
      this.#bind(session, silent, (sentence) => {
        why = sentence
        session.destroy()
      })
    })
  }

  #bind(session: Session, silent: Timer, fail: (sentence: string) => void): void {
    const { systemId, password, systemType } = this.#options.settings
    const fields = { system_id: systemId, password: password.reveal(), system_type: systemType, interface_version: 0x34 }
    session.bind_transceiver(fields, ({ command_status }) => {
      silent.cancel()
      if (command_status !== 0) return fail(BIND_PROBLEMS[command_status] ?? `the carrier answers the bind with status ${command_status}`)
      this.#bound = true
      this.#firstUntil = null
      this.#tries = 0
      this.#problem = this.#stopping ? this.#problem : null
      this.#options.log.info(`channel ${this.#options.settings.id} is bound to ${this.#options.settings.host}`)
      this.#keepAlive(session)
    })
  }

  #keepAlive(session: Session): void {
    const { clock, settings } = this.#options
    let answered = true
    this.#timers.push(
      clock.every(settings.enquireLinkMs, () => {
        // A whole interval without an answer: the connection is dead, whatever the sockets say.
        if (!answered) return session.emit('error', new Error('it does not answer enquire_link'))
        answered = false
        session.enquire_link({}, () => {
          answered = true
        })
      })
    )
  }

  #received(session: Session, pdu: PDU): void {
    switch (pdu.command) {
      case 'deliver_sm':
        void this.#options.delivered(pdu).then(
          () => session.send(pdu.response()),
          () => session.send(pdu.response({ command_status: SYSTEM_ERROR }))
        )
        return
      case 'enquire_link':
      case 'unbind':
        session.send(pdu.response())
        if (pdu.command === 'unbind') session.close()
        return
    }
    // data_sm, alert_notification and what is unknown: refused, so that the carrier does not wait.
    if (!/_resp$|^generic_nack$/.test(pdu.command)) session.send(pdu.response({ command_status: 0x03 }))
  }

  /** The session is over: every submit without an answer is lost, and the next session is prepared. */
  #lost(why: string): void {
    this.#session = null
    const wasBound = this.#bound
    this.#bound = false
    this.#firstUntil = null
    this.#cancelTimers()
    for (const answer of [...this.#unanswered]) answer({ kind: 'lost', problem: `the connection to the carrier was lost: ${why}` })
    if (this.#stopping) return
    const { settings, clock, log } = this.#options
    const sentence = `channel ${settings.id} is not connected to ${settings.host}: ${why}`
    if (wasBound || this.#tries === 0) log.warn(sentence)
    this.#problem = `it is not connected: ${why}`
    const { smppFirstPauseMs, smppLongestPauseMs } = LIMITS.channels
    const pause = Math.min(smppFirstPauseMs * 2 ** this.#tries++, smppLongestPauseMs)
    this.#timers.push(clock.after(pause * (0.5 + this.#random.next() / 2), () => this.#connect()))
  }

  #cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers = []
  }
}
