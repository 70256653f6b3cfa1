// What is to be done when: a binary heap of entries by instant; entries of one instant come out in the order in which they
// went in. Plain data inside, so it can be kept in a snapshot.

interface Slot<Entry> {
  readonly at: number
  readonly order: number
  readonly entry: Entry
}

export interface AgendaSnapshot<Entry> {
  readonly slots: readonly Slot<Entry>[]
  readonly next: number
}

export class Agenda<Entry> {
  #slots: Slot<Entry>[] = []
  #next = 0

  get size(): number {
    return this.#slots.length
  }

  /** Infinity where nothing is to be done. */
  get nextAt(): number {
    return this.#slots[0]?.at ?? Number.POSITIVE_INFINITY
  }

  add(at: number, entry: Entry): void {
    const slots = this.#slots
    const slot = { at, order: this.#next++, entry }
    let place = slots.length
    slots.push(slot)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (before(slots[parent] as Slot<Entry>, slot)) break
      slots[place] = slots[parent] as Slot<Entry>
      place = parent
    }
    slots[place] = slot
  }

  /** Takes out the first entry; undefined where there is none. */
  take(): Entry | undefined {
    const slots = this.#slots
    const first = slots[0]
    const last = slots.pop()
    if (first === undefined || last === undefined) return undefined
    if (slots.length > 0) this.#sink(last)
    return first.entry
  }

  snapshot(): AgendaSnapshot<Entry> {
    return { slots: [...this.#slots], next: this.#next }
  }

  static restore<Entry>({ slots, next }: AgendaSnapshot<Entry>): Agenda<Entry> {
    const agenda = new Agenda<Entry>()
    agenda.#slots = [...slots]
    agenda.#next = next
    return agenda
  }

  #sink(slot: Slot<Entry>): void {
    const slots = this.#slots
    let place = 0
    for (;;) {
      let child = place * 2 + 1
      if (child >= slots.length) break
      const other = child + 1
      if (other < slots.length && before(slots[other] as Slot<Entry>, slots[child] as Slot<Entry>)) child = other
      if (before(slot, slots[child] as Slot<Entry>)) break
      slots[place] = slots[child] as Slot<Entry>
      place = child
    }
    slots[place] = slot
  }
}

function before(one: Slot<unknown>, other: Slot<unknown>): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
