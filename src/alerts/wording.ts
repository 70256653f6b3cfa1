// What a message says, from the alarm and the plant: where, what, how much, what to do and in how long. No word in it is more
// urgent than the alarm. Worked out once per plant: names, guidance and units are looked up, never searched for.

import type { Alarm } from '../model/alarm.ts'
import type { NotificationReason } from '../model/notification.ts'
import type { Metric, Plant, Rule } from '../model/plant.ts'
import type { Language, Text } from '../model/text.ts'
import { LEVELS, type Level, TIERS, type Tier } from '../model/tier.ts'
import { LIMITS } from '../platform/limits.ts'
import { Zone } from '../platform/zone.ts'
import { type Advice, adviceOf, TIER_NAMES } from './wordingGuidance.ts'
import { measured } from './wordingMeasure.ts'
import type { MessageParts } from './wordingText.ts'

/** One alarm in a message: why it is told, and the level that it had before. */
export interface Told {
  readonly alarm: Pick<Alarm, 'rule' | 'device' | 'area' | 'tier' | 'because'>
  readonly reason: NotificationReason
  readonly from: Level | null
}

const NOT_YET = { zh: ',尚未确认', en: ', not yet acknowledged' } as const
const NOTHING_TO_DO: Advice = { todo: '', within: '' }
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

export class Wording {
  readonly #plant: Plant
  readonly #devices: ReadonlyMap<string, Plant['devices'][number]>
  readonly #areas: ReadonlyMap<string, Plant['areas'][number]>
  readonly #sites: ReadonlyMap<string, Plant['sites'][number]>
  readonly #enterprises: ReadonlyMap<string, Text>
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #metrics: ReadonlyMap<string, ReadonlyMap<string, Metric>>
  readonly #allMetrics: ReadonlyMap<string, Metric>
  readonly #advice = new Map<string, Advice>()

  constructor(plant: Plant) {
    this.#plant = plant
    this.#devices = new Map(plant.devices.map((device) => [device.id, device]))
    this.#areas = new Map(plant.areas.map((area) => [area.id, area]))
    this.#sites = new Map(plant.sites.map((site) => [site.id, site]))
    this.#enterprises = new Map(plant.enterprises.map(({ id, name }) => [id, name]))
    this.#rules = new Map(plant.rules.map((rule) => [rule.id, rule]))
    this.#metrics = new Map(plant.profiles.map(({ id, metrics }) => [id, new Map(metrics.map((metric) => [metric.id, metric]))]))
    this.#allMetrics = new Map(plant.profiles.flatMap(({ metrics }) => metrics.map((metric): [string, Metric] => [metric.id, metric])))
  }

  /** The parts of a message about one alarm, as of `at`, told in the person's language and local time. */
  one(told: Told, at: number, language: Language, zone: string): MessageParts {
    const { alarm, reason } = told
    const advice = reason === 'cleared' ? NOTHING_TO_DO : this.#adviceOf(alarm.rule, alarm.tier, language)
    const howMuch = reason === 'cleared' ? '' : measured(alarm.because, this.#metricsOf(alarm.device), language)
    return { where: this.where(alarm, language), what: this.what(told, language), howMuch, ...advice, when: timeText(at, zone, language) }
  }

  /** One message instead of many: how many of each tier, and the most severe ones by name. `all` has at least two, ordered. */
  many(
    all: readonly Told[],
    place: { site: string | null; enterprise: string | null },
    at: number,
    language: Language,
    zone: string
  ): MessageParts {
    const zh = language === 'zh'
    const named = all.slice(0, LIMITS.duty.alarmsTold)
    const list = named.map((told) => `${this.where(told.alarm, language)} ${this.what(told, language)}`)
    const more = all.length - named.length
    const rest = more === 0 ? '' : zh ? `等 ${all.length} 条` : ` and ${more} more`
    return {
      where: this.#placeName(place, language),
      what: countText(all, language),
      howMuch: `${list.join(zh ? ';' : '; ')}${rest}`,
      todo: zh ? '打开控制台查看全部' : 'see all of them in the console',
      within: '',
      when: timeText(at, zone, language)
    }
  }

  /** Site, area and device: where to go. */
  where({ device, area }: Pick<Alarm, 'device' | 'area'>, language: Language): string {
    const known = device === null ? undefined : this.#devices.get(device)
    const inArea = this.#areas.get(known?.area ?? area ?? '')
    const site = this.#sites.get(known?.site ?? inArea?.site ?? '')
    const id = device ?? area ?? ''
    const name = known?.name[language] ?? (device === null ? '' : device)
    const parts = [site?.name[language] ?? '', inArea?.name[language] ?? (device === null ? id : ''), withId(name, device)]
    return parts.filter((part) => part !== '').join(' ')
  }

  /** The rule's title and the tier, with what has become of it. */
  what({ alarm, reason, from }: Told, language: Language): string {
    const zh = language === 'zh'
    const title = this.#rules.get(alarm.rule)?.title[language] ?? alarm.rule
    const tier = TIER_NAMES[alarm.tier][language]
    const before = from === null || from === 'clear' ? null : TIER_NAMES[from][language]
    return zh ? `${title}(${turnZh(reason, tier, before)})` : `${title} (${turnEn(reason, tier, before)})`
  }

  #adviceOf(rule: string, tier: Tier, language: Language): Advice {
    const key = `${rule} ${tier} ${language}`
    let advice = this.#advice.get(key)
    if (advice === undefined) {
      advice = adviceOf(this.#rules.get(rule)?.guidance[language] ?? '', tier, language)
      this.#advice.set(key, advice)
    }
    return advice
  }

  #metricsOf(device: string | null): ReadonlyMap<string, Metric> {
    const profile = device === null ? undefined : this.#devices.get(device)?.profile
    return (profile === undefined ? undefined : this.#metrics.get(profile)) ?? this.#allMetrics
  }

  #placeName({ site, enterprise }: { site: string | null; enterprise: string | null }, language: Language): string {
    const name = this.#sites.get(site ?? '')?.name ?? this.#enterprises.get(enterprise ?? '') ?? this.#plant.enterprises[0]?.name
    return name?.[language] ?? (language === 'zh' ? '全部' : 'All sites')
  }
}

