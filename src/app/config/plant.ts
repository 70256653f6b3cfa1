// plant.yaml: enterprises, sites, areas, gateways and devices, each entry checked by itself and against what it refers to.
// Invariant: an entry with a mistake never makes the entries that refer to it look wrong too.

import type { Area, Device, Enterprise, Gateway, Profile, Site } from '../../model/plant.ts'
import { problem } from '../../platform/problem.ts'
import { didYouMean, type Findings } from './findings.ts'
import { claimedId, nameOf, type Profiles, sortedRecord, warnOfLimitOrder } from './profiles.ts'
import { PLANT_LISTS, plantShape } from './schema.ts'
import type { Environment } from './service.ts'
import { hasShape } from './shapes.ts'
import type { SourceFile } from './source.ts'

type List = keyof typeof PLANT_LISTS
type Written = Readonly<Record<string, unknown>>

export interface PlantParts {
  readonly enterprises: readonly Enterprise[]
  readonly sites: readonly Site[]
  readonly areas: readonly Area[]
  readonly gateways: readonly Gateway[]
  readonly devices: readonly Device[]
  /** Every id that an entry claims, also an entry with problems. */
  readonly claimed: Readonly<Record<List, ReadonlyMap<string, number>>>
  /** False where entries were left out because of problems. */
  readonly complete: boolean
}

const SINGULAR: Readonly<Record<List, string>> = {
  enterprises: 'enterprise',
  sites: 'site',
  areas: 'area',
  gateways: 'gateway',
  devices: 'device'
}
const LISTS = Object.keys(PLANT_LISTS) as List[]
const NONE: Readonly<Record<string, never>> = Object.freeze({})

/** Reads the plant's lists; null where the file is not a mapping of lists at all. */
export function readPlantFile(source: SourceFile, profiles: Profiles, env: Environment, findings: Findings): PlantParts | null {
  const file = source.value ?? {}
  if (typeof file !== 'object' || Array.isArray(file)) {
    hasShape(plantShape, file, 'the plant', source, [], findings)
    return null
  }
  const lists = listsOf(file as Written, source, findings)
  const before = findings.problems.length
  const reader = new PlantReader(source, lists, profiles, findings)
  const enterprises = reader.read('enterprises', (written): Enterprise => ({ id: written.id, name: nameOf(written.name, written.id) }))
  const sites = reader.read(
    'sites',
    (written): Site => ({
      id: written.id,
      enterprise: written.enterprise,
      name: nameOf(written.name, written.id),
      lat: written.lat ?? null,
      lon: written.lon ?? null
    })
  )
  const areas = reader.read('areas', (written): Area => ({ id: written.id, site: written.site, name: nameOf(written.name, written.id) }))
  const gateways = reader.read(
    'gateways',
    (written, path): Gateway => ({
      id: written.id,
      enterprise: written.enterprise,
      name: nameOf(written.name, written.id),
      secret: secretOf(written.secret, written.id, env, source, [...path, 'secret'], findings)
    })
  )
  const devices = readDevices(reader, { sites, areas, gateways }, source, profiles, findings)
  return { enterprises, sites, areas, gateways, devices, claimed: reader.claimed, complete: findings.problems.length === before }
}

/** The top level: known lists only. A list that is not one is a problem and counts as empty. */
function listsOf(file: Written, source: SourceFile, findings: Findings): Record<List, readonly unknown[]> {
  const lists = Object.fromEntries(LISTS.map((list) => [list, [] as readonly unknown[]])) as Record<List, readonly unknown[]>
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(file)) {
    if ((LISTS as string[]).includes(key) && Array.isArray(value)) lists[key as List] = value
    // A key without anything behind it is a list whose last entry was deleted.
    else if (!((LISTS as string[]).includes(key) && value === null)) rest[key] = value
  }
  hasShape(plantShape, rest, 'the plant', source, [], findings)
  return lists
}

class PlantReader {
  readonly claimed: Record<List, Map<string, number>>
  readonly #source: SourceFile
  readonly #lists: Record<List, readonly unknown[]>
  readonly #profiles: Profiles
  readonly #findings: Findings

  constructor(source: SourceFile, lists: Record<List, readonly unknown[]>, profiles: Profiles, findings: Findings) {
    this.#source = source
    this.#lists = lists
    this.#profiles = profiles
    this.#findings = findings
    this.claimed = { enterprises: new Map(), sites: new Map(), areas: new Map(), gateways: new Map(), devices: new Map() }
    for (const list of LISTS) this.#claim(list)
  }

  /** The entries of one list that are right in themselves and refer to what exists, in the order of their ids. */
  read<L extends List, Thing extends { readonly id: string }>(
    list: L,
    thingOf: (written: (typeof PLANT_LISTS)[L]['_zod']['input'], path: readonly (string | number)[]) => Thing | null
  ): Thing[] {
    const shape = PLANT_LISTS[list]
    const things: Thing[] = []
    for (const [index, entry] of this.#lists[list].entries()) {
      const path = [list, index]
      const id = claimedId(entry)
      const shaped = hasShape(shape, entry, `${SINGULAR[list]} ${id ?? `number ${index + 1}`}`, this.#source, path, this.#findings)
      const refers = this.#refersToWhatExists(list, entry, path)
      if (!shaped || !refers || this.claimed[list].get(id as string) !== index) continue
      const thing = thingOf(entry as never, path)
      if (thing !== null) things.push(Object.freeze(thing))
    }
    return things.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  #claim(list: List): void {
    const claimed = this.claimed[list]
    for (const [index, entry] of this.#lists[list].entries()) {
      const id = claimedId(entry)
      if (id === null) continue
      const first = claimed.get(id)
      if (first === undefined) {
        claimed.set(id, index)
        continue
      }
      const { line } = this.#source.place([list, first])
      this.#findings.problem(
        problem(
          `the ${SINGULAR[list]} ${id} is already defined in line ${line}; ${SINGULAR[list]} ids are unique`,
          this.#source.place([list, index, 'id'])
        )
      )
    }
  }

