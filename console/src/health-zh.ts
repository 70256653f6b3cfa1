// What a part of the service says of itself, in Chinese where the sentence is known; any other stays as it is.

const SENTENCES: readonly (readonly [RegExp, string])[] = [
  [
    /^Nobody is on duty in the rota (\S+) until (\S+) \((\S+)\): .*$/,
    '值班表 $1 现在无人值班，直到 $2（$3）；告警改叫各阶梯的下一级。请补班次或替班。'
  ],
  [
    /^Nobody will be on duty in the rota (\S+) from (\S+) until (\S+) \((\S+)\): .*$/,
    '值班表 $1 从 $2 到 $3（$4）无人值班。请补班次或替班。'
  ],
  [/^Nobody could be told of one \w+ alarm without an acknowledgement: .*$/, '1 条告警，整个阶梯的每种方式都已失败。原因见“通知”。'],
  [
    /^Nobody could be told of (\d+) alarms \(the most severe is \w+\) without an acknowledgement: .*$/,
    '$1 条告警，整个阶梯的每种方式都已失败。原因见“通知”。'
  ],
  [/^(\d+) notifications? waits? to be sent, the oldest for (\d+) s: .*$/, '$1 条待发，最早的已等 $2 秒。'],
  [/^(.+): sending fails again and again; it is tried on\.$/, '$1：一再发送失败，仍在重试。'],
  [/^Judging is (\d+) s behind receiving \((\d+) messages\): .*$/, '落后 $1 秒（$2 条）。']
]

/** The sentence in Chinese, or as it is. */
export function healthInChinese(sentence: string): string {
  const known = SENTENCES.find(([pattern]) => pattern.test(sentence))
  return known === undefined ? sentence : sentence.replace(...known)
}
