// What `fenghuo check` asks of duty.yaml and fenghuo.yaml together: is every way of a ladder served by a channel, and does
// a vendor's template leave room for what is to be done? Warnings: the service runs with them. (Whoever lacks an address for a way
// of their ladder is found by duty.yaml alone.)

import type { ChannelSettings } from '../../alerts/channels/settings.ts'
import { adviceOf } from '../../alerts/wordingGuidance.ts'
import { toDoText } from '../../alerts/wordingText.ts'
import type { Ladder, Rung } from '../../model/duty.ts'
import type { ChannelKind, NotificationReason } from '../../model/notification.ts'
import type { Plant } from '../../model/plant.ts'
import type { Language } from '../../model/text.ts'
import { problem } from '../../platform/problem.ts'
import { placeOfLadder } from './dutyChecks.ts'
import type { Findings } from './findings.ts'
import type { Path, SourceFile } from './source.ts'

type Report = (sentence: string, path: Path) => void

/** Findings about ways, at their places in duty.yaml. */
export function checkWays({ duty }: Plant, channels: readonly ChannelSettings[], source: SourceFile, findings: Findings): void {
  if (duty === undefined || duty.ladders.length === 0) return
  const report: Report = (sentence, path) => findings.warning(problem(sentence, source.place(path)))
  const served = new Set(channels.map(({ kind }) => kind))
  if (served.size === 0) {
    report('nobody can be told of anything: no channel is configured; add them under channels in fenghuo.yaml', ['ladders'])
    return
  }
  for (const ladder of duty.ladders)
    for (const [i, rung] of ladder.rungs.entries())
      checkRung(ladder, rung, served, [...placeOfLadder(source, ladder), 'steps', i, 'by'], report)
}

function checkRung({ id }: Ladder, rung: Rung, served: ReadonlySet<ChannelKind>, path: Path, report: Report): void {
  const ways = [...new Set(rung.by.flat())]
  const left = ways.filter((way) => served.has(way))
  const unserved = ways.filter((way) => !served.has(way))
  if (unserved.length === 0) return
  const add = 'add a channel under channels in fenghuo.yaml, or take it out'
  if (left.length === 0) {
    report(`a step of ladder ${id} reaches nobody: no channel serves ${unserved.join(', ')}; ${add}`, path)
    return
  }
  report(`ladder ${id} tells by ${unserved.join(', ')}, but no channel serves that; ${add}`, path)
}

/** Findings about templates that do not say where, or would cut what a rule asks for, at their place in fenghuo.yaml. */
export function checkTemplates(plant: Plant, channels: readonly ChannelSettings[], source: SourceFile, findings: Findings): void {
  const spoken = new Set((plant.duty?.people ?? []).map(({ language }) => language))
  for (const [index, channel] of channels.entries()) {
    if (!('templates' in channel)) continue
    for (const [i, { code, reasons, variables }] of channel.templates.entries()) {
      const asks = reasons === null || reasons.some((reason) => ASKING.has(reason))
      if (!asks || variables.some(({ word }) => word === 'where' || word === 'text')) continue
      const sentence = `template ${code} of channel ${channel.id} asks people to go and does not say where: add a variable that is filled by where, or by text`
      findings.warning(problem(sentence, source.place(['channels', index, 'templates', i])))
    }
    const { id, variableLength: most } = channel
    const languages = [...spoken].filter((language) => saysWhatToDo(channel.templates, language))
    const cut = plant.rules
      .map((rule) => ({ id: rule.id, length: Math.max(0, ...languages.map((language) => longestToDo(rule, language))) }))
      .filter(({ length }) => length > most)
      .sort((one, other) => other.length - one.length)
    if (cut.length === 0) continue
    const named = cut.slice(0, RULES_NAMED).map((rule) => `${rule.id} (${rule.length})`)
    const more = cut.length > RULES_NAMED ? ` and ${cut.length - RULES_NAMED} more` : ''
    const sentence = `channel ${id} cuts what is to be done to ${most} characters, and these rules ask for more: ${named.join(', ')}${more}; shorten "Do" and "Within" of their guidance, or raise variableLength as far as the vendor allows`
    findings.warning(problem(sentence, source.place(['channels', index])))
  }
}

const RULES_NAMED = 5
const ASKING: ReadonlySet<NotificationReason> = new Set(['raised', 'escalated', 'reminder'])

function saysWhatToDo(templates: Extract<ChannelSettings, { templates: unknown }>['templates'], language: Language): boolean {
  // As templates are chosen: of the language where there is one, else any.
  const raised = templates.filter(({ reasons }) => reasons === null || reasons.includes('raised'))
  const own = raised.filter((template) => template.language === language)
  return (own.length > 0 ? own : raised).some(({ variables }) => variables.some(({ word }) => word === 'toDo'))
}

function longestToDo({ guidance, tiers }: Plant['rules'][number], language: Language): number {
  return Math.max(0, ...tiers.map(({ tier }) => toDoText(adviceOf(guidance[language], tier, language), language).length))
}
