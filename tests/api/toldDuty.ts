// A duty of one ladder to one person by SMS; a second one reads English.

import type { Duty } from '../../src/model/duty.ts'

const person = (id: string, sms: string, language: 'zh' | 'en' = 'zh'): Duty['people'][number] => ({
  ...{ id, name: { zh: id, en: id }, language, zone: 'Asia/Shanghai', enterprise: 'daxie', user: null, quiet: null },
  addresses: { sms }
})
export const DUTY: Duty = {
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
