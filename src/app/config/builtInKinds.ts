// The built-in rules by name: what each asks of a metric or device, its tier and delays, and what it tells in both languages.

import type { Metric, Profile } from '../../model/plant.ts'
import type { Text } from '../../model/text.ts'
import type { Tier } from '../../model/tier.ts'
import { formatDuration } from '../../platform/duration.ts'

export type BuiltInName = 'sensor-stuck' | 'sensor-out-of-range' | 'sensor-below-zero' | 'sensor-faulty' | 'device-silent' | 'clock-wrong'

/** What a condition is made for; `also`: another built-in rule watches the same. */
interface Subject {
  readonly profile: Profile
  readonly metric: Metric | null
  readonly afterMs: number | null
  also(other: BuiltInName): boolean
}

export interface BuiltIn {
  readonly perMetric: boolean
  readonly tier: Tier
  readonly forMs: number
  readonly clearForMs: number
  readonly source: string
  fits(metric: Metric): boolean
  condition(subject: Subject): { readonly when: string; readonly clear: string | null }
  words(profile: Text, metric: Text): { readonly title: Text; readonly guidance: Text }
}

const MINUTE = 60_000
const always = (): boolean => true
const nameOf = ({ metric }: Subject): string => metric?.id ?? ''

/** A switch or bit, not a measurement. */
export function isState({ unit, min, max }: Metric): boolean {
  return unit === '1' && min === 0 && max === 1
}

export function isBuiltIn(name: string): name is BuiltInName {
  return Object.hasOwn(BUILT_INS, name)
}

