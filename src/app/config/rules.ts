// rules/*.yaml: rules, checked by themselves, against the plant they apply to, and by compiling their expressions.

import type { Fleet } from '../../model/fleet.ts'
import type { Rule, RuleTier, Selector } from '../../model/plant.ts'
import { TIERS, type Tier } from '../../model/tier.ts'
import { problem } from '../../platform/problem.ts'
import { compileRules } from '../../rules/compile.ts'
import type { RuleProblem } from '../../rules/compiled.ts'
import { stateOfRule } from '../../rules/states.ts'
import { builtInRules } from './builtIn.ts'
import { didYouMean, type Findings } from './findings.ts'
import type { PlantParts } from './plant.ts'
import type { Profiles } from './profiles.ts'
import { ruleShape, rulesShape } from './schema.ts'
import { hasShape } from './shapes.ts'
import type { Path, SourceFile } from './source.ts'
import { byId, claimedId, durationOr, mapping, nameOr, numberOr, textOr, texts, type Written } from './written.ts'

export interface RuleOrigin {
  readonly source: SourceFile
  /** Leads to the rule in its file. */
  readonly path: Path
  /** Asked for by name: it is for every profile, with devices or without. */
  readonly builtIn?: true
}

export interface RulesRead {
  readonly rules: readonly Rule[]
  readonly origins: ReadonlyMap<string, RuleOrigin>
}

/** Reads the rule files. `parts` null: the plant could not be read, so what rules refer to there is not checked. */
export function readRules(sources: readonly SourceFile[], parts: PlantParts | null, profiles: Profiles, findings: Findings): RulesRead {
  const rules: Rule[] = []
  const origins = new Map<string, RuleOrigin>()
  for (const source of sources) {
    for (const [index, entry] of entriesOf(source, findings).entries()) {
      const path = ['rules', index]
      const id = claimedId(entry)
      const name = `rule ${id ?? `number ${index + 1}`}`
      hasShape(ruleShape, entry, name, source, path, findings)
      const first = id === null ? undefined : origins.get(id)
      if (first !== undefined) {
        const { file, line } = first.source.place(first.path)
        findings.problem(
          problem(`the rule ${id} is already defined in ${file}:${line}; rule ids are unique`, source.place([...path, 'id']))
        )
        continue
      }
      if (id !== null) origins.set(id, { source, path })
      checkSelector(mapping(mapping(entry).appliesTo), name, parts, profiles, source, path, findings)
      checkTiers(entry, name, source, path, findings)
      if (id !== null) rules.push(ruleOf(id, mapping(entry)))
    }
  }
  rules.push(...builtInRules(sources, new Set(origins.keys()), profiles, origins, findings))
  rules.sort(byId)
  return { rules: Object.freeze(rules), origins }
}

/**
 * Compiles every rule against the devices it applies to, and says what does not hold with its place in the file.
 * `complete` false: devices or profiles were left out because of problems, so "applies to nothing" may not be true.
 */
export function checkRules(fleet: Fleet, origins: ReadonlyMap<string, RuleOrigin>, complete: boolean, findings: Findings): void {
  for (const found of compileRules(fleet).problems) {
    const origin = origins.get(found.rule)
    if (found.field === 'appliesTo' && (!complete || origin?.builtIn === true)) continue
    const path = [...(origin?.path ?? []), ...fieldPath(found)]
    const told = problem(found.problem, origin?.source.placeIn(path, found.offset) ?? null)
    if (found.stops === undefined) findings.problem(told)
    else if (found.stops === 'check') findings.flaw(told)
    else findings.warning(told)
  }
}

/** A state has one condition and no tiers. */
function fieldPath({ rule, tier, field }: RuleProblem): string[] {
  if (field === 'appliesTo' || field === 'degrade') return [field]
  if (stateOfRule(rule) !== null) return ['while']
  return [...(tier === null ? [] : ['tiers', tier]), field]
}

