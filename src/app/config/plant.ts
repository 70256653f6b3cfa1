// plant.yaml: enterprises, sites, areas, gateways, devices and hazard sources, each entry checked by itself and against what it
// refers to.
// Invariant: an entry with a mistake never makes the entries that refer to it look wrong too.

import { SHELVING_MS } from '../../alerts/actions.ts'
import type { Area, Device, Enterprise, Gateway, HazardSource, Plant, Profile, Site } from '../../model/plant.ts'
import { TIERS } from '../../model/tier.ts'
import { problem } from '../../platform/problem.ts'
import { didYouMean, type Findings } from './findings.ts'
import { hazardSourceOf } from './hazardSources.ts'
import { type Profiles, warnOfLimitOrder } from './profiles.ts'
import { PLANT_LISTS, plantShape } from './schema.ts'
import type { Environment } from './service.ts'
import { hasShape } from './shapes.ts'
import type { Path, SourceFile } from './source.ts'
import { byId, claimedId, durationOr, mapping, nameOr, numberOr, numbers, textOr, texts, type Written } from './written.ts'

type List = keyof typeof PLANT_LISTS

export interface PlantParts {
  readonly enterprises: readonly Enterprise[]
  readonly sites: readonly Site[]
  readonly areas: readonly Area[]
  readonly gateways: readonly Gateway[]
  readonly devices: readonly Device[]
  readonly hazardSources: readonly HazardSource[]
  /** Null: nothing is said of it. */
  readonly shelving: NonNullable<Plant['shelving']> | null
  /** Where in its list each id stands. */
  readonly claimed: Readonly<Record<List, ReadonlyMap<string, number>>>
}

const SINGULAR: Readonly<Record<List, string>> = {
  enterprises: 'enterprise',
  sites: 'site',
  areas: 'area',
  gateways: 'gateway',
  devices: 'device',
  hazardSources: 'hazard source'
}
const LISTS = Object.keys(PLANT_LISTS) as List[]
const NONE: Readonly<Record<string, never>> = Object.freeze({})

/** Reads the plant's lists, as far as they can be read; each comes ordered by id. */
export function readPlantFile(source: SourceFile, profiles: Profiles, env: Environment, findings: Findings): PlantParts {
  const reader = new PlantReader(source, listsOf(source, findings), profiles, findings)
  const enterprises = reader.read('enterprises', (id, written): Enterprise => ({ id, name: nameOr(written.name, id) }))
  const sites = reader.read(
    'sites',
    (id, written): Site => ({
      id,
      enterprise: textOr(written.enterprise, ''),
      name: nameOr(written.name, id),
      lat: numberOr(written.lat, null),
      lon: numberOr(written.lon, null)
    })
  )
  const areas = reader.read('areas', (id, written): Area => ({ id, site: textOr(written.site, ''), name: nameOr(written.name, id) }))
  const gateways = reader.read(
    'gateways',
    (id, written, path): Gateway => ({
      id,
      enterprise: textOr(written.enterprise, ''),
      name: nameOr(written.name, id),
      secret: secretOf(textOr(written.secret, ''), id, env, source, [...path, 'secret'], findings)
    })
  )
  const devices = readDevices(reader, { sites, areas, gateways }, source, profiles, findings)
  const hazardSources = reader.read('hazardSources', (id, written, path) =>
    hazardSourceOf(id, written, reader.claimed.devices, source, path, findings)
  )
  const shelving = shelvingOf(mapping(mapping(source.value).shelving))
  return { enterprises, sites, areas, gateways, devices, hazardSources, shelving, claimed: reader.claimed }
}

function shelvingOf(written: Written): PlantParts['shelving'] {
  const said = TIERS.filter((tier) => typeof written[tier] === 'string')
  return said.length === 0
    ? null
    : Object.freeze(Object.fromEntries(said.map((tier) => [tier, durationOr(written[tier], SHELVING_MS[tier])])))
}

