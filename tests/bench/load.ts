// The load generator, a process of its own: `node load.ts '{…job…}'` prints one line of JSON with what it measured.

import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connectFrame, PublishFrame } from './frames.ts'

/** Full speed with a window per client, or a fixed rate with alarms whose way to SSE is timed. */
export interface Job {
  readonly mqttPort: number
  readonly clients: number
  readonly devicesPerClient: number
  readonly samplesPerMessage: number
  readonly seconds: number
  /** Messages in flight per client; with `rate` it is not used. */
  readonly window: number
  /** Messages per second over all clients; null: as fast as acknowledgements come back. */
  readonly rate: number | null
  readonly live: { readonly url: string; readonly cookie: string } | null
}

export interface Figures {
  readonly acknowledged: number
  readonly seconds: number
  /** Milliseconds from publish to the SSE line, sorted. */
  readonly latencies: readonly number[]
  readonly alarmsSent: number
}

const NORMAL = 50
const HIGH = 90
const ALARMS_PER_SECOND = 50

class Client {
  readonly frames: PublishFrame[] = []
  readonly #socket: Socket
  #packetId = 0
  #next = 0
  #ts: number
  acknowledged = 0
  sent = 0
  onAck: (count: number) => void = () => {}
  #partial = 0

  constructor(socket: Socket, gateway: string, job: Job) {
    this.#socket = socket
    this.#ts = Date.now() - 600_000
    const ids = Array.from({ length: job.devicesPerClient }, (_, d) => `${gateway}-${d}`)
    for (let from = 0; from + job.samplesPerMessage <= ids.length; from += job.samplesPerMessage) {
      this.frames.push(new PublishFrame(`fh/1/${gateway}/telemetry`, ids.slice(from, from + job.samplesPerMessage)))
    }
    socket.on('data', (data) => {
      // Nothing but PUBACKs of four bytes comes back.
      this.#partial += data.length
      const count = this.#partial >> 2
      this.#partial &= 3
      this.acknowledged += count
      this.onAck(count)
    })
  }

  /** Sends the next messages in one write. */
  send(count: number): void {
    const chunks: Buffer[] = []
    for (let i = 0; i < count; i++) {
      if (this.#next === this.frames.length) {
        this.#next = 0
        this.#ts++
      }
      this.#packetId = (this.#packetId % 65_535) + 1
      chunks.push(Buffer.from(this.frames[this.#next++]!.patch(this.#packetId, this.#ts, NORMAL + (this.#packetId % 20))))
    }
    this.sent += count
    this.#socket.write(Buffer.concat(chunks))
  }

  /** Sends one message of one device, at the present, with the value given. */
  sendAlarm(frame: PublishFrame, value: number): void {
    this.#packetId = (this.#packetId % 65_535) + 1
    this.sent++
    this.#socket.write(Buffer.from(frame.patch(this.#packetId, Date.now(), value)))
  }

  end(): void {
    this.#socket.destroy()
  }
}

async function open(job: Job, index: number): Promise<Client> {
  const gateway = `bench-${index}`
  const socket = connect(job.mqttPort, '127.0.0.1')
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  socket.write(connectFrame(gateway, gateway, 'bench-secret'))
  const connack = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
  if (connack[3] !== 0) throw new Error(`the broker refused ${gateway} with ${connack[3]}`)
  return new Client(socket, gateway, job)
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function fullSpeed(clients: readonly Client[], job: Job): Promise<Figures> {
  let running = true
  for (const client of clients) {
    client.onAck = (count) => {
      if (running) client.send(count)
    }
    client.send(job.window)
  }
  await later(1_500)
  const before = clients.reduce((sum, client) => sum + client.acknowledged, 0)
  const startedAt = performance.now()
  await later(job.seconds * 1000)
  const acknowledged = clients.reduce((sum, client) => sum + client.acknowledged, 0) - before
  const seconds = (performance.now() - startedAt) / 1000
  running = false
  return { acknowledged, seconds, latencies: [], alarmsSent: 0 }
}

/** Listens to the live stream; `heard` gets each alarm event's device and new level. */
function listen(live: NonNullable<Job['live']>, heard: (device: string, to: string) => void): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const request = get(live.url, { headers: { cookie: live.cookie, accept: 'text/event-stream' } }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`the live stream answered ${response.statusCode}`))
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop()!
        for (const line of lines) {
          const event = /"device":"([^"]+)","from":"[a-z]+","to":"([a-z]+)"/.exec(line)
          if (line.startsWith('data:') && event !== null) heard(event[1]!, event[2]!)
        }
      })
      response.on('error', () => {})
      resolve(() => request.destroy())
    })
    request.on('error', reject)
  })
}

async function atRate(clients: readonly Client[], job: Job): Promise<Figures> {
  const sentAt = new Map<string, number>()
  const latencies: number[] = []
  const stop = await listen(job.live!, (device, to) => {
    const at = sentAt.get(`${device} ${to}`)
    if (at === undefined) return
    latencies.push(performance.now() - at)
    sentAt.delete(`${device} ${to}`)
  })
  const alarmFrames = clients.map((_, index) => new PublishFrame(`fh/1/bench-${index}/telemetry`, [`bench-${index}-alarm`]))
  const startedAt = performance.now()
  let sent = 0
  let alarms = 0
  const endAt = startedAt + job.seconds * 1000
  while (performance.now() < endAt) {
    const elapsed = (performance.now() - startedAt) / 1000
    while (alarms < elapsed * ALARMS_PER_SECOND) {
      const index = alarms % clients.length
      const raising = Math.floor(alarms / clients.length) % 2 === 0
      sentAt.set(`bench-${index}-alarm ${raising ? 'yellow' : 'clear'}`, performance.now())
      clients[index]!.sendAlarm(alarmFrames[index]!, raising ? HIGH : NORMAL)
      alarms++
    }
    const due = Math.floor(elapsed * job.rate!) - sent
    for (const client of clients) {
      const share = Math.ceil(due / clients.length)
      if (share > 0) client.send(share)
      sent += Math.max(0, share)
    }
    await later(2)
  }
  const seconds = (performance.now() - startedAt) / 1000
  await later(500)
  stop()
  latencies.sort((a, b) => a - b)
  return { acknowledged: clients.reduce((sum, client) => sum + client.acknowledged, 0), seconds, latencies, alarmsSent: alarms }
}

const job = JSON.parse(process.argv[2]!) as Job
const clients = await Promise.all(Array.from({ length: job.clients }, (_, index) => open(job, index)))
const figures = job.rate === null ? await fullSpeed(clients, job) : await atRate(clients, job)
console.log(JSON.stringify(figures))
for (const client of clients) client.end()
process.exit(0)
