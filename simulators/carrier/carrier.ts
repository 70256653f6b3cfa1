// A carrier in place of the real ones: an SMPP server and an HTTP endpoint that speak the providers' own protocols and keep a
// ledger of everything they took. Invariant: what is in the ledger was answered as taken, or left without an answer on purpose.

import { createServer as createHttpServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import smpp, { type PDU, type Session, type Server as SmppServer } from 'smpp'
import type { Clock } from '../../src/platform/clock.ts'
import { answerAsProvider } from './providers.ts'

/** One message (over SMPP: one part of a message) that arrived. */
export interface LedgerEntry {
  /** 1, 2, 3 … in the order of arrival; over SMPP also the id that the carrier gives, in hexadecimal. */
  readonly number: number
  /** Epoch ms of the clock. */
  readonly at: number
  readonly way: 'smpp' | 'webhook' | 'aliyun' | 'tencent' | 'twilio' | 'dingtalk' | 'feishu' | 'wecom'
  readonly to: string
  readonly text: string
  /** The sender's own name for it, the same at every try: webhook-id, OutId, SessionContext; over SMPP the user_message_reference. */
  readonly reference: string
  /** Over SMPP: the part of a longer text; null for a whole one. */
  readonly part: { readonly reference: number; readonly total: number; readonly number: number } | null
  /** What was answered. */
  readonly outcome: 'taken' | 'throttled' | 'refused' | 'broken' | 'silent'
}

/**
 * How the next message is treated: taken; "too fast"; refused for good; the connection is cut after it arrived; no answer at all.
 */
export type Treatment = LedgerEntry['outcome']

export interface CarrierOptions {
  readonly clock: Clock
  readonly host?: string
  /** 0: any free one. */
  readonly smppPort?: number
  readonly httpPort?: number
  /** Default: everything is taken. */
  readonly treat?: (message: Pick<LedgerEntry, 'way' | 'to' | 'text' | 'number'>) => Treatment
  /** After how long a receipt says "delivered" over SMPP; null: none does. Default at once. */
  readonly receiptAfterMs?: number | null
  /** What receipts say. Default DELIVRD. */
  readonly receiptState?: (entry: LedgerEntry) => 'DELIVRD' | 'UNDELIV' | 'EXPIRED' | 'REJECTD' | 'ENROUTE'
  /** How receipts spell ids. Default as in the answer. */
  readonly receiptIds?: 'same' | 'decimal'
  /** Default: any. */
  readonly password?: string
  readonly onEntry?: (entry: LedgerEntry) => void
}

const STATUS: Readonly<Record<Treatment, number>> = { taken: 0, throttled: 0x58, refused: 0x0b, broken: 0, silent: 0 }
const NO_DATA = Buffer.alloc(0)

export class Carrier {
  readonly ledger: LedgerEntry[] = []
  /** Sessions that said goodbye. */
  unbound = 0
  readonly #options: CarrierOptions
  readonly #sessions = new Set<Session>()
  #smpp: SmppServer | null = null
  #http: HttpServer | null = null
  #arrived = 0

  constructor(options: CarrierOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { host = '127.0.0.1', smppPort = 0, httpPort = 0 } = this.#options
    this.#smpp = smpp.createServer({}, (session) => this.#serve(session))
    this.#http = createHttpServer((request, response) => void this.#request(request, response))
    await listening(this.#smpp, smppPort, host)
    await listening(this.#http, httpPort, host)
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions) session.destroy()
    this.#http?.closeAllConnections()
    await Promise.all([this.#smpp, this.#http].map((server) => server !== null && new Promise((done) => server.close(done))))
  }

  get smppPort(): number {
    return ((this.#smpp as SmppServer).address() as AddressInfo).port
  }

  /** Origin of the HTTP endpoint: `/webhook`, and the paths of the providers. */
  get url(): string {
    const { address, port } = (this.#http as HttpServer).address() as AddressInfo
    return `http://${address}:${port}`
  }

  /** Bound sessions. */
  get bound(): number {
    return this.#sessions.size
  }

  /** Cuts every SMPP session, as a carrier does when it restarts. */
  cut(): void {
    for (const session of this.#sessions) session.destroy()
  }

  /** A person replies by SMS. `coding` 8: UCS-2, 0: GSM. */
  reply(from: string, text: string, to = '10690000'): void {
    const coding = smpp.encodings.ASCII.match(text) ? 0 : 8
    const body = coding === 0 ? smpp.encodings.ASCII.encode(text) : smpp.encodings.UCS2.encode(text)
    this.deliver({ source_addr: from, destination_addr: to, data_coding: coding, short_message: body })
  }

  /** Delivers to one bound session. */
  deliver(fields: Record<string, unknown>): void {
    const [session] = this.#sessions
    session?.deliver_sm(fields)
  }

  #serve(session: Session): void {
    // A client that goes away in the middle is its own affair.
    session.on('error', () => session.destroy())
    session.on('close', () => this.#sessions.delete(session))
    session.on('bind_transceiver', (pdu: PDU) => {
      const { password } = this.#options
      if (password !== undefined && pdu.password !== password) {
        session.send(pdu.response({ command_status: 0x0e }))
        return session.close()
      }
      this.#sessions.add(session)
      session.send(pdu.response({ system_id: 'carrier' }))
    })
    session.on('enquire_link', (pdu: PDU) => session.send(pdu.response()))
    session.on('unbind', (pdu: PDU) => {
      this.unbound++
      session.send(pdu.response())
      session.close()
    })
    session.on('submit_sm', (pdu: PDU) => this.#submitted(session, pdu))
  }

  #submitted(session: Session, pdu: PDU): void {
    const message = pdu.short_message?.message ?? ''
    const text = typeof message === 'string' ? message : message.toString('latin1')
    const header = pdu.short_message?.udh?.[0] ?? NO_DATA
    const entry = this.#enter({
      way: 'smpp',
      to: pdu.destination_addr ?? '',
      text,
      reference: String(pdu.user_message_reference ?? ''),
      part:
        header.length === 5
          ? { reference: header[2] as number, total: header[3] as number, number: header[4] as number }
          : header.length === 6
            ? { reference: header.readUInt16BE(2), total: header[4] as number, number: header[5] as number }
            : null
    })
    if (entry.outcome === 'broken') session.destroy()
    if (entry.outcome === 'broken' || entry.outcome === 'silent') return
    const id = entry.number.toString(16).toUpperCase().padStart(8, '0')
    session.send(pdu.response({ command_status: STATUS[entry.outcome], message_id: id }))
    const { receiptAfterMs = 0, clock } = this.#options
    if (entry.outcome !== 'taken' || receiptAfterMs === null || pdu.registered_delivery !== 1) return
    clock.after(receiptAfterMs, () => this.#receipt(session, entry, pdu))
  }

  #receipt(session: Session, entry: LedgerEntry, pdu: PDU): void {
    if (session.socket.destroyed) return
    const { receiptIds, receiptState } = this.#options
    const id = receiptIds === 'decimal' ? String(entry.number) : entry.number.toString(16).toUpperCase().padStart(8, '0')
    const state = receiptState?.(entry) ?? 'DELIVRD'
    const time = new Date(entry.at).toISOString().replaceAll(/\D/g, '').slice(2, 12)
    const text = `id:${id} sub:001 dlvrd:001 submit date:${time} done date:${time} stat:${state} err:000 text:`
    session.deliver_sm({
      source_addr: pdu.destination_addr,
      destination_addr: pdu.source_addr,
      esm_class: 4,
      short_message: Buffer.from(text)
    })
  }

  async #request(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const said = answerAsProvider(request, body)
    const entry = this.#enter({ ...said.message, part: null })
    if (entry.outcome === 'silent') return
    if (entry.outcome === 'broken') return void request.socket.destroy()
    const answer = said.answers[entry.outcome](entry.number)
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    response.end(answer.body)
  }

  #enter(message: Omit<LedgerEntry, 'number' | 'at' | 'outcome'>): LedgerEntry {
    const number = ++this.#arrived
    const outcome = this.#options.treat?.({ ...message, number }) ?? 'taken'
    const entry = { number, at: this.#options.clock.now(), ...message, outcome }
    this.ledger.push(entry)
    this.#options.onEntry?.(entry)
    return entry
  }
}

function listening(server: HttpServer | SmppServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
}
