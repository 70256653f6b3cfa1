// A drill: a test alarm that goes to the people it would go to, marked as one from its first word. Pure planning here;
// what came of it becomes a signed record once everybody has answered or the time for it is over.

import type { Duty, Person } from '../model/duty.ts'
import type { ChannelKind, PlannedNotification } from '../model/notification.ts'
import type { Plant } from '../model/plant.ts'
import { addressOf, DutyPlan } from './dutyLadders.ts'
import { timeText } from './wording.ts'
import { type MessageParts, messageText, wordsFrom } from './wordingText.ts'

export interface DrillRequest {
  /** `drill#epoch-ms`. */
  readonly id: string
  readonly at: number
  /** Null: every ladder. */
  readonly site: string | null
  /** Null: everybody on the rungs of the ladders. */
  readonly person: string | null
  readonly note: string | null
}

/** One message to each person by each way that the ladders would use, all at once. Empty where nobody is behind it. */
export function planDrill(plant: Plant, request: DrillRequest): PlannedNotification[] {
  const plan = new DutyPlan(plant)
  const wanted = new Map<string, { person: Person; channel: ChannelKind; ladder: string; rung: number }>()
  const want = (person: Person, channel: ChannelKind, ladder: string, rung: number): void => {
    const key = `${person.id}~${channel}`
    if (!wanted.has(key)) wanted.set(key, { person, channel, ladder, rung })
  }
  const only = request.person === null ? null : plan.people.get(request.person)
  if (only === undefined) return []
  if (only !== null) for (const channel of waysOf(only)) want(only, channel, '', 0)
  else
    for (const ladder of laddersFor(plan.duty, plant, request.site)) {
      const place = { device: null, area: null, site: request.site, enterprise: enterpriseOf(plant, request.site) }
      for (const [index, rung] of ladder.rungs.entries()) {
        for (const called of plan.called(rung, place, request.at)) {
          if (called.kind === 'nobody') continue
          for (const channel of rung.by.flat()) want(called.person, channel, ladder.id, index + 1)
        }
      }
    }
  return [...wanted.values()].map((one) => planned(plant, request, one))
}

function laddersFor(duty: Duty | null, plant: Plant, site: string | null): Duty['ladders'] {
  const enterprise = enterpriseOf(plant, site)
  return (duty?.ladders ?? []).filter(
    ({ appliesTo }) =>
      site === null ||
      ((appliesTo.site === null || appliesTo.site === site) && (appliesTo.enterprise === null || appliesTo.enterprise === enterprise))
  )
}

function enterpriseOf(plant: Plant, site: string | null): string | null {
  return plant.sites.find(({ id }) => id === site)?.enterprise ?? null
}

function waysOf(person: Person): ChannelKind[] {
  const ways = Object.keys(person.addresses) as ChannelKind[]
  return person.user !== null && !ways.includes('push') ? [...ways, 'push'] : ways
}

function planned(
  plant: Plant,
  { id, at, site, note }: DrillRequest,
  { person, channel, ladder, rung }: { person: Person; channel: ChannelKind; ladder: string; rung: number }
): PlannedNotification {
  const zh = person.language === 'zh'
  const name = plant.sites.find((one) => one.id === site)?.name[person.language]
  const parts: MessageParts = {
    where: name ?? (zh ? '全部站点' : 'All sites'),
    what: zh ? '演练：报警通知测试，不是真实报警' : 'DRILL: a test of alarm messages, not a real alarm',
    howMuch: note ?? '',
    todo: zh ? '请回复 1 或点击确认' : 'answer 1, or press the button',
    within: '',
    when: timeText(at, person.zone, person.language)
  }
  const address = addressOf(person, channel)
  return {
    ...{ id: `${id}~${person.id}~${channel}`, at, reason: 'drill', alarms: [], tier: 'red', site, ladder, rung, occurrence: 1, channel },
    enterprise: enterpriseOf(plant, site) ?? person.enterprise,
    person: person.id,
    address,
    language: person.language,
    words: wordsFrom(parts, person.language),
    text: messageText(channel, parts, person.language, true),
    drill: true,
    withheld: address === null ? 'noAddress' : null
  }
}
