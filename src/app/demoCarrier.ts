// The demo's telephone company: a carrier on this machine that takes short messages and calls instead of a real one. Nothing
// leaves the machine; what would have reached somebody is printed, marked as a demonstration.

import { Carrier, type LedgerEntry } from '../../simulators/carrier/carrier.ts'
import type { ChannelSettings } from '../alerts/channels/settings.ts'
import type { Person } from '../model/duty.ts'
import type { Clock } from '../platform/clock.ts'
import { Secret } from '../platform/secret.ts'
import type { Config } from './config/service.ts'

const RECEIPT_MS = 1_500
/** Long texts of which a part is missing so far. */
const UNFINISHED = 100

export class DemoCarrier {
  readonly #carrier: Carrier
  readonly #print: (line: string) => void
  #people: readonly Person[] = []
  readonly #parts = new Map<string, string[]>()

  constructor(clock: Clock, print: (line: string) => void) {
    this.#print = print
    this.#carrier = new Carrier({ clock, receiptAfterMs: RECEIPT_MS, onEntry: (entry) => this.#arrived(entry) })
  }

  /** Starts it; answers the configuration in which everything that would go out goes to it. */
  async start(config: Config, people: readonly Person[]): Promise<Config> {
    this.#people = people
    await this.#carrier.start()
    return { ...config, channels: [this.#sms(), this.#voice()], outgoing: { ...config.outgoing, allowPrivate: ['127.0.0.1'] } }
  }

  stop(): Promise<void> {
    return this.#carrier.stop()
  }

  #sms(): ChannelSettings {
    return {
      ...{ id: 'demo-sms', kind: 'sms', provider: 'smpp', perSecond: 50, host: '127.0.0.1', port: this.#carrier.smppPort, tls: false },
      ...{ systemId: 'demo', password: new Secret('demo'), systemType: '', source: '10690000', numbers: 'digits', countryCode: '86' },
      ...{ window: 10, referenceBits: 8, receiptIds: 'auto', maxParts: 4, enquireLinkMs: 30_000, answers: true }
    }
  }

  #voice(): ChannelSettings {
    const variables = [{ name: 'text', word: 'text' }] as const
    return {
      ...{
        id: 'demo-voice',
        kind: 'voice',
        provider: 'aliyun',
        perSecond: 10,
        endpoint: this.#carrier.url,
        showNumber: null,
        playTimes: 1
      },
      ...{ accessKeyId: new Secret('demo'), accessKeySecret: new Secret('demo'), variableLength: 1_000, callbackSecret: null },
      templates: [{ code: 'DEMO', language: 'zh', reasons: null, variables }]
    }
  }

  #arrived(entry: LedgerEntry): void {
    const { way, to, part } = entry
    const text = way === 'aliyun' ? spoken(entry.text) : entry.text
    if (part === null) {
      this.#told(way, to, text)
      return
    }
    const key = `${to} ${part.reference}`
    const parts = this.#parts.get(key) ?? []
    parts[part.number - 1] = text
    this.#parts.set(key, parts)
    for (const oldest of this.#parts.keys()) {
      if (this.#parts.size <= UNFINISHED) break
      this.#parts.delete(oldest)
    }
    if (parts.filter((one) => one !== undefined).length < part.total) return
    this.#parts.delete(key)
    this.#told(way, to, parts.join(''))
  }

  #told(way: LedgerEntry['way'], to: string, text: string): void {
    // However the ways spell a number, its end is the same.
    const digits = (number: string): string => number.replaceAll(/\D/g, '').slice(-8)
    const person = this.#people.find(({ addresses }) => digits(addresses.sms ?? addresses.voice ?? '-') === digits(to))
    this.#print(`[demo, nothing is sent] ${way === 'smpp' ? 'SMS' : 'call'} to ${person?.id ?? to}: ${text.replaceAll(/\s*\n/g, ' | ')}`)
  }
}

function spoken(parameters: string): string {
  try {
    return String((JSON.parse(parameters) as { text?: unknown }).text ?? parameters)
  } catch {
    return parameters
  }
}
