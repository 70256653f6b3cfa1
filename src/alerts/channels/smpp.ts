// SMS over SMPP 3.4 with a carrier of one's own: long texts in parts, receipts part by part, replies as answers.

import { crc32 } from 'node:zlib'
import { pause } from '../../platform/clock.ts'
import { LIMITS } from '../../platform/limits.ts'
import { doubtful, failed, refused } from './answers.ts'
import type { Channel, ChannelListener, ChannelReceipt, OutgoingMessage, SendOutcome } from './channel.ts'
import type { ChannelGround } from './ground.ts'
import { carrierNumber, phoneNumber } from './phone.ts'
import type { SmppSettings } from './settings.ts'
import { SmppLink, type SubmitAnswer } from './smppLink.ts'
import { messageId, PartReceipts, partReceipt, Replies } from './smppReceipts.ts'
import { partPlace, type SmsPart, smsParts } from './smppText.ts'
import { textWithAnswers } from './texts.ts'
import { Turns } from './turns.ts'

/** Statuses that say "too fast": ESME_RMSGQFUL, ESME_RTHROTTLED. */
const THROTTLED = new Set([0x14, 0x58])
/** ESME_RINVDSTADR: no carrier reaches this number. */
const BAD_RECIPIENT = 0x0b
/** Statuses that say "never like this": lengths, addresses, classes, codings, ESME_RX_P_APPN, ESME_RPROHIBITED. */
const PERMANENT = new Set([0x01, 0x0a, 0x0b, 0x15, 0x43, 0x48, 0x49, 0x50, 0x51, 0x65, 0x101, 0x104])
const UDH_INDICATOR = 0x40
const RECEIPT_TYPES = 0x3c
const IS_RECEIPT = 0x04

type Pdu = Parameters<ConstructorParameters<typeof SmppLink>[0]['delivered']>[0]

export class Smpp implements Channel {
  readonly id: string
  readonly kind = 'sms'
  readonly perSecond: number | null
  readonly receipts = true
  readonly #settings: SmppSettings
  readonly #ground: ChannelGround
  readonly #link: SmppLink
  readonly #turns: Turns
  readonly #partReceipts: PartReceipts
  readonly #replies = new Replies()
  #listener: ChannelListener | null = null
  #submitting = 0

  constructor(settings: SmppSettings, ground: ChannelGround) {
    this.#settings = settings
    this.#ground = ground
    this.id = settings.id
    this.perSecond = settings.perSecond
    this.#turns = new Turns(settings.window)
    this.#partReceipts = new PartReceipts(settings.receiptIds)
    this.#link = new SmppLink({ settings, clock: ground.clock, log: ground.log, ca: ground.ca, delivered: (pdu) => this.#delivered(pdu) })
  }

  get problem(): string | null {
    return this.#link.problem
  }

  get starting(): boolean {
    return this.#link.starting
  }

  async start(listener: ChannelListener): Promise<void> {
    this.#listener = listener
    this.#link.start()
  }

  stop(): Promise<void> {
    return this.#link.stop()
  }

  async send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const number = phoneNumber(message.to)
    if (number === null) return refused('the address is not a phone number', 'recipient')
    const { referenceBits, maxParts, answers } = this.#settings
    // From the id: parts of a second try complete those of the first on the phone.
    const reference = crc32(message.id) & (referenceBits === 8 ? 0xff : 0xffff)
    const inParts = (text: string, most: number) => smsParts(text, reference, referenceBits, most)
    const text = textWithAnswers(message, answers, (whole) => inParts(whole, Number.POSITIVE_INFINITY).length <= maxParts)
    const parts = inParts(text, maxParts)
    const ids: string[] = []
    this.#submitting++
    try {
      for (const part of parts) {
        const answer = await this.#submitPart(number, part, crc32(message.id) & 0xffff, ids.length > 0, signal)
        if (answer.kind !== 'answered' || answer.status !== 0) return outcomeOf(answer)
        ids.push(answer.messageId)
      }
      const early = this.#partReceipts.expect(ids)
      // After the caller has heard that it was accepted, not before.
      if (early !== null) this.#ground.clock.after(0, () => this.#tell(early))
      return { kind: 'accepted', providerId: ids[0] ? messageId(ids[0]) : null }
    } finally {
      if (--this.#submitting === 0) for (const receipt of this.#partReceipts.leftOver()) this.#tell(receipt)
    }
  }

