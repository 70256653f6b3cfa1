// What the tests of channels share: a message, a ground to stand on, and a small HTTP server that says what it is told to.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'
import type { ChannelAnswer, ChannelListener, ChannelReceipt, OutgoingMessage, SendOutcome } from '../../../src/alerts/channels/channel.ts'
import type { ChannelGround } from '../../../src/alerts/channels/ground.ts'
import { Outgoing } from '../../../src/alerts/channels/outgoing.ts'
import { type Clock, SystemClock } from '../../../src/platform/clock.ts'
import { silentLog } from '../../../src/platform/log.ts'

export const MESSAGE: OutgoingMessage = {
  id: 'tank-level/T-101#1767225605000/raised/1/li/sms',
  to: '13800000001',
  title: '红色报警 储罐液位',
  text: 'A 罐区 T-101 甲醇储罐：储罐液位 红色，level_pct 95.2 > 95，请立即停止进料',
  words: { where: 'A 罐区 T-101', what: '储罐液位 红色', howMuch: 'level_pct 95.2 > 95', toDo: '立即停止进料', when: '08:00:05' },
  language: 'zh',
  tier: 'red',
  reason: 'raised',
  drill: false,
  ackUrl: null,
  body: null
}

export const GO_ON = new AbortController().signal

const closing: (() => Promise<void> | void)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

/** Closed after the tests of the file. */
export function later(close: () => Promise<void> | void): void {
  closing.push(close)
}

export function groundOf(options: { clock?: Clock; allowPrivate?: readonly string[]; ca?: string } = {}): ChannelGround {
  const clock = options.clock ?? new SystemClock()
  const ca = options.ca ?? null
  const outgoing = new Outgoing({ clock, allowPrivate: options.allowPrivate ?? ['127.0.0.1'], ca })
  later(() => outgoing.close())
  return { clock, log: silentLog, outgoing, ca }
}

export interface Arrived {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Endpoint {
  readonly url: string
  readonly arrived: Arrived[]
  /** How the next requests are answered: status and body, or as the function pleases. */
  answer:
    | { status: number; body: string; headers?: Record<string, string> }
    | ((response: ServerResponse, request: IncomingMessage) => void)
}

/** An HTTP server on the loopback that keeps what arrives. */
export async function endpoint(): Promise<Endpoint> {
  const arrived: Arrived[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url = '', headers } = request
    arrived.push({ method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') })
    const { answer } = here
    if (typeof answer === 'function') return answer(response, request)
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const here: Endpoint = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    answer: { status: 200, body: '{}' }
  }
  later(() => {
    server.closeAllConnections()
    server.close()
  })
  return here
}

/** A listener that keeps what it hears. */
export function ear(): ChannelListener & { readonly receipts: ChannelReceipt[]; readonly answers: ChannelAnswer[] } {
  const receipts: ChannelReceipt[] = []
  const answers: ChannelAnswer[] = []
  const keep = {
    receipt: async (one: ChannelReceipt) => void receipts.push(one),
    answer: async (one: ChannelAnswer) => void answers.push(one)
  }
  return { receipts, answers, ...keep }
}

/** What a send came to; of a refusal also what it lies in. */
export function kindOf(outcome: SendOutcome): string {
  return outcome.kind === 'refused' ? `refused: ${outcome.about}` : outcome.kind
}
