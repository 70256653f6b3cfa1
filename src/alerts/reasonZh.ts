// The reasons that the judge gives, in Chinese: for an alarm, for what is withheld, for what cannot be judged. The judge writes
// them in one bounded language; what is not part of it, names and numbers above all, stays as it is.

import { TIER_NAMES } from './wordingGuidance.ts'

const SPAN = '(?:\\d+(?:\\.\\d+)?(?:ms|s|m|h|d))+'
const LENGTH = new RegExp(`(?<![\\w.-])${SPAN}(?![\\w-])`, 'g')
const SPANS: Readonly<Record<string, string>> = { ms: '毫秒', s: '秒', m: '分钟', h: '小时', d: '天' }
const FUNCTIONS: Readonly<Record<string, string>> = {
  delta: '变化量',
  rate: '每分钟变化',
  avg: '平均值',
  min: '最小值',
  max: '最大值',
  timeTo: '到达限值的分钟数',
  abs: '绝对值'
}
/** `yellow: …`, and `red is above orange`. */
const TIER = /^(?:blue|yellow|orange|red)(?=: |高于)|(?<=高于)(?:blue|yellow|orange|red)$/g

/** A phrase with lengths of time in it, each written SPAN. */
function spans({ raw: [phrase = ''] }: TemplateStringsArray): RegExp {
  return new RegExp(phrase.replaceAll('SPAN', `(${SPAN})`), 'g')
}

/** In order: what another phrase is part of comes after it. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  // What a rule of now says of its tiers.
  [/stays on: whether it may leave is unknown: /g, '保持,能否解除无法判断:'],
  [/stays on until an operator resets it; its exit is met: /g, '保持,待操作员复位,解除条件已满足:'],
  [/not on: unknown: /g, '无法判断:'],
  [spans`; what has lasted for SPAN of SPAN waits until it is known again`, ';已持续 $1(需 $2),恢复后继续计时'],
  [/ has lasted long enough and is decided at the next reading/g, ',时间已够,下次上报时判定'],
  [/ is decided at the next reading/g, ',下次上报时判定'],
  [spans` holds since SPAN of SPAN`, ',已持续 $1(需 $2)'],
  [/stays on: /g, '保持:'],
  [/not on: /g, '未达到:'],
  [/not yet: /g, '尚未:'],
  [/leaving: /g, '将解除:'],
  // Why it cannot be judged.
  [/the device has not reported yet/g, '设备从未上报'],
  [/ has not reported yet/g, ' 从未上报'],
  [/ has not reported since the gateway went offline or the rule was made/g, ' 自网关离线或规则建立以来未上报'],
  [/ has not been reported, or not since the gateway went offline/g, '未上报,或网关离线后未再上报'],
  [spans` was last reported SPAN ago and counts for SPAN`, '上次上报在 $1前,超过有效期 $2'],
  [spans` last reported SPAN ago, which counts for SPAN`, ' 上次上报在 $1前,超过有效期 $2'],
  [/ was last reported too long ago/g, '太久没有上报'],
  [spans`no value of (.+?) is known from SPAN ago`, '$1在 $2前没有已知值'],
  [spans`too few good samples of (.+?) in the last SPAN`, '$1最近 $2内有效样本太少'],
  [/ has no limit (\S+)/g, ' 没有限值 $1'],
  [/ is no number/g, ' 算不出数值'],
  // Facts.
  [spans`nothing received for SPAN`, '$1未收到数据'],
  [spans`received within SPAN`, '$1内收到过数据'],
  [spans` unchanged for SPAN`, '持续 $1无变化'],
  [/ has changed/g, '有变化'],
  [/ is stuck/g, '卡滞'],
  [/ is not faulty/g, '无故障'],
  [/ is faulty/g, '故障'],
  [/ is not out of range/g, '未超量程'],
  [/ is out of range/g, '超量程'],
  [/its clock is right, or it has none/g, '设备时钟正确或不带时间'],
  [/its clock is wrong/g, '设备时钟错误'],
  [/, reset by an operator/g, ',由操作员复位'],
  [/^rule removed$/g, '规则已移除'],
  // Votes.
  [/only (\d+) of (\d+) devices/g, '$2 台中仅 $1 台'],
  [/(\d+) of (\d+) devices/g, '$2 台中 $1 台'],
  [/voted by (\d+)/g, '$1 台表决'],
  [/degraded from (\d+)oo(\d+) to (\d+)oo(\d+): /g, '由 $2 取 $1 降为 $4 取 $3:'],
  [/台( \(.*?\))?: /g, '台$1:'],
  [/(?:^| )and (\d+) more/g, ' 等另 $1 台'],
  [/^and more$/g, '等'],
  // What is withheld by plan.
  [/^it was so before$/g, '此前已是如此'],
  [/^its time is over$/g, '时间已到'],
  [/^its source is over$/g, '起因已结束'],
  [/^its hours have begun$/g, '时段已开始'],
  [/^its hours are over$/g, '时段已结束'],
  [/^it is no longer configured$/g, '配置中已没有这一项'],
  [/^it does not hold back this alarm any more$/g, '不再抑制这条告警'],
  [/^of something elsewhere$/g, '起因在别处'],
  [/ is over: /g, ' 已结束:'],
  [/ is above /g, '高于'],
  // Joined.
  [/ not in \[/g, ' 不属于 ['],
  [/ in \[/g, ' 属于 ['],
  [/ or /g, ' 或 '],
  [/ and /g, ','],
  [/ is unknown/g, '未知'],
  [/\bunknown\b/g, '未知'],
  [/\bInfinity\b/g, '无穷大'],
  [/^true\b/g, '恒成立'],
  [/^false\b/g, '恒不成立'],
  [/ for (?=\d)/g, ',持续 ']
]

/** The reason, with the names of metrics already in it. */
export function inChinese(reason: string): string {
  let text = reason
  for (const [phrase, said] of PHRASES) text = text.replaceAll(phrase, said)
  return text
    .replaceAll(TIER, (tier) => TIER_NAMES[tier as keyof typeof TIER_NAMES].zh)
    .replaceAll(/\b(delta|rate|avg|min|max|timeTo|abs)\(/g, (_whole, name: string) => `${FUNCTIONS[name]}(`)
    .replaceAll(LENGTH, (span: string) =>
      span.replaceAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g, (_whole, count: string, unit: string) => `${count} ${SPANS[unit]}`)
    )
    .replaceAll(/(\d (?:毫秒|秒|分钟|小时|天))(?=\d)/g, '$1 ')
}
