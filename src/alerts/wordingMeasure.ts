// How much, in the words of people: the reason of an alarm (`level_pct 86.1 > 85 for 5s`) with the names and units of the
// plant in place of the metrics' ids. What it does not know stays as it is: no number is ever lost or changed.

import type { Metric } from '../model/plant.ts'
import type { Language } from '../model/text.ts'

const NUMBER = '-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?'
const UNITS: Readonly<Record<string, { readonly zh: string; readonly en: string }>> = {
  min: { zh: '分钟', en: 'min' },
  deg: { zh: '°', en: '°' },
  m3: { zh: 'm³', en: 'm³' },
  'm3/h': { zh: 'm³/h', en: 'm³/h' },
  'mg/m3': { zh: 'mg/m³', en: 'mg/m³' }
}
const SPANS: Readonly<Record<string, string>> = { ms: '毫秒', s: '秒', m: '分钟', h: '小时', d: '天' }
const FUNCTIONS_ZH: Readonly<Record<string, string>> = {
  delta: '变化量',
  rate: '每分钟变化',
  avg: '平均值',
  min: '最小值',
  max: '最大值',
  timeTo: '到达限值的分钟数',
  abs: '绝对值'
}

/** The reason in this language. `metrics` are those of the alarm's device, or of all devices that it may name. */
export function measured(because: string, metrics: ReadonlyMap<string, Metric>, language: Language): string {
  let text = because.replaceAll(
    new RegExp(`(?<![\\w.-])([a-z][a-z0-9_]*)( ${NUMBER})?( (?:[<>]=?|==|!=) )?(${NUMBER})?(?![\\w.(])`, 'g'),
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

function inChinese(text: string): string {
  return text
    .replaceAll(/nothing received for (\S+)/g, '$1未收到数据')
    .replaceAll(/(\S+) unchanged for (\S+)/g, '$1持续$2无变化')
    .replaceAll(/(\S+) is not faulty/g, '$1无故障')
    .replaceAll(/(\S+) is faulty/g, '$1故障')
    .replaceAll(/(\S+) is stuck/g, '$1卡滞')
    .replaceAll(/(\d+) of (\d+) devices: /g, '$2 台中 $1 台:')
    .replaceAll(/ and (\d+) more/g, ' 等另 $1 台')
    .replaceAll(' and ', ',')
    .replaceAll('unknown', '未知')
    .replaceAll(/\b(delta|rate|avg|min|max|timeTo|abs)\(/g, (_whole, name: string) => `${FUNCTIONS_ZH[name]}(`)
    .replaceAll(/ for (?=\d)/g, ',持续 ')
    .replaceAll(/(?<![\w.-])((?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+)(?![\w-])/g, (span: string) =>
      span.replaceAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g, (_whole, count: string, unit: string) => `${count} ${SPANS[unit]}`)
    )
    .replaceAll(/(\d (?:毫秒|秒|分钟|小时|天))(?=\d)/g, '$1 ')
}
