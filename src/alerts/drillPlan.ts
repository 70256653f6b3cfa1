// What a drill climbs: the ladder that a real alarm at that place and tier would climb, over the people and rotas of the plant,
// and what its messages say: that they are a drill, before and after everything else. Pure.

import { type Alarm, UNTOUCHED } from '../model/alarm.ts'
import type { DrillAsked } from '../model/drill.ts'
import type { Ladder, Person, Rung } from '../model/duty.ts'
import type { ChannelKind, PlannedNotification } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import { LIMITS } from '../platform/limits.ts'
import type { Held, Queue } from './digests.ts'
import { type AlarmPlace, DutyPlan } from './dutyLadders.ts'
import { type Messages, messageId, NOBODY, type Sheet } from './ladderMessages.ts'
import { timeText, Wording } from './wording.ts'
import { TIER_NAMES } from './wordingGuidance.ts'
import { type MessageParts, messageText, wordsFrom } from './wordingText.ts'

/** Where a drill is and what it climbs, under one plant. */
export interface DrillPlan {
  /** Null: no ladder takes an alarm there, so nobody would be told. Empty: the ways of one person. */
  readonly ladder: string | null
  readonly place: AlarmPlace
  /** The plant whose only ladder is the one climbed, each delay divided. */
  readonly plant: Plant
  readonly messages: Messages
  /** How long after the last call somebody may still answer. */
  readonly patienceMs: number
}

export function planOfDrill(plant: Plant, id: string, asked: DrillAsked): DrillPlan {
  const plan = new DutyPlan(plant)
  const place = placeOf(plan, asked)
  const person = asked.person === null ? null : plan.people.get(asked.person)
  const found = person === null ? plan.ladderOf(asked.rule ?? '', asked.tier, place) : person === undefined ? null : waysOf(person)
  const ladder = found === null ? null : climbed(found, asked.factor)
  return {
    ladder: ladder?.id ?? null,
    place,
    plant: drillPlant(plant, id, place, ladder),
    messages: new DrillMessages(plant, asked, place),
    patienceMs: Math.max(LIMITS.drill.leastPatienceMs, Math.ceil((LIMITS.drill.patienceMs + (found?.receiptWithinMs ?? 0)) / asked.factor))
  }
}

/** The alarm that stands in for a real one. Where no device is meant, it is of an area that `drillPlant` adds to the site. */
export function drillAlarm(id: string, { device, rule, tier }: DrillAsked, at: number): Alarm {
  const subject = { device, area: device === null ? id : null }
  return { ...UNTOUCHED, id, rule: rule ?? '', ...subject, tier, worstTier: tier, raisedAt: at, clearedAt: null, because: '' }
}

function placeOf(plan: DutyPlan, { device, site, person }: DrillAsked): AlarmPlace {
  if (device !== null) return plan.placeOf({ device, area: null })
  const { enterprise = null } = plan.plant.sites.find(({ id }) => id === site) ?? {}
  const own = person === null ? null : (plan.people.get(person)?.enterprise ?? null)
  return { device: null, area: null, site, enterprise: enterprise ?? own }
}

/** Every way of the person, all at once, one time. */
function waysOf({ id, addresses, user }: Person): Ladder {
  const ways = Object.keys(addresses) as ChannelKind[]
  const by = user !== null && !ways.includes('push') ? [...ways, 'push' as const] : ways
  const rung: Rung = { afterMs: 0, tell: [{ kind: 'person', id }], by: [by], repeatMs: null, times: 1 }
  const anything = { tiers: null, rules: null, area: null, site: null, enterprise: null }
  return { id: '', appliesTo: anything, rungs: by.length === 0 ? [] : [rung], receiptWithinMs: null }
}

function climbed(ladder: Ladder, factor: number): Ladder {
  const shorter = (ms: number): number => Math.ceil(ms / factor)
  return {
    id: ladder.id,
    appliesTo: { tiers: null, rules: null, area: null, site: null, enterprise: null },
    rungs: ladder.rungs.map((rung) => ({
      ...rung,
      afterMs: shorter(rung.afterMs),
      repeatMs: rung.repeatMs === null ? null : shorter(rung.repeatMs)
    })),
    // However short the rest: a receipt takes its time.
    receiptWithinMs:
      ladder.receiptWithinMs === null
        ? null
        : Math.min(ladder.receiptWithinMs, Math.max(LIMITS.drill.leastReceiptMs, shorter(ladder.receiptWithinMs)))
  }
}

/** A drill is alone in its plant: nothing groups it with an alarm, and it holds back none. */
function drillPlant(plant: Plant, id: string, { device, site }: AlarmPlace, ladder: Ladder | null): Plant {
  const { duty } = plant
  if (duty === undefined || ladder === null) return plant
  const area = device === null && site !== null ? [{ id, site, name: { zh: '', en: '' } }] : []
  const areas = [...plant.areas, ...area] as Plant['areas']
  return { ...plant, areas, duty: { ...duty, ladders: [ladder], groupWindowMs: 0, throttle: null } }
}

/** Says first and last that it is a drill; asks for the answer that is being tried. */
class DrillMessages implements Messages {
  readonly digests = false
  readonly #wording: Wording
  readonly #plant: Plant
  readonly #asked: DrillAsked
  readonly #place: AlarmPlace

  constructor(plant: Plant, asked: DrillAsked, place: AlarmPlace) {
    this.#wording = new Wording(plant)
    this.#plant = plant
    this.#asked = asked
    this.#place = place
  }

  one(sheet: Sheet): PlannedNotification {
    const { run, rung, occurrence, at, to, channel, address, withheld } = sheet
    const { language, zone } = typeof to === 'string' ? NOBODY : to
    const parts = this.#parts(language, timeText(at, zone, language), occurrence > 1)
    const { site, enterprise } = this.#place
    return {
      ...{ id: messageId({ ...sheet, reason: 'drill' }), at, reason: 'drill', alarms: [run.alarm.id], tier: run.alarm.tier },
      ...{ site, enterprise, ladder: run.ladder ?? '', rung, occurrence, channel, address, language, withheld },
      person: typeof to === 'string' ? to : to.id,
      words: wordsFrom(parts, language),
      text: messageText(channel, parts, language, true),
      drill: true
    }
  }

  many(_queue: Queue, _items: readonly Held[], _person: Person): PlannedNotification {
    throw new Error('a drill has no digests')
  }

  #parts(language: 'zh' | 'en', when: string, again: boolean): MessageParts {
    const { device, rule, tier, note } = this.#asked
    const zh = language === 'zh'
    const { sites, enterprises, rules } = this.#plant
    const { site, enterprise } = this.#place
    const name = (sites.find(({ id }) => id === site) ?? enterprises.find(({ id }) => id === enterprise))?.name[language]
    const title = rules.find(({ id }) => id === rule)?.title[language]
    const what = `${zh ? '演练,不是真实报警' : 'a drill, not a real alarm'}${title === undefined ? '' : `${zh ? ':' : ': '}${title}`}`
    const tierName = TIER_NAMES[tier][language]
    const still = again ? (zh ? ',尚未确认' : ', not yet acknowledged') : ''
    return {
      where: device === null ? (name ?? (zh ? '报警通知' : 'Alarm messages')) : this.#wording.where({ device, area: null }, language),
      what: zh ? `${what}(${tierName}${still})` : `${what} (${tierName}${still})`,
      howMuch: note ?? '',
      todo: zh ? '回复1或点击确认' : 'answer 1, or press the button',
      within: '',
      when
    }
  }
}
