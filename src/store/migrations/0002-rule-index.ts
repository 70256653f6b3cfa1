// When each rule last raised an alarm is asked of the alarms by rule; without an index that reads every alarm there ever was.

import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

export const ruleIndex: Migration = {
  async up(db: Kysely<unknown>) {
    // With the enterprise in it, a scoped question too is answered by the index alone.
    await db.schema.createIndex('alarms_rule').on('alarms').columns(['rule', 'raised_at', 'enterprise']).execute()
    await db.schema.createIndex('alarms_cleared').on('alarms').columns(['cleared_at', 'raised_at']).execute()
  }
}
