// What is done to each part, in turn. A fault breaks something, and `mend` makes it whole again; what it could not do it says.

import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Killable } from '../behaviour/backEnds.ts'
import type { TcpProxy } from '../services/tcpProxy.ts'
import type { Town } from './town.ts'

export interface Fault {
  readonly part: 'service' | 'standby' | 'postgres' | 'redis' | 'influx' | 'mosquitto' | 'carrier'
  readonly how: string
  /** How long it lasts, ms. */
  readonly lastsMs: number
  /** Whether alarms may wait for its end: the service itself, its state, or the way in is gone. */
  readonly holdsAlarms: boolean
  /** Only once, after all others. */
  readonly isLast?: boolean
  begin(): Promise<void> | void
  mend(): Promise<void> | void
}

export interface Left {
  readonly what: string
  readonly why: string
}

/** Every fault that can be done here, and what cannot and why. */
export function faultsOf(town: Town, standby: string | null): { faults: Fault[]; left: Left[] } {
  const left: Left[] = []
  const faults = [...ofService(town), ...ofPostgres(town), ...ofRedis(town), ...ofInflux(town), ...ofMosquitto(town), ...ofCarrier(town)]
  if (standby === null) faults.push(takeOver(town))
  else left.push({ what: 'take-over by a standby', why: standby })
  for (const part of ['service', 'influx'] as const) {
    const disk = town.disks.get(part)
    if (disk === undefined) left.push({ what: `${part}: disk full`, why: 'no small disk (tmpfs) can be mounted here' })
    else faults.push(full(town, part, disk.folder))
  }
  left.push({ what: 'redis: disk full', why: 'this Redis keeps nothing on disk' })
  left.push({
    what: 'postgres, mosquitto: disk full',
    why: 'their helpers choose their own folder; a full disk of theirs is a crash, which is among the kills'
  })
  return { faults, left }
}

function ofService(town: Town): Fault[] {
  const one = () => [...town.services.values()][0]
  return [
    {
      ...{ part: 'service', how: 'kill -9', lastsMs: 500, holdsAlarms: true },
      begin: () => one()?.kill(),
      mend: async () => void (await town.startService([...town.services.keys()][0] as string))
    },
    {
      ...{ part: 'service', how: 'SIGSTOP', lastsMs: 3_000, holdsAlarms: true },
      begin: () => void process.kill(one()?.pid as number, 'SIGSTOP'),
      mend: () => void process.kill(one()?.pid as number, 'SIGCONT')
    },
    {
      ...{ part: 'service', how: 'SIGTERM', lastsMs: 200, holdsAlarms: true },
      begin: async () => void (await one()?.stop()),
      mend: async () => void (await town.startService([...town.services.keys()][0] as string))
    }
  ]
}

/** The one that serves dies and stays away until the other has taken over; then it stands by. */
function takeOver(town: Town): Fault {
  let dead = ''
  return {
    ...{ part: 'standby', how: 'take-over', lastsMs: 9_000, holdsAlarms: true },
    begin: async () => {
      dead = await town.serving()
      await town.services.get(dead)?.kill()
    },
    mend: async () => void (await town.startService(dead))
  }
}

function ofPostgres(town: Town): Fault[] {
  const start = async (): Promise<void> => {
    await town.postgres.start()
    await town.postgresStarted()
  }
  const outage = { part: 'postgres', holdsAlarms: true } as const
  return [
    { ...outage, how: 'kill -9', lastsMs: 1_500, begin: () => town.postgres.stop('kill'), mend: start },
    { ...outage, how: 'SIGSTOP', lastsMs: 3_000, ...stalling((still) => town.stall('postgres', still)) },
    { ...outage, how: 'connections cut', lastsMs: 1_000, ...cutting(() => town.postgresProxy) }
  ]
}

function ofRedis(town: Town): Fault[] {
  const outage = { part: 'redis', holdsAlarms: false } as const
  return [
    { ...outage, how: 'kill -9', lastsMs: 2_000, ...killing(() => town.redis) },
    { ...outage, how: 'SIGSTOP', lastsMs: 4_000, ...stalling((still) => town.redis.stall(still)) },
    { ...outage, how: 'connections cut', lastsMs: 2_000, ...cutting(() => town.redisProxy) },
    { ...outage, how: 'flushed', lastsMs: 100, begin: () => town.redis.flush(), mend: () => {} }
  ]
}

function ofInflux(town: Town): Fault[] {
  const outage = { part: 'influx', holdsAlarms: false } as const
  return [
    { ...outage, how: 'kill -9', lastsMs: 3_000, ...killing(() => town.influx) },
    { ...outage, how: 'SIGSTOP', lastsMs: 4_000, ...stalling((still) => town.stall('influx', still)) },
    { ...outage, how: 'connections cut', lastsMs: 2_000, ...cutting(() => town.influx.proxy) }
  ]
}

function ofMosquitto(town: Town): Fault[] {
  const outage = { part: 'mosquitto', holdsAlarms: true } as const
  return [
    { ...outage, how: 'kill -9', lastsMs: 1_500, ...killing(() => town.mosquitto) },
    { ...outage, how: 'SIGSTOP', lastsMs: 3_000, ...stalling((still) => town.stall('mosquitto', still)) },
    { ...outage, how: 'connections cut', lastsMs: 2_000, ...cutting(() => town.mosquitto.proxy) }
  ]
}

function ofCarrier(town: Town): Fault[] {
  const treating = (treatment: 'broken' | 'silent' | 'throttled', how: string): Fault => ({
    ...{ part: 'carrier', how, lastsMs: 3_000, holdsAlarms: false },
    begin: () => {
      town.treat = () => treatment
    },
    mend: () => {
      town.treat = () => 'taken'
    }
  })
  return [treating('broken', 'breaks off'), treating('silent', 'does not answer'), treating('throttled', 'too busy')]
}

type Deed = Pick<Fault, 'begin' | 'mend'>

function killing(server: () => Killable): Deed {
  return { begin: () => server().kill(), mend: () => server().restart() }
}

function stalling(stall: (still: boolean) => void): Deed {
  return { begin: () => stall(true), mend: () => stall(false) }
}

function cutting(proxy: () => TcpProxy): Deed {
  return {
    begin() {
      proxy().mode = 'refuse'
      proxy().cut()
    },
    mend() {
      proxy().mode = 'pass'
    }
  }
}

function full(town: Town, part: 'service' | 'influx', folder: string): Fault {
  const file = path.join(folder, 'filler')
  return {
    ...{ part, how: 'disk full', lastsMs: 3_000, holdsAlarms: part === 'service' },
    begin() {
      for (const size of [16 << 20, 1 << 20, 4096]) {
        const block = Buffer.alloc(size)
        try {
          for (;;) writeFileSync(file, block, { flag: 'a' })
        } catch {
          // Full, as far as blocks of this size go.
        }
      }
    },
    // An InfluxDB of 1.x wants a restart then, and its torn log no further kill: docs/history-influx.md.
    isLast: part === 'influx',
    async mend() {
      if (part === 'influx') await town.influx.kill()
      rmSync(file, { force: true })
      if (part === 'influx') await town.influx.restart()
    }
  }
}
