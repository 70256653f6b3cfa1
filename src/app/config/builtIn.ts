// rules/*.yaml, `builtIn:`: faults of sensors and devices as rules that a plant asks for by name. Each becomes plain rules, one per
// profile and metric, before anything is judged: what runs is only ever a rule, and a written one of the same id takes its place.

import type { Metric, Profile, Rule } from '../../model/plant.ts'
import { TIERS, type Tier } from '../../model/tier.ts'
import { problem } from '../../platform/problem.ts'
import { BUILT_INS, type BuiltIn, type BuiltInName, isBuiltIn, isState } from './builtInKinds.ts'
import { didYouMean, type Findings } from './findings.ts'
import type { Profiles } from './profiles.ts'
import type { RuleOrigin } from './rules.ts'
import { builtInShape } from './schema.ts'
import type { Path, SourceFile } from './source.ts'
import { durationOr, mapping, nameOr, textOr, type Written } from './written.ts'

/** One entry below a built-in's name: what it changes, and for whom. */
interface Entry {
  readonly written: Written
  readonly origin: RuleOrigin
}

type Asked = ReadonlyMap<BuiltInName, readonly Entry[]>

/** The rules that the files ask for, without those whose id is in `taken`; where each comes from is added to `origins`. */
export function builtInRules(
  sources: readonly SourceFile[],
  taken: ReadonlySet<string>,
  profiles: Profiles,
  origins: Map<string, RuleOrigin>,
  findings: Findings
): Rule[] {
  const asked = askedFor(sources, profiles, findings)
  const rules: Rule[] = []
  for (const profile of profiles.byId.values()) {
    for (const name of asked.keys()) {
      const { perMetric } = BUILT_INS[name]
      for (const metric of perMetric ? profile.metrics : [null]) {
        const id = [name, profile.id, ...(metric === null ? [] : [metric.id])].join('.')
        const entry = entryFor(asked, name, profile, metric)
        if (entry === null || taken.has(id)) continue
        rules.push(ruleOf(id, name, profile, metric, entry.written, asked))
        origins.set(id, entry.origin)
      }
    }
  }
  return rules
}

function askedFor(sources: readonly SourceFile[], profiles: Profiles, findings: Findings): Asked {
  const asked = new Map<BuiltInName, Entry[]>()
  for (const source of sources) {
    const written = mapping(source.value).builtIn
    // What has the wrong shape was reported with the rest of its file.
    if (!builtInShape.safeParse(written).success) continue
    for (const [name, value] of Object.entries(mapping(written))) {
      if (!isBuiltIn(name)) continue
      const path = ['builtIn', name]
      const first = asked.get(name)?.[0]
      if (first !== undefined) {
        const { file, line } = first.origin.source.place(first.origin.path)
        findings.problem(problem(`${name} is already said in ${file}:${line}; say each built-in rule once`, source.keyPlace(path)))
        continue
      }
      const entries = entriesOf(value, source, path)
      for (const entry of entries) checkNames(name, entry, profiles, findings)
      if (entries.length > 0) asked.set(name, entries)
    }
  }
  return asked
}

function entriesOf(value: unknown, source: SourceFile, path: Path): Entry[] {
  if (value === 'off' || value === false) return []
  if (!Array.isArray(value)) return [{ written: mapping(value), origin: { source, path, builtIn: true } }]
  return value.map((one, index) => ({ written: mapping(one), origin: { source, path: [...path, index], builtIn: true } }))
}

/** Profiles and metrics that nobody has would silently ask for nothing. */
function checkNames(name: BuiltInName, { written, origin: { source, path } }: Entry, profiles: Profiles, findings: Findings): void {
  const metrics = new Set([...profiles.byId.values()].flatMap((profile) => profile.metrics.map(({ id }) => id)))
  const check = (key: string, known: ReadonlySet<string>): void => {
    for (const [index, named] of listOf(written[key])?.entries() ?? []) {
      if (known.has(named)) continue
      const sentence = `${name} names the ${key.slice(0, -1)} ${named}, which does not exist${didYouMean(named, known)}`
      findings.problem(problem(sentence, source.place([...path, key, index])))
    }
  }
  if (profiles.complete) check('profiles', new Set(profiles.byId.keys()))
  if (profiles.complete) check('metrics', metrics)
  const lacking = !BUILT_INS[name].perMetric && written.metrics !== undefined
  if (lacking) findings.problem(problem(`${name} is about whole devices: leave metrics out`, source.place([...path, 'metrics'])))
  if (name !== 'device-silent' && written.after !== undefined) {
    findings.problem(problem('only device-silent knows after: write for', source.place([...path, 'after'])))
  }
}

function listOf(written: unknown): string[] | null {
  return Array.isArray(written) ? written.map(String) : null
}

/** The first entry that is for this profile and metric; null: it is not asked for there. */
function entryFor(asked: Asked, name: BuiltInName, profile: Profile, metric: Metric | null): Entry | null {
  const { fits } = BUILT_INS[name] as BuiltIn
  const found = asked.get(name)?.find(({ written }) => {
    const [inProfiles, inMetrics] = [listOf(written.profiles), listOf(written.metrics)]
    if (inProfiles !== null && !inProfiles.includes(profile.id)) return false
    if (metric === null) return true
    // Named, a 0/1 state is watched too.
    return inMetrics === null ? !isState(metric) : inMetrics.includes(metric.id)
  })
  return found === undefined || found.written.tier === 'off' || (metric !== null && !fits(metric)) ? null : found
}

function ruleOf(id: string, name: BuiltInName, profile: Profile, metric: Metric | null, written: Written, asked: Asked): Rule {
  const kind: BuiltIn = BUILT_INS[name]
  const also = (other: BuiltInName): boolean => entryFor(asked, other, profile, metric) !== null
  const { when, clear } = kind.condition({ profile, metric, afterMs: durationOr(written.after, null), also })
  const tier = TIERS.includes(written.tier as Tier) ? (written.tier as Tier) : kind.tier
  const said = kind.words(profile.name, metric?.name ?? profile.name)
  const own = mapping(written.guidance)
  return Object.freeze({
    id,
    title: said.title,
    appliesTo: Object.freeze({ profile: profile.id, devices: null, labels: Object.freeze({}), area: null, site: null, enterprise: null }),
    per: 'device',
    latched: written.latched === true,
    ...(written.shadow === true ? { shadow: true as const } : {}),
    tiers: Object.freeze([
      Object.freeze({
        tier,
        when,
        clear,
        deadband: null,
        forMs: durationOr(written.for, kind.forMs),
        clearForMs: durationOr(written.clearFor, kind.clearForMs)
      })
    ]),
    guidance:
      typeof written.guidance === 'string'
        ? nameOr(written.guidance, '')
        : Object.freeze({ zh: textOr(own.zh, said.guidance.zh), en: textOr(own.en, said.guidance.en) }),
    source: textOr(written.source, kind.source)
  })
}
