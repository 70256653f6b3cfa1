// Changes laid over a plant as it is written: the same files with some things replaced, added or left out. Pure.
// Invariant: what a file says keeps its place in the file; what was changed has the field of what was sent for its place.

import { createHash } from 'node:crypto'
import { stringify } from 'yaml'
import type { Amendable, Amendment, AmendOp, WrittenThing } from '../../model/amendment.ts'
import type { Gateway, Plant } from '../../model/plant.ts'
import type { Place } from '../../platform/problem.ts'
import type { PlantSource } from './plantSource.ts'
import { type Path, SourceFile } from './source.ts'
import { claimedId, mapping } from './written.ts'

/** What one thing is to be. */
export interface Change {
  readonly kind: Amendable
  readonly id: string
  readonly op: AmendOp
  /** With `put`: the thing as it is written, without a secret. */
  readonly written: WrittenThing | null
  /** Of a gateway: a PHC hash; empty: revoked; null: what the files say. */
  readonly secret: string | null
  /** The text that was sent, and where in it the thing stands. Missing: it has no lines. */
  readonly sent?: { readonly text: string; readonly at: Path }
}

/** All changes in force, by kind and id. Maps are never changed once they are here. */
export type Overlay = Readonly<Record<Amendable, ReadonlyMap<string, Change>>>

export const NO_OVERLAY: Overlay = { rule: new Map(), device: new Map(), gateway: new Map() }

/** The overlay with these changes made on top, in order; maps of kinds that do not change are shared. */
export function overlaid(overlay: Overlay, changes: readonly Change[]): Overlay {
  const next: Record<Amendable, ReadonlyMap<string, Change>> = { ...overlay }
  for (const [kind, ofKind] of Map.groupBy(changes, (change) => change.kind)) {
    const map = new Map(overlay[kind])
    for (const change of ofKind) {
      if (change.op === 'revert') map.delete(change.id)
      else map.set(change.id, change)
    }
    next[kind] = map
  }
  return next
}

/** The overlay that the newest versions of all things make. */
export function overlayOf(latest: readonly Amendment[]): Overlay {
  return overlaid(
    NO_OVERLAY,
    latest.map(({ kind, id, op, after, secret }) => ({ kind, id, op, written: after, secret }))
  )
}

const LIST: Readonly<Record<Amendable, string>> = { rule: 'rules', device: 'devices', gateway: 'gateways' }
/** Stands where the shape of a gateway wants a secret: the true one never lies in what is written. */
const SECRET_ELSEWHERE = 'set through the API'

/** The plant as it is written, with the overlay laid over it. */
export function amend(source: PlantSource, overlay: Overlay): PlantSource {
  const { rule: rules } = overlay
  const files = rules.size === 0 ? source.rules : [...source.rules.map((file) => without(file, rules)), rulesFile([...rules.values()])]
  return { ...source, plant: amendedPlantFile(source.plant, overlay), rules: files }
}

/** The plant with the secrets of the overlay in place of those in the files. Its hash stays: secrets are not part of it. */
export function withSecrets(plant: Plant, { gateway: changes }: Overlay): Plant {
  if (changes.size === 0) return plant
  const secretOf = (gateway: Gateway): Gateway => {
    const secret = changes.get(gateway.id)?.secret ?? null
    return secret === null ? gateway : { ...gateway, secret: secret === '' ? null : secret }
  }
  return { ...plant, gateways: plant.gateways.map(secretOf) }
}

/** Where the files say something of this thing, with what they say; null: they do not. */
export function writtenIn(
  source: PlantSource,
  kind: Amendable,
  id: string
): { readonly written: WrittenThing; readonly place: () => Place } | null {
  for (const file of kind === 'rule' ? source.rules : [source.plant]) {
    if (file === null) continue
    const index = indexOf(file, LIST[kind]).get(id)
    if (index === undefined) continue
    const path = [LIST[kind], index]
    const { secret: _, ...written } = mapping(listIn(file, LIST[kind])[index])
    return { written, place: () => file.place(path) }
  }
  return null
}

/** Identifies what is written, whatever the order of its keys. */
export function hashOfWritten(written: WrittenThing | null): string | null {
  return written === null ? null : createHash('sha256').update(canonical(written)).digest('hex').slice(0, 16)
}

/** As a list entry of its file, ready to be put there. */
export function yamlOf(kind: Amendable, written: readonly WrittenThing[]): string {
  return stringify({ [LIST[kind]]: written }, { lineWidth: 0 })
}

/** One thing as YAML; empty for nothing. */
export function yamlOfOne(written: WrittenThing | null): string {
  return written === null ? '' : stringify(written, { lineWidth: 0 })
}

/** The change that a place in an amended source belongs to; null: a file. */
export function changeAt(place: Place | null): Change | null {
  return place === null ? null : ((place as ChangedPlace).change ?? null)
}

interface ChangedPlace extends Place {
  readonly change?: Change
}

/** A file in which some entries come from elsewhere. */
class AmendedFile extends SourceFile {
  readonly #base: SourceFile | null
  /** By list: what each entry is, the index in the file or a change. */
  readonly #origins: ReadonlyMap<string, readonly (number | Change)[]>

  constructor(base: SourceFile | null, name: string, value: unknown, origins: ReadonlyMap<string, readonly (number | Change)[]>) {
    super(name, '', value, null)
    this.#base = base
    this.#origins = origins
  }

