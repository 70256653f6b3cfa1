// A small plant, and alarm events on it, for the tests of the book.

import { Desk } from '../../src/alerts/desk.ts'
import type { AlarmEvent, DeskEvent, OperatorActionKind } from '../../src/model/alarm.ts'
import { type Fleet, numberFleet } from '../../src/model/fleet.ts'
import type { Reject } from '../../src/model/journal.ts'
import type { Device } from '../../src/model/plant.ts'
import type { Scope } from '../../src/model/scope.ts'
import type { Level } from '../../src/model/tier.ts'

const text = (name: string): { zh: string; en: string } => ({ zh: name, en: name })

function device(id: string, given: Partial<Device>): Device {
  return { id, name: text(id), profile: 'tank', gateway: null, area: null, site: null, enterprise: null, labels: {}, limits: {}, ...given }
}

/** T-1, T-2 in area bund of site farm of enterprise daxie; S-1 on site street of enterprise ward; G-1 known by its gateway only; X-1 nowhere. */
export const YARD: Fleet = numberFleet({
  hash: 'yard',
  enterprises: [
    { id: 'daxie', name: text('daxie') },
    { id: 'ward', name: text('ward') }
  ],
  sites: [
    { id: 'farm', enterprise: 'daxie', name: text('farm'), lat: null, lon: null },
    { id: 'street', enterprise: 'ward', name: text('street'), lat: null, lon: null }
  ],
  areas: [{ id: 'bund', site: 'farm', name: text('bund') }],
  gateways: [{ id: 'gw', enterprise: 'ward', name: text('gw'), secret: null }],
  profiles: [{ id: 'tank', name: text('tank'), metrics: [], limits: {}, silentAfterMs: 90_000, source: null }],
  devices: [
    device('T-1', { area: 'bund' }),
    device('T-2', { area: 'bund' }),
    device('S-1', { site: 'street' }),
    device('G-1', { gateway: 'gw' }),
    device('X-1', {})
  ],
  rules: []
})

/** The scope of these enterprises. */
export function of(...enterprises: string[]): Scope {
  return { enterprises, sites: null }
}

/** The same plant after the devices were taken out of it. */
export const BARE_YARD: Fleet = numberFleet({ ...YARD.plant, hash: 'bare', devices: [] })

/** A transition of the alarm `subject#raisedAt` of rule `level`; `area:NAME` stands for an area. */
export function turn(subject: string, raisedAt: number, at: number, from: Level, to: Level, because = `${from}>${to}`): AlarmEvent {
  const area = subject.startsWith('area:') ? subject.slice(5) : null
  const name = area ?? subject
  return {
    kind: 'transition',
    at,
    rule: 'level',
    device: area === null ? name : null,
    area,
    from,
    to,
    id: `level/${name}#${raisedAt}`,
    because
  }
}

export function act(id: string, at: number, action: OperatorActionKind, by = 'li', note: string | null = null): AlarmEvent {
  return { kind: 'action', at, id, action, by, note }
}

export function reject(seq: number, gateway = 'gw'): Reject {
  return { at: seq * 10, seq, gateway, topic: `fh/1/${gateway}/telemetry`, device: null, problem: `wrong ${seq}`, excerpt: '{' }
}

/** What the desk makes of these events, one after the other; a reset moves its alarm where the next event is a turn of it. */
export function happenings(events: readonly AlarmEvent[], desk = new Desk(YARD)): DeskEvent[] {
  const out: DeskEvent[] = []
  for (const [place, event] of events.entries()) {
    const next = events[place + 1]
    if (event.kind === 'transition') desk.take([event], [], event.at, out)
    else desk.act(event, event.by, event.at, next?.kind === 'transition' && next.id === event.id, out)
  }
  return out
}
