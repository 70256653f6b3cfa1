import { expect, it } from 'vitest'
import type { OutgoingAnswer } from '../../src/alerts/channels/outgoing.ts'
import { DeadMan } from '../../src/app/deadMan.ts'
import { faultWords } from '../../src/app/faultWords.ts'
import { type Fault, SelfWatch } from '../../src/app/selfWatch.ts'
import { unreachedPart } from '../../src/app/telling.ts'
import type { Duty } from '../../src/model/duty.ts'
import type { PlannedNotification } from '../../src/model/notification.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { PLANT } from '../api/plant.ts'

const START = Date.parse('2026-01-01T00:00:00Z')
const DUTY: Duty = {
  people: [
    {
      ...{ id: 'li', name: { zh: '李', en: 'Li' }, language: 'en', zone: 'UTC', enterprise: null, user: null, quiet: null },
      // Of these nobody serves voice: no message is made that could only fail.
      addresses: { sms: '13800000001', email: 'li@example.com', voice: '13800000001' }
    }
  ],
  teams: [{ id: 'operators', name: { zh: '运维', en: 'Operators' }, people: ['li'] }],
  ...{ rotas: [], responsible: [], ladders: [], groupWindowMs: 0, throttle: null, floodDigestMs: 0, receipts: [] }
}

function watchOver(faults: () => readonly Fault[]): { clock: ManualClock; watch: SelfWatch; told: PlannedNotification[] } {
  const clock = new ManualClock(START)
  const told: PlannedNotification[] = []
  const add = async (planned: readonly PlannedNotification[]): Promise<void> => void told.push(...planned)
  const plant = () => ({ ...PLANT, duty: DUTY })
  return {
    clock,
    told,
    watch: new SelfWatch({ clock, log: silentLog, to: ['operators'], plant, served: new Set(['sms', 'email']), faults, add })
  }
}

it('says where nobody could be told of an alarm, without naming it', () => {
  expect(unreachedPart([])).toEqual([])
  const [one] = unreachedPart([{ tier: 'red' }])
  expect(one).toEqual({
    ...{ part: 'people', state: 'degraded' },
    problem:
      'Nobody could be told of one red alarm without an acknowledgement: every way on the whole ladder has failed. Call somebody now, and look at Notifications for why.'
  })
  expect(unreachedPart([{ tier: 'blue' }, { tier: 'orange' }, { tier: 'yellow' }])[0]?.problem).toContain(
    '3 alarms (the most severe is orange) without an acknowledgement'
  )
  expect(faultWords('people', one?.problem ?? '', 'zh')).toMatchObject({
    name: '无人收到报警',
    problem: expect.stringContaining('立即打电话')
  })
})

it('tells a fault that stays, again each hour, and its end; one that passes at once is not told', async () => {
  let faults: Fault[] = []
  const { clock, watch, told } = watchOver(() => faults)
  const at = async (seconds: number): Promise<void> => {
    clock.moveTo(START + seconds * 1000)
    await watch.look()
  }
  faults = [{ part: 'history', problem: 'It lags.' }]
  await at(5)
  faults = []
  await at(10)
  faults = [{ part: 'journal', problem: 'The disk is full.' }]
  await at(20)
  await at(49)
  expect(told).toEqual([])
  await at(50)
  await at(60)
  await at(3649)
  expect(told.map(({ person, channel, reason, tier }) => [person, channel, reason, tier])).toEqual([
    ['li', 'sms', 'self', 'orange'],
    ['li', 'email', 'self', 'orange']
  ])
  expect(told[0]?.text).toContain('The disk is full.')
  await at(3650)
  faults = []
  await at(3655)
  expect(told.map(({ words }) => words.what)).toEqual([...Array(4).fill('fault: journal'), ...Array(2).fill('fault over: journal')])
  expect(new Set(told.map(({ id }) => id)).size).toBe(6)
})

it('speaks the language of whoever is told: which part, what follows from it, where to look', async () => {
  const person = { ...(DUTY.people[0] as Duty['people'][number]), language: 'zh' as const }
  const clock = new ManualClock(START)
  const told: PlannedNotification[] = []
  const faults = () => [{ part: 'channel sms', problem: 'sms-main: sending fails again and again; it is tried on.' }]
  const plant = () => ({ ...PLANT, duty: { ...DUTY, people: [person] } })
  const add = async (planned: readonly PlannedNotification[]): Promise<void> => void told.push(...planned)
  const watch = new SelfWatch({ clock, log: silentLog, to: ['li'], plant, served: new Set(['sms'] as const), faults, add })
  await watch.look()
  clock.moveTo(START + 30_000)
  await watch.look()
  expect(told[0]?.text).toBe(
    '烽火服务:服务故障:短信通道,这种方式目前发不出消息,已改用其他方式或下一位人员。处置:登录控制台查看服务状态,或通知运维人员。1月1日 00:00'
  )
})

it('the heartbeat goes out while the service is well, and says where it does not arrive', async () => {
  const clock = new ManualClock(START)
  const sent: string[] = []
  let alive = true
  let answer: OutgoingAnswer = { kind: 'answer', status: 200, headers: {}, body: '', cut: false }
  const outgoing = {
    send: async ({ url }: { url: string }) => {
      sent.push(url)
      return answer
    }
  }
  const deadMan = new DeadMan({
    url: 'https://watch.example.com/ping/secret',
    everyMs: 60_000,
    outgoing,
    clock,
    log: silentLog,
    alive: () => alive
  })
  await deadMan.start()
  clock.moveTo(START + 120_000)
  expect([sent.length, deadMan.problem]).toEqual([3, null])
  answer = { ...answer, status: 503 }
  clock.moveTo(START + 180_000)
  await Promise.resolve()
  await Promise.resolve()
  expect(deadMan.problem).toBe(
    'The heartbeat does not reach https://watch.example.com: it answers 503. Nobody outside would notice if this service fell silent.'
  )
  alive = false
  clock.moveTo(START + 600_000)
  expect(sent.length).toBe(4)
  await deadMan.stop()
})