  override place(path: Path): Place {
    const { change, rest } = this.#resolve(path)
    return change === null ? this.#file((base) => base.place(rest)) : placeInChange(change, rest, (file, at) => file.place(at))
  }

  override keyPlace(path: Path): Place {
    const { change, rest } = this.#resolve(path)
    return change === null ? this.#file((base) => base.keyPlace(rest)) : placeInChange(change, rest, (file, at) => file.keyPlace(at))
  }

  override placeIn(path: Path, offset: number | null): Place {
    const { change, rest } = this.#resolve(path)
    if (change === null) return this.#file((base) => base.placeIn(rest, offset))
    return placeInChange(change, rest, (file, at) => file.placeIn(at, offset))
  }

  #file(placeOf: (base: SourceFile) => Place): Place {
    return this.#base === null ? { file: this.name, line: 1, column: 1 } : placeOf(this.#base)
  }

  #resolve(path: Path): { readonly change: Change | null; readonly rest: Path } {
    const [list, index, ...rest] = path
    const origin = this.#origins.get(String(list))?.[Number(index)]
    if (origin === undefined) return { change: null, rest: path }
    return typeof origin === 'number' ? { change: null, rest: [list as string, origin, ...rest] } : { change: origin, rest }
  }
}

function placeInChange(change: Change, path: Path, placeOf: (file: SourceFile, at: Path) => Place): ChangedPlace {
  const field = path.reduce<string>((text, step) => text + (typeof step === 'number' ? `[${step}]` : text === '' ? step : `.${step}`), '')
  const file = `${change.kind} ${change.id}`
  const { line, column } =
    change.sent === undefined
      ? { line: 1, column: 1 }
      : placeOf(new SourceFile(file, change.sent.text, null, null), [...change.sent.at, ...path])
  return { file, line, column, field, change }
}

function without(file: SourceFile, changes: ReadonlyMap<string, Change>): SourceFile {
  const rules = listIn(file, 'rules')
  const kept = [...rules.keys()].filter((index) => !changes.has(claimedId(rules[index]) ?? ''))
  if (kept.length === rules.length) return file
  const value = { ...mapping(file.value), rules: kept.map((index) => rules[index]) }
  return new AmendedFile(file, file.name, value, new Map([['rules', kept]]))
}

function rulesFile(changes: readonly Change[]): SourceFile {
  const put = changes.filter(({ op }) => op === 'put')
  return new AmendedFile(null, 'rules changed through the API', { rules: put.map(({ written }) => written) }, new Map([['rules', put]]))
}

const amendedFiles = new WeakMap<
  Overlay['device'],
  { readonly base: SourceFile; readonly gateway: Overlay['gateway']; readonly file: SourceFile }
>()

/** The same answer for the same maps: what depends on it need not be worked out again where only rules have changed. */
function amendedPlantFile(base: SourceFile | null, { device, gateway }: Overlay): SourceFile | null {
  if (base === null || (device.size === 0 && gateway.size === 0)) return base
  const known = amendedFiles.get(device)
  if (known !== undefined && known.base === base && known.gateway === gateway) return known.file
  const value: Record<string, unknown> = { ...mapping(base.value) }
  const origins = new Map<string, readonly (number | Change)[]>()
  for (const changes of [device, gateway]) {
    const [first] = changes.values()
    if (first === undefined) continue
    const list = LIST[first.kind]
    const entries = merged(listIn(base, list), indexOf(base, list), changes)
    value[list] = entries.map(({ written }) => written)
    origins.set(
      list,
      entries.map(({ origin }) => origin)
    )
  }
  const file = new AmendedFile(base, base.name, value, origins)
  amendedFiles.set(device, { base, gateway, file })
  return file
}

function merged(
  list: readonly unknown[],
  known: ReadonlyMap<string, number>,
  changes: ReadonlyMap<string, Change>
): { readonly written: unknown; readonly origin: number | Change }[] {
  const entries = list.flatMap((written, index) => {
    const change = changes.get(claimedId(written) ?? '')
    if (change === undefined) return [{ written, origin: index as number | Change }]
    return change.op === 'put' ? [{ written: shaped(change, written), origin: change }] : []
  })
  for (const change of changes.values()) {
    if (change.op === 'put' && !known.has(change.id)) entries.push({ written: shaped(change, null), origin: change })
  }
  return entries
}

/** What the shape of a gateway asks for: its secret, from the file where the change leaves it as it is. */
function shaped({ kind, written, secret }: Change, inFile: unknown): unknown {
  if (kind !== 'gateway') return written
  const own = secret === null ? mapping(inFile).secret : SECRET_ELSEWHERE
  return own === undefined ? written : { ...written, secret: own }
}

function listIn(file: SourceFile, list: string): readonly unknown[] {
  const found = mapping(file.value)[list]
  return Array.isArray(found) ? found : []
}

const indexes = new WeakMap<SourceFile, Map<string, ReadonlyMap<string, number>>>()

/** Where in its list each id stands. */
function indexOf(file: SourceFile, list: string): ReadonlyMap<string, number> {
  let ofFile = indexes.get(file)
  if (ofFile === undefined) indexes.set(file, (ofFile = new Map()))
  let index = ofFile.get(list)
  if (index === undefined) {
    const found = new Map<string, number>()
    for (const [at, entry] of listIn(file, list).entries()) {
      const id = claimedId(entry)
      if (id !== null && !found.has(id)) found.set(id, at)
    }
    ofFile.set(list, (index = found))
  }
  return index
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`
}