/** The rules of a file. Its lists are looked at one by one, here and where states are read. */
function entriesOf(source: SourceFile, findings: Findings): readonly unknown[] {
  const file = source.value ?? { rules: [] }
  const written = mapping(file)
  const emptied = Object.fromEntries(Object.entries(written).map(([key, value]) => [key, Array.isArray(value) ? [] : value]))
  const others = ['states', 'inhibitions', 'calendar', 'builtIn'].some((key) => Object.hasOwn(written, key))
  const shape = others ? rulesShape : rulesShape.required({ rules: true })
  hasShape(shape, written === file ? emptied : file, 'the rule file', source, [], findings)
  return Array.isArray(written.rules) ? written.rules : []
}

/** Names in `appliesTo` that the plant does not have. */
export function checkSelector(
  selector: Written,
  name: string,
  parts: PlantParts | null,
  profiles: Profiles,
  source: SourceFile,
  path: Path,
  findings: Findings
): void {
  const check = (kind: string, named: unknown, known: { has(id: string): boolean; keys(): Iterable<string> }, steps: Path): void => {
    if (typeof named !== 'string' || known.has(named)) return
    const sentence = `${name} applies to the ${kind} ${named}, which does not exist${didYouMean(named, known.keys())}`
    findings.problem(problem(sentence, source.place([...path, 'appliesTo', ...steps])))
  }
  if (profiles.complete) check('profile', selector.profile, profiles.byId, ['profile'])
  if (parts === null) return
  check('area', selector.area, parts.claimed.areas, ['area'])
  check('site', selector.site, parts.claimed.sites, ['site'])
  check('enterprise', selector.enterprise, parts.claimed.enterprises, ['enterprise'])
  const { devices } = selector
  if (!Array.isArray(devices)) return
  for (const [index, device] of devices.entries()) check('device', device, parts.claimed.devices, ['devices', index])
}

function ruleOf(id: string, written: Written): Rule {
  const tiers = mapping(written.tiers)
  return Object.freeze({
    id,
    title: nameOr(written.title, id),
    appliesTo: selectorOf(mapping(written.appliesTo)),
    per: written.per === 'area' ? 'area' : 'device',
    latched: written.latched === true,
    // Left out where it is not: plants without shadow rules keep their hash.
    ...(written.shadow === true ? { shadow: true as const } : {}),
    ...(written.acknowledgeNote === 'required' ? { acknowledgeNote: 'required' as const } : {}),
    ...(typeof written.realarm === 'string' ? { realarmMs: durationOr(written.realarm, 0) } : {}),
    ...(typeof written.realarmAcknowledged === 'string' ? { realarmAcknowledgedMs: durationOr(written.realarmAcknowledged, 0) } : {}),
    ...(written.degrade === 'towardsTrip' || written.degrade === 'towardsRun' ? { degrade: written.degrade } : {}),
    tiers: Object.freeze(TIERS.flatMap((tier) => tierOf(tier, mapping(tiers[tier])))),
    guidance: nameOr(written.guidance, ''),
    source: textOr(written.source, null)
  })
}

function tierOf(tier: Tier, written: Written): RuleTier[] {
  const { when } = written
  if (typeof when !== 'string') return []
  const one = {
    tier,
    when: when.trimEnd(),
    clear: textOr(written.clear, null)?.trimEnd() ?? null,
    deadband: numberOr(written.deadband, null),
    forMs: durationOr(written.for, 0),
    clearForMs: durationOr(written.clearFor, 0)
  }
  return [Object.freeze(one)]
}

function checkTiers(entry: unknown, name: string, source: SourceFile, path: Path, findings: Findings): void {
  const { tiers } = mapping(entry)
  if (mapping(tiers) !== tiers || Object.keys(mapping(tiers)).length > 0) return
  findings.problem(problem(`${name} has no tier; give it at least one of ${TIERS.join(', ')}`, source.place([...path, 'tiers'])))
}

export function selectorOf(written: Written): Selector {
  const { devices } = written
  return Object.freeze({
    profile: textOr(written.profile, null),
    devices: Array.isArray(devices) ? Object.freeze(devices.map(String).sort()) : null,
    labels: texts(written.labels),
    area: textOr(written.area, null),
    site: textOr(written.site, null),
    enterprise: textOr(written.enterprise, null)
  })
}