  /** A further part of a text of which a part was taken is tried again here where the carrier says "too fast". */
  async #submitPart(number: string, part: SmsPart, own: number, further: boolean, signal: AbortSignal): Promise<SubmitAnswer> {
    for (let tries = 1; ; tries++) {
      if (!(await this.#turns.take(signal))) return { kind: 'unsent', problem: 'it was given up before it was sent' }
      const answer = await this.#link.submit(this.#fields(number, part, own)).finally(() => this.#turns.give())
      const again = answer.kind === 'answered' && THROTTLED.has(answer.status) && further && tries < LIMITS.channels.smppPartTries
      if (!again || signal.aborted) return answer
      await pause(this.#ground.clock, LIMITS.channels.smppFirstPauseMs * tries)
    }
  }

  #fields(number: string, part: SmsPart, own: number): Record<string, unknown> {
    const { source, numbers, countryCode } = this.#settings
    const digits = number.slice(1)
    const national = numbers === 'national' && digits.startsWith(countryCode)
    return {
      // A name is alphanumeric (5), a long number international (1), a short code of the network (3).
      source_addr_ton: /\D/.test(source) ? 5 : source.length > 8 ? 1 : 3,
      source_addr_npi: /\D/.test(source) ? 0 : 1,
      source_addr: source,
      dest_addr_ton: national ? 2 : 1,
      dest_addr_npi: 1,
      destination_addr: national ? digits.slice(countryCode.length) : digits,
      registered_delivery: 1,
      esm_class: part.header === null ? 0 : UDH_INDICATOR,
      data_coding: part.dataCoding,
      user_message_reference: own,
      short_message: part.header === null ? part.body : Buffer.concat([part.header, part.body])
    }
  }

  /** A receipt that the carrier has its answer for already. */
  #tell(receipt: ChannelReceipt): void {
    this.#listener?.receipt(receipt).catch(() => {})
  }

  async #delivered(pdu: Pdu): Promise<void> {
    const content = pdu.short_message?.message?.length ? pdu.short_message : (pdu.message_payload ?? pdu.short_message)
    const raw = content?.message ?? ''
    const text = typeof raw === 'string' ? raw : raw.toString('latin1')
    if (((pdu.esm_class ?? 0) & RECEIPT_TYPES) === IS_RECEIPT || pdu.receipted_message_id !== undefined) {
      const part = partReceipt(text, pdu.receipted_message_id, pdu.message_state)
      const receipt = part === null ? null : this.#partReceipts.take(part, this.#submitting > 0)
      if (receipt !== null) await this.#listener?.receipt(receipt)
      return
    }
    const from = carrierNumber(pdu.source_addr ?? '')
    const reply = this.#replies.take(from, text, partPlace(content?.udh ?? []) ?? sarPlace(pdu))
    if (reply !== null) await this.#listener?.answer({ from, text: reply, providerId: null })
  }
}

/** Parts joined by parameters instead of a header. */
function sarPlace({
  sar_msg_ref_num: reference,
  sar_total_segments: total,
  sar_segment_seqnum: number
}: Pdu): ReturnType<typeof partPlace> {
  if (reference === undefined || total === undefined || number === undefined) return null
  return total > 1 && number >= 1 && number <= total ? { reference, total, number } : null
}

function outcomeOf(answer: SubmitAnswer): SendOutcome {
  switch (answer.kind) {
    case 'unsent':
      return failed(answer.problem)
    case 'lost':
      return doubtful(answer.problem)
    case 'answered': {
      const { status } = answer
      const sentence = `the carrier answered with status 0x${status.toString(16).padStart(2, '0')}`
      if (THROTTLED.has(status)) return failed(`${sentence}: too fast`, LIMITS.channels.throttledMs)
      return PERMANENT.has(status) ? refused(sentence, status === BAD_RECIPIENT ? 'recipient' : 'provider') : failed(sentence)
    }
  }
}
