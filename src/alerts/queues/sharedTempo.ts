// One pace for all processes that send by a provider: a token bucket on Redis, kept by Redis' own clock. Who waits for something
// more severe goes first, whichever process that is. Where Redis does not answer, each process takes its share of the pace alone.

import type { Leave, LeaveRequest, Tempo } from '../tempo.ts'
import { BURST_MS } from '../tempo.ts'

/** Runs a script on the server. Throws where that does not answer, and does so soon. */
export type Evaluate = (script: string, keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>

const PREFIX = 'fenghuo:pace:'
/** Somebody's wish is remembered at least this long, so that a more severe message elsewhere is not overtaken between two asks. */
const WISH_MS = 200
const FORGET_MS = 60_000

/** `tat`: the instant of the next send by the pace; `wN`: until when, and whose, a wish of tier N stands. */
const BUCKET = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local every, most, tier, who = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local burst, wish = tonumber(ARGV[5]), tonumber(ARGV[6])
local tat = tonumber(redis.call('HGET', KEYS[1], 'tat') or '0')
if tat > now + every * 1000 then tat = now end
tat = math.max(tat, now - burst)
for higher = tier + 1, 4 do
  local stands = redis.call('HGET', KEYS[1], 'w' .. higher)
  if stands then
    local till, whose = string.match(stands, '^([%d.]+) (.*)$')
    if tonumber(till) > now and whose ~= who then
      return {0, tostring(math.max(1, math.min(wish, tonumber(till) - now)))}
    end
  end
end
local granted = 0
while granted < most and tat <= now do
  tat = tat + every
  granted = granted + 1
end
redis.call('HSET', KEYS[1], 'tat', string.format('%.3f', tat))
if granted == 0 then redis.call('HSET', KEYS[1], 'w' .. tier, string.format('%.3f %s', tat + math.max(wish, every), who)) end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
return {granted, tostring(math.max(0, tat - now))}
`

export interface SharedTempoParts {
  readonly evaluate: Evaluate
  /** Tells this process apart from the others. */
  readonly id: string
  /** Asked where the server does not answer. */
  readonly own: Tempo
}

export class SharedTempo implements Tempo {
  readonly #parts: SharedTempoParts

  constructor(parts: SharedTempoParts) {
    this.#parts = parts
  }

  async ask(request: LeaveRequest): Promise<Leave> {
    const { provider, perSecond, tier, most } = request
    const { evaluate, id, own } = this.#parts
    const args = [1000 / perSecond, most, tier, id, BURST_MS, WISH_MS, Math.max(FORGET_MS, Math.ceil(2000 / perSecond))]
    const answer = await evaluate(BUCKET, [PREFIX + provider], args).catch(() => null)
    const [granted, waitMs] = Array.isArray(answer) ? answer.map(Number) : []
    if (granted === undefined || waitMs === undefined || Number.isNaN(granted + waitMs)) return own.ask(request)
    return { granted, waitMs: granted > 0 ? 0 : waitMs }
  }
}
