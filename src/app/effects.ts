// What the pipeline hands on: everything that a turn has caused, in streams, each in the order of its causes.

import type { AlarmEvent, DeskEvent, Transition } from '../model/alarm.ts'
import type { DrillTurn } from '../model/drill.ts'
import type { Reject } from '../model/journal.ts'
import type { MarkChange } from '../model/mark.ts'
import type { DeliveryReport, PlannedNotification } from '../model/notification.ts'
import { ReadingColumns } from '../model/readings.ts'

/** What one turn caused. Reused from turn to turn: take what is needed before the next. */
export class Effects {
  readonly events: AlarmEvent[] = []
  /** The same events, one for one, with the alarm after each and whether it is to be told. */
  readonly desk: DeskEvent[] = []
  /** What shadow rules did: kept apart, and told to nobody. */
  readonly shadow: Transition[] = []
  readonly rejects: Reject[] = []
  readonly readings = new ReadingColumns(4096)
  readonly presence: string[] = []
  /** Marks of alarms that went on or off, floods included. */
  readonly marks: MarkChange[] = []
  /** Whom to tell what, and whom not and why; kept in the transaction of the events. */
  readonly notifications: PlannedNotification[] = []
  /** What became of drills: no alarms, and no events of any. */
  readonly drills: DrillTurn[] = []
  /** What the journal says has become of notifications: an input, handed on for a store that may have lost it. */
  readonly reports: { readonly at: number; readonly report: DeliveryReport }[] = []

  clear(): void {
    this.events.length = 0
    this.desk.length = 0
    this.shadow.length = 0
    this.rejects.length = 0
    this.presence.length = 0
    this.marks.length = 0
    this.notifications.length = 0
    this.drills.length = 0
    this.reports.length = 0
    this.readings.clear()
  }
}