export const BUILT_INS: Readonly<Record<BuiltInName, BuiltIn>> = {
  'sensor-stuck': {
    perMetric: true,
    tier: 'blue',
    forMs: 0,
    clearForMs: 0,
    source: 'A measured value that never moves is a fault symptom; how long is the stuckAfter of the metric. Configurable default.',
    fits: ({ stuckAfterMs }) => stuckAfterMs !== null,
    condition: (subject) => ({ when: `stuck(${nameOf(subject)})`, clear: null }),
    words: (profile, metric) => ({
      title: { zh: `${profile.zh}:${metric.zh}卡滞`, en: `${profile.en}: ${small(metric.en)} stuck` },
      guidance: {
        zh: `原因:${metric.zh}测量卡死、冻结、被旁路或零点钳位。后果:显示正常而实际变化无人知晓。处置:与就地表比对,做零点与量程测试,必要时更换。时限:1 天内。`,
        en: `Cause: the measurement of the ${small(metric.en)} is jammed, frozen, bypassed or clamped at zero. Consequence: it looks well while the truth moves unseen. Do: compare with the local gauge, test zero and span, replace if need be. Within: 1 day.`
      }
    })
  },
  'sensor-out-of-range': {
    perMetric: true,
    tier: 'yellow',
    forMs: MINUTE,
    clearForMs: MINUTE,
    source: 'A value outside the min and max of the metric is impossible, so it is the sensor. Configurable default.',
    fits: always,
    condition: (subject) => ({ when: `outOfRange(${nameOf(subject)})`, clear: null }),
    words: (profile, metric) => ({
      title: { zh: `${profile.zh}:${metric.zh}超量程`, en: `${profile.en}: ${small(metric.en)} out of range` },
      guidance: {
        zh: `原因:断线、短路、量程设置错误或零点严重漂移。后果:${metric.zh}不可用,相关报警不会动作。处置:改用就地表人工记录,查接线与量程。时限:1 小时内。`,
        en: `Cause: a broken or shorted line, a wrong span, or a zero far off. Consequence: the ${small(metric.en)} is unknown and its alarms do not act. Do: read the local gauge by hand, check wiring and span. Within: 1 hour.`
      }
    })
  },
  'sensor-below-zero': {
    perMetric: true,
    tier: 'blue',
    forMs: 10 * MINUTE,
    clearForMs: 10 * MINUTE,
    source: 'A negative value that lasts is a zero that drifts; how far is the zeroDrift of the metric. Configurable default.',
    fits: ({ zeroDrift }) => zeroDrift !== undefined,
    condition: ({ metric }) => {
      const drift = metric?.zeroDrift ?? 0
      return { when: `${metric?.id} < -${drift}`, clear: `${metric?.id} >= -${drift / 2}` }
    },
    words: (profile, metric) => ({
      title: { zh: `${profile.zh}:${metric.zh}零点漂移`, en: `${profile.en}: ${small(metric.en)} drifts below zero` },
      guidance: {
        zh: `原因:传感器零点向负漂移。后果:${metric.zh}读数偏低,报警迟到。处置:用标准气或标准器校零,无法校回则更换。时限:1 天内。`,
        en: `Cause: the zero of the sensor drifts downwards. Consequence: the ${small(metric.en)} reads too low and alarms come late. Do: calibrate the zero; replace the sensor if it will not hold. Within: 1 day.`
      }
    })
  },
  'sensor-faulty': {
    perMetric: true,
    tier: 'yellow',
    forMs: MINUTE,
    clearForMs: MINUTE,
    source: 'The device itself calls the value bad. Configurable default.',
    fits: always,
    // Where being out of range is an alarm of its own, one cause raises one alarm.
    condition: (subject) => {
      const metric = nameOf(subject)
      return {
        when: subject.also('sensor-out-of-range') ? `faulty(${metric}) && !outOfRange(${metric})` : `faulty(${metric})`,
        clear: null
      }
    },
    words: (profile, metric) => ({
      title: { zh: `${profile.zh}:${metric.zh}传感器故障`, en: `${profile.en}: ${small(metric.en)} sensor faulty` },
      guidance: {
        zh: `原因:传感器断线、损坏或检修未登记。后果:${metric.zh}失去监控,相关报警不会动作。处置:改用就地表或便携仪人工监护,修复或更换。时限:1 小时内。`,
        en: `Cause: a broken line, a broken sensor, or unannounced maintenance. Consequence: the ${small(metric.en)} is not watched and its alarms do not act. Do: watch by a local gauge or a portable meter, repair or replace it. Within: 1 hour.`
      }
    })
  },
  'device-silent': {
    perMetric: false,
    tier: 'yellow',
    forMs: 0,
    clearForMs: 0,
    source: 'The silentAfter of the profile. Configurable default.',
    fits: always,
    condition: ({ profile, afterMs }) => ({ when: `silent('${formatDuration(afterMs ?? profile.silentAfterMs)}')`, clear: null }),
    words: (profile) => ({
      title: { zh: `${profile.zh}离线`, en: `${profile.en} not reporting` },
      guidance: {
        zh: '原因:断电、线路断开、信号差或网关停机。后果:该设备失去监控。处置:查供电、通信与网关,恢复前派人现场巡检。时限:30 分钟内。',
        en: 'Cause: no power, a broken line, no signal, or the gateway is down. Consequence: this device is not watched. Do: check supply, link and gateway, patrol on site until it is back. Within: 30 minutes.'
      }
    })
  },
  'clock-wrong': {
    perMetric: false,
    tier: 'blue',
    forMs: 10 * MINUTE,
    clearForMs: 10 * MINUTE,
    source: 'Time stamps before 2000, or further ahead than clockSkew, are not believed (fenghuo.yaml). Configurable default.',
    fits: always,
    condition: () => ({ when: 'clockWrong()', clear: null }),
    words: (profile) => ({
      title: { zh: `${profile.zh}时钟错误`, en: `${profile.en}: clock wrong` },
      guidance: {
        zh: '原因:设备时钟未校时、电池耗尽或时区设置错误。后果:补传数据的时刻不可信,事后分析出错。处置:对时,检查校时服务与时区。时限:1 天内。',
        en: 'Cause: the clock was never set, its battery is empty, or the time zone is wrong. Consequence: what is sent later cannot be placed in time. Do: set the clock, check its time service and zone. Within: 1 day.'
      }
    })
  }
}

/** `Level` inside a sentence; abbreviations stay. */
function small(name: string): string {
  return /^[A-Z][a-z]/.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name
}