/** The entries of each list. What is not a list is a problem and counts as empty; so does a key with nothing behind it. */
function listsOf(source: SourceFile, findings: Findings): Record<List, readonly unknown[]> {
  const lists: Record<List, readonly unknown[]> = { enterprises: [], sites: [], areas: [], gateways: [], devices: [], hazardSources: [] }
  const rest: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(mapping(source.value))) {
    const known = key in PLANT_LISTS
    if (known && Array.isArray(value)) lists[key as List] = value
    else if (!known || value !== null) rest[key] = value
  }
  const whole = source.value ?? {}
  hasShape(plantShape, mapping(whole) === whole ? rest : whole, 'the plant', source, [], findings)
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
    this.claimed = {
      enterprises: new Map(),
      sites: new Map(),
      areas: new Map(),
      gateways: new Map(),
      devices: new Map(),
      hazardSources: new Map()
    }
    for (const list of LISTS) this.#claim(list)
  }

  /** The things of one list, ordered by id; `thingOf` answers null for one that cannot stand at all. */
  read<Thing extends { readonly id: string }>(list: List, thingOf: (id: string, written: Written, path: Path) => Thing | null): Thing[] {
    const things: Thing[] = []
    for (const [index, entry] of this.#lists[list].entries()) {
      const id = claimedId(entry)
      const name = `${SINGULAR[list]} ${id ?? `number ${index + 1}`}`
      const path = [list, index]
      hasShape(PLANT_LISTS[list], entry, name, this.#source, path, this.#findings)
      this.#checkReferences(list, mapping(entry), name, path)
      if (id === null || this.claimed[list].get(id) !== index) continue
      const thing = thingOf(id, mapping(entry), path)
      if (thing !== null) things.push(Object.freeze(thing))
    }
    return things.sort(byId)
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
      const sentence = `the ${SINGULAR[list]} ${id} is already defined in line ${line}; ${SINGULAR[list]} ids are unique`
      this.#findings.problem(problem(sentence, this.#source.place([list, index, 'id'])))
    }
  }

  #checkReferences(list: List, written: Written, name: string, path: Path): void {
    for (const other of LISTS) {
      const key = SINGULAR[other] as string
      const named = written[key]
      if (other === list || typeof named !== 'string' || this.claimed[other].has(named) || !(key in PLANT_LISTS[list].shape)) continue
      const hint = didYouMean(named, this.claimed[other].keys())
      this.#report(`${name} names the ${key} ${named}, which is not under ${other} in this file${hint}`, [...path, key])
    }
    const { profile } = written
    if (list !== 'devices' || typeof profile !== 'string' || !this.#profiles.complete || this.#profiles.byId.has(profile)) return
    const hint = didYouMean(profile, this.#profiles.byId.keys())
    this.#report(`${name} names the profile ${profile}, which no file in profiles/ defines${hint}`, [...path, 'profile'])
  }

  #report(sentence: string, path: Path): void {
    this.#findings.problem(problem(sentence, this.#source.place(path)))
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
  return reader.read('devices', (id, written, path): Device | null => {
    const area = textOr(written.area, null)
    const areaSite = area === null ? undefined : areaById.get(area)?.site
    const ownSite = textOr(written.site, null)
    if (areaSite !== undefined && ownSite !== null && ownSite !== areaSite) {
      const sentence = `device ${id} names the site ${ownSite}, but its area ${area} lies in the site ${areaSite}; leave the site out`
      findings.problem(problem(sentence, source.place([...path, 'site'])))
    }
    const profile = profiles.byId.get(textOr(written.profile, ''))
    if (profile === undefined) return null
    const gateway = textOr(written.gateway, null)
    const site = areaSite ?? ownSite
    const enterprise = siteById.get(site ?? '')?.enterprise ?? gatewayById.get(gateway ?? '')?.enterprise ?? null
    const labels = written.labels === undefined ? NONE : texts(written.labels)
    // One object for all devices without limits of their own: they are many.
    const limits = written.limits === undefined ? profile.limits : ownLimits(id, mapping(written.limits), profile, source, path, findings)
    return { id, name: nameOr(written.name, id), profile: profile.id, gateway, area, site, enterprise, labels, limits }
  })
}

function ownLimits(
  device: string,
  written: Written,
  profile: Profile,
  source: SourceFile,
  path: Path,
  findings: Findings
): Profile['limits'] {
  for (const name of Object.keys(written)) {
    if (Object.hasOwn(profile.limits, name)) continue
    const known = Object.keys(profile.limits)
    const hint = didYouMean(name, known) || (known.length === 0 ? '; that profile has no limits' : `; it knows ${known.join(', ')}`)
    const sentence = `device ${device} sets the limit ${name}, which its profile ${profile.id} does not know${hint}`
    findings.problem(problem(sentence, source.keyPlace([...path, 'limits', name])))
  }
  const merged = numbers({ ...profile.limits, ...written })
  warnOfLimitOrder(merged, written, `device ${device}`, source, [...path, 'limits'], findings)
  return merged
}

function secretOf(written: string, gateway: string, env: Environment, source: SourceFile, path: Path, findings: Findings): string | null {
  if (!written.startsWith('env:')) return written
  const name = written.slice(4)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    const sentence = `the secret of gateway ${gateway} must name an environment variable after env:, in letters, digits and underscores`
    findings.problem(problem(sentence, source.place(path)))
    return null
  }
  const value = env[name]
  if (value !== undefined && value !== '') return value
  findings.warning(problem(`the environment variable ${name} is not set, so gateway ${gateway} cannot sign in`, source.place(path)))
  return null
}
