// A duty of one ladder to one person by SMS, a second one who reads English; and a house that tells them by a carrier with a ledger.

import type { Duty } from '../../src/model/duty.ts'
import { LedgerCarrier, LedgerChannel } from '../alerts/ledgerCarrier.ts'
import { House } from './harness.ts'
import { PLANT } from './plant.ts'

const person = (id: string, sms: string, language: 'zh' | 'en' = 'zh'): Duty['people'][number] => ({
  ...{ id, name: { zh: id, en: id }, language, zone: 'Asia/Shanghai', enterprise: 'daxie', user: null, quiet: null },
  addresses: { sms }
})
const DUTY: Duty = {
  ...{ people: [person('li', '+8613800000001'), person('zhang', '13900000002', 'en')], teams: [], rotas: [], responsible: [] },
  ladders: [
    {
      id: 'standard',
      appliesTo: { tiers: null, rules: null, area: null, site: null, enterprise: null },
      rungs: [{ afterMs: 0, tell: [{ kind: 'person', id: 'li' }], by: [['sms']], repeatMs: null, times: 1 }],
      receiptWithinMs: null
    }
  ],
  ...{ groupWindowMs: 0, throttle: null, floodDigestMs: 0, receipts: [] }
}

export interface Told {
  readonly house: House
  readonly carrier: LedgerCarrier
  close(): Promise<void>
}

export async function openTold(Channel: typeof LedgerChannel = LedgerChannel): Promise<Told> {
  const carrier = await LedgerCarrier.open()
  const channel = new Channel({ url: carrier.url, id: 'sms-main', receipts: true })
  const house = await House.open({ plant: { ...PLANT, duty: DUTY }, channels: [channel] })
  const close = async (): Promise<void> => {
    await house.parts.telling.stop()
    await carrier.close()
    await house.close()
  }
  return { house, carrier, close }
}