  #refersToWhatExists(list: List, entry: unknown, path: readonly (string | number)[]): boolean {
    if (typeof entry !== 'object' || entry === null) return false
    let good = true
    for (const other of LISTS) {
      const key = SINGULAR[other]
      const named = (entry as Written)[key]
      if (other === list || typeof named !== 'string' || this.claimed[other].has(named)) continue
      if (!(key in PLANT_LISTS[list].shape)) continue
      good = false
      const hint = didYouMean(named, this.claimed[other].keys())
      this.#dangling(list, entry, `the ${key} ${named}, which is not under ${other} in this file${hint}`, [...path, key])
    }
    const profile = (entry as Written).profile
    if (list === 'devices' && typeof profile === 'string' && this.#profiles.complete && !this.#profiles.claimed.has(profile)) {
      good = false
      const hint = didYouMean(profile, this.#profiles.claimed)
      this.#dangling(list, entry, `the profile ${profile}, which no file in profiles/ defines${hint}`, [...path, 'profile'])
    }
    return good
  }

  #dangling(list: List, entry: unknown, what: string, path: readonly (string | number)[]): void {
    this.#findings.problem(
      problem(`${SINGULAR[list]} ${claimedId(entry) ?? `number ${Number(path[1]) + 1}`} names ${what}`, this.#source.place(path))
    )
  }
}

/** Devices, with what follows from their area, site and gateway filled in, and the profile's limits under their own. */
function readDevices(
  reader: PlantReader,
  known: { readonly sites: readonly Site[]; readonly areas: readonly Area[]; readonly gateways: readonly Gateway[] },
  source: SourceFile,
  profiles: Profiles,
  findings: Findings
): Device[] {
  const siteById = new Map(known.sites.map((site) => [site.id, site]))
  const areaById = new Map(known.areas.map((area) => [area.id, area]))
  const gatewayById = new Map(known.gateways.map((gateway) => [gateway.id, gateway]))
  return reader.read('devices', (written, path): Device | null => {
    const areaSite = written.area === undefined ? undefined : areaById.get(written.area)?.site
    if (areaSite !== undefined && written.site !== undefined && written.site !== areaSite) {
      const sentence = `device ${written.id} names the site ${written.site}, but its area ${written.area} lies in the site ${areaSite}; leave the site out`
      findings.problem(problem(sentence, source.place([...path, 'site'])))
    }
    const profile = profiles.usable.get(written.profile)
    if (profile === undefined) return null
    if (written.limits !== undefined) checkLimits(written.id, written.limits, profile, source, path, findings)
    const site = areaSite ?? written.site ?? null
    const enterprise = (site === null ? undefined : siteById.get(site)?.enterprise) ?? gatewayById.get(written.gateway ?? '')?.enterprise
    return {
      id: written.id,
      name: nameOf(written.name, written.id),
      profile: written.profile,
      gateway: written.gateway ?? null,
      area: written.area ?? null,
      site,
      enterprise: enterprise ?? null,
      labels: written.labels === undefined ? NONE : sortedRecord(written.labels),
      limits: written.limits === undefined ? profile.limits : sortedRecord({ ...profile.limits, ...written.limits })
    }
  })
}

function checkLimits(
  device: string,
  limits: Readonly<Record<string, number>>,
  profile: Profile,
  source: SourceFile,
  path: readonly (string | number)[],
  findings: Findings
): void {
  for (const name of Object.keys(limits)) {
    if (Object.hasOwn(profile.limits, name)) continue
    const known = Object.keys(profile.limits)
    const hint = didYouMean(name, known) || (known.length === 0 ? '; that profile has no limits' : `; it knows ${known.join(', ')}`)
    findings.problem(
      problem(
        `device ${device} sets the limit ${name}, which its profile ${profile.id} does not know${hint}`,
        source.keyPlace([...path, 'limits', name])
      )
    )
  }
  warnOfLimitOrder({ ...profile.limits, ...limits }, `device ${device}`, source, [...path, 'limits'], findings)
}

function secretOf(
  written: string,
  gateway: string,
  env: Environment,
  source: SourceFile,
  path: readonly (string | number)[],
  findings: Findings
): string | null {
  if (!written.startsWith('env:')) return written
  const name = written.slice(4)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    findings.problem(
      problem(`the secret of gateway ${gateway} must name an environment variable after env:, not "${name}"`, source.place(path))
    )
    return null
  }
  const value = env[name]
  if (value !== undefined && value !== '') return value
  findings.warning(problem(`the environment variable ${name} is not set, so gateway ${gateway} cannot sign in`, source.place(path)))
  return null
}
