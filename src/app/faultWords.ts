// A fault of this service in the language of whoever is told. Health speaks English to whoever runs the service; a person who
// is told in Chinese hears which part fails, what follows from it, and where to look.

import type { Language } from '../model/text.ts'

export interface FaultWords {
  readonly name: string
  readonly problem: string
  readonly todo: string
}

interface Known {
  readonly part: RegExp
  readonly name: (match: RegExpExecArray) => string
  readonly problem: string
}

const WAYS: Readonly<Record<string, string>> = {
  sms: '短信',
  voice: '语音电话',
  email: '邮件',
  webhook: '接口推送',
  dingtalk: '钉钉',
  feishu: '飞书',
  wecom: '企业微信',
  push: '浏览器推送'
}

const KNOWN: readonly Known[] = [
  {
    part: /^channel (webhook|push)$/,
    name: ([, way = '']) => `${WAYS[way] ?? way}通道`,
    problem: '发往某个地址的消息目前发不出去,已改用其他方式或下一位人员'
  },
  {
    part: /^channel (\w+)$/,
    name: ([, way = '']) => `${WAYS[way] ?? way}通道`,
    problem: '这种方式目前发不出消息,已改用其他方式或下一位人员'
  },
  {
    part: /^provider (.+)$/,
    name: ([, id = '']) => `通道 ${id}`,
    problem: '该服务商拒绝发送或屡次失败,消息已改由下一个服务商发送,请检查其账户、配置和网络'
  },
  { part: /^notification queue$/, name: () => '通知队列', problem: '队列不可用,通知改为直接发送,会慢几秒' },
  { part: /^notifications$/, name: () => '通知发送', problem: '有通知积压未发出,人员可能收不到报警' },
  { part: /^delivery workers$/, name: () => '发送进程', problem: '没有发送进程在运行,由主服务自行发送' },
  { part: /^delivery worker (.+)$/, name: ([, which = '']) => `发送进程 ${which}`, problem: '该发送进程目前有问题' },
  { part: /^journal$/, name: () => '数据日志', problem: '新数据无法写入磁盘,报警判断可能停止' },
  { part: /^MQTT broker$/, name: () => 'MQTT 服务器', problem: '与外部 MQTT 服务器的连接有问题,设备数据可能收不到或有丢失' },
  { part: /^clock$/, name: () => '系统时钟', problem: '系统时钟被拨回,服务以半速计时直到一致,逐级通知会推迟,必要时请自行打电话' },
  { part: /^disk$/, name: () => '磁盘', problem: '磁盘空间不足' },
  { part: /^loop$|^judging$/, name: () => '报警判断', problem: '报警判断落后或停止' },
  { part: /^history$/, name: () => '历史数据', problem: '历史数据写入落后或停止,报警不受影响' },
  { part: /^state/, name: () => '状态库', problem: '报警记录无法写入,报警需要等待' },
  { part: /^standby$/, name: () => '备用实例', problem: 'PostgreSQL 中的数据日志副本不完整,备用实例暂时无法接管,报警不受影响' },
  { part: /^heartbeat$/, name: () => '外部心跳', problem: '外部监视收不到心跳,服务停止时将无人察觉' },
  { part: /^duty (.+)$/, name: ([, rota = '']) => `值班表 ${rota}`, problem: '未来一段时间无人值班' },
  { part: /^people$/, name: () => '无人收到报警', problem: '有未确认的报警,所有人员和方式都没有通知到,请立即打电话通知有关人员' },
  { part: /^rules$/, name: () => '规则', problem: '有规则目前无法判断' },
  { part: /^audit log$/, name: () => '审计日志', problem: '审计日志的每日存证写不出去' },
  { part: /^sign-in elsewhere$/, name: () => '统一登录', problem: '统一登录服务连不上,本地账号不受影响' },
  {
    part: /^certificate (http|mqtt)$/,
    name: ([, which]) => (which === 'http' ? '控制台证书' : '网关接入证书'),
    problem: '证书即将到期、已到期或新证书无法使用,需要更新'
  },
  { part: /^changes$/, name: () => '配置改动', problem: '有配置改动未能生效' }
]

/** `problem` as health says it, in English. */
export function faultWords(part: string, problem: string, language: Language): FaultWords {
  if (language === 'en') return { name: part, problem, todo: '' }
  const todo = '登录控制台查看服务状态,或通知运维人员'
  for (const known of KNOWN) {
    const match = known.part.exec(part)
    if (match !== null) return { name: known.name(match), problem: known.problem, todo }
  }
  return { name: part, problem: '该部分工作不正常', todo }
}
