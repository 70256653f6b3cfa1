// How a checked change comes into force. In this order, so that a crash between any two steps heals at the next start: the plant
// is kept under its hash, the change is committed with its audit record, the journal says from which record on it holds.

import type { Access } from '../../access/access.ts'
import type { AuditEntry } from '../../access/audit.ts'
import type { Journal } from '../../ingest/journal/journal.ts'
import type { Amendment } from '../../model/amendment.ts'
import type { Plant } from '../../model/plant.ts'
import type { Log } from '../../platform/log.ts'
import { Refusal } from '../../platform/problem.ts'
import type { Overlay } from '../config/amend.ts'
import { hashOfWritten } from '../config/amend.ts'
import type { PlantSource } from '../config/plantSource.ts'
import type { Loop } from '../loop.ts'
import type { MqttDoor } from '../mqttDoor.ts'
import type { Plants } from '../plants.ts'
import type { LeftOut } from './candidate.ts'

export interface ApplyParts {
  readonly access: Access
  readonly plants: Plants
  readonly journal: Pick<Journal, 'appended' | 'health'>
  readonly loop: Pick<Loop, 'pipeline' | 'settled'>
  readonly broker: Pick<MqttDoor, 'disconnectGateway'>
  readonly log: Log
}

/** What is in force: the files, and what was changed over them. Only `applyTo` changes it. */
export interface AmendedPlant {
  readonly source: PlantSource
  overlay: Overlay
  /** The newest change of each thing, by `kind id`. */
  readonly latest: Map<string, Amendment>
  /** With secrets. */
  plant: Plant
  leftOut: readonly LeftOut[]
}

export interface Amended {
  readonly amendments: readonly Amendment[]
  readonly overlay: Overlay
  readonly plant: Plant
}

/** More changes than this at once are audited as one import. */
const AUDITED_ONE_BY_ONE = 20

/** Puts the change in force; resolves once the loop judges by it. Answers a sentence where nothing can be changed at the moment. */
export async function applyTo(parts: ApplyParts, now: AmendedPlant, { amendments, overlay, plant }: Amended): Promise<string | null> {
  const { access, plants, journal, loop, broker, log } = parts
  const { problem } = journal.health()
  if (problem !== null) return problem
  try {
    await plants.keep(plant)
    await access.amendments.record(amendments, auditOf(amendments))
  } catch (cause) {
    if (cause instanceof Refusal) return cause.message
    throw cause
  }
  const inForce = now.plant.hash
  now.overlay = overlay
  now.plant = plant
  for (const amendment of amendments) now.latest.set(`${amendment.kind} ${amendment.id}`, amendment)
  const changed = new Set(amendments.map(({ kind, id }) => `${kind} ${id}`))
  now.leftOut = now.leftOut.filter(({ change }) => !changed.has(`${change.kind} ${change.id}`))
  access.setPlant(plant)
  for (const { kind, id, secret, after } of amendments) {
    if (kind === 'gateway' && (secret !== null || after === null)) broker.disconnectGateway(id)
  }
  if (plant.hash !== inForce) await loop.settled(await journal.appended('plant', plant.hash, new Uint8Array()))
  for (const { kind, id, version, by, op } of amendments.slice(0, AUDITED_ONE_BY_ONE))
    log.info(`${kind} ${id} version ${version}: ${op} by ${by}`)
  if (amendments.length > AUDITED_ONE_BY_ONE) log.info(`and ${amendments.length - AUDITED_ONE_BY_ONE} more changes`)
  return null
}

/** What the audit log says of them. */
export function auditOf(amendments: readonly Amendment[]): AuditEntry[] {
  if (amendments.length <= AUDITED_ONE_BY_ONE) {
    return amendments.map(({ kind, id, by, note, before, after, version, secret }) => ({
      who: by,
      what: `${kind}.change ${id}`,
      before,
      after: {
        version,
        ...(note === null ? {} : { note }),
        written: after,
        ...(secret === null ? {} : { secret: secret === '' ? 'revoked' : 'set' })
      }
    }))
  }
  const [first] = amendments as readonly [Amendment]
  const { by, note, kind } = first
  const created = amendments.filter(({ before }) => before === null).length
  const content = hashOfWritten({ all: amendments.map(({ id, version, after }) => [id, version, after]) })
  const after = { created, changed: amendments.length - created, content, ...(note === null ? {} : { note }) }
  return [{ who: by, what: `${kind}.import ${amendments.length}`, before: null, after }]
}
