// How much, in the words of people: the reason of an alarm (`level_pct 86.1 > 85 for 5s`) with the names and units of the
// plant in place of the metrics' ids. What it does not know stays as it is: no number is ever lost or changed.

import type { Metric } from '../model/plant.ts'
import type { Language } from '../model/text.ts'
import { inChinese } from './reasonZh.ts'

const NUMBER = '-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?'
const UNITS: Readonly<Record<string, { readonly zh: string; readonly en: string }>> = {
  min: { zh: '分钟', en: 'min' },
  deg: { zh: '°', en: '°' },
  m3: { zh: 'm³', en: 'm³' },
  'm3/h': { zh: 'm³/h', en: 'm³/h' },
  'mg/m3': { zh: 'mg/m³', en: 'mg/m³' }
}
const MEASURED = new RegExp(`(?<![\\w.-])([a-z][a-z0-9_]*)( ${NUMBER})?( (?:[<>]=?|==|!=) )?(${NUMBER})?(?![\\w.(])`, 'g')

/** The reason in this language. `metrics` are those of the alarm's device, or of all devices that it may name. */
export function measured(because: string, metrics: ReadonlyMap<string, Metric>, language: Language): string {
  // Whoever switched a state on by hand has used words of their own.
  const byHand = /^switched on by ([^:]+)(: [\s\S]*)?$/.exec(because)
  if (byHand !== null) return language === 'zh' ? `由 ${byHand[1]} 进入${byHand[2] ?? ''}` : because
  let text = because.replaceAll(
    MEASURED,
    (whole, id: string, value: string | undefined, operator: string | undefined, limit: string | undefined) => {
      const metric = metrics.get(id)
      if (metric === undefined) return whole
      if (isSwitch(metric) && value !== undefined) return switchText(metric, Number(value), language)
      const unit = unitOf(metric, language)
      const tail = operator === undefined ? '' : `${operator}${limit === undefined ? '' : `${limit}${unit}`}`
      return `${metric.name[language]}${value === undefined ? '' : `${value}${unit}`}${tail}`
    }
  )
  // Behind a function stands what it was worked out from: its unit is not the metric's.
  text = text.replaceAll(' >= ', ' ≥ ').replaceAll(' <= ', ' ≤ ').replaceAll(' == ', ' = ').replaceAll(' != ', ' ≠ ')
  return language === 'zh' ? inChinese(text) : text
}

function isSwitch({ unit, min, max }: Metric): boolean {
  return unit === '1' && min === 0 && max === 1
}

function switchText({ name }: Metric, value: number, language: Language): string {
  if (value === 1) return name[language]
  return language === 'zh' ? `${name.zh}:否` : `${name.en}: no`
}

function unitOf({ unit }: Metric, language: Language): string {
  if (unit === '1') return ''
  const text = UNITS[unit]?.[language] ?? unit
  return text.startsWith('%') || text.startsWith('°') ? text : ` ${text}`
}