/** What a reminder is about, told to whoever has answered it. */
export function withoutReminder(what: string): string {
  return what.replace(NOT_YET.zh, '').replace(NOT_YET.en, '')
}

/** The local time of a person: `1月31日 08:05`, `31 Jan 08:05`. */
export function timeText(at: number, zone: string, language: Language): string {
  const { day, minute } = (Zone.named(zone) ?? (Zone.named('UTC') as Zone)).wallClock(at)
  const date = new Date(day * 86_400_000)
  const clock = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(Math.floor(minute % 60)).padStart(2, '0')}`
  if (language === 'zh') return `${date.getUTCMonth() + 1}月${date.getUTCDate()}日 ${clock}`
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${clock}`
}

/** The more severe first; of one tier the earlier told first. */
export function bySeverity(one: Told, other: Told): number {
  return LEVELS.indexOf(other.alarm.tier) - LEVELS.indexOf(one.alarm.tier)
}

function withId(name: string, id: string | null): string {
  return id === null || name.includes(id) ? name : name === '' ? id : `${name} ${id}`
}

function turnZh(reason: NotificationReason, tier: string, before: string | null): string {
  switch (reason) {
    case 'escalated':
      return before === null ? tier : `由${before}升为${tier}`
    case 'eased':
      return before === null ? tier : `由${before}降为${tier}`
    case 'cleared':
      return `${tier},已恢复`
    case 'reminder':
      return `${tier}${NOT_YET.zh}`
    default:
      return tier
  }
}

function turnEn(reason: NotificationReason, tier: string, before: string | null): string {
  switch (reason) {
    case 'escalated':
      return before === null ? tier : `${tier}, up from ${before}`
    case 'eased':
      return before === null ? tier : `${tier}, down from ${before}`
    case 'cleared':
      return `${tier}, cleared`
    case 'reminder':
      return `${tier}${NOT_YET.en}`
    default:
      return tier
  }
}

/** `37 条报警:橙色 2,黄色 30,蓝色 5`; those that have cleared are counted apart. */
function countText(all: readonly Told[], language: Language): string {
  const zh = language === 'zh'
  const cleared = all.filter(({ reason }) => reason === 'cleared').length
  const standing = all.filter(({ reason }) => reason !== 'cleared')
  const counts = TIERS.toReversed().flatMap((tier) => {
    const count = standing.filter(({ alarm }) => alarm.tier === tier).length
    return count === 0 ? [] : [zh ? `${TIER_NAMES[tier].zh} ${count}` : `${count} ${TIER_NAMES[tier].en}`]
  })
  if (cleared > 0) counts.push(zh ? `已恢复 ${cleared}` : `${cleared} cleared`)
  return zh ? `${all.length} 条报警:${counts.join(',')}` : `${all.length} alarms: ${counts.join(', ')}`
}
