// Prometheus metrics behind one door. Labels are closed sets named here by the caller; nothing from outside becomes a label.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Count {
  add(amount?: number): void
  readonly value: number
}

/** The service's metrics; one instance per process, passed to the parts that count. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #beforeScrape: (() => void)[] = []

  /** A counter. Adding is a plain addition; the value is handed over at each scrape. */
  counter(name: string, help: string): Count {
    const counter = new Counter({ name, help, registers: [this.#registry], collect: () => settle() })
    let value = 0
    let told = 0
    const settle = (): void => {
      counter.inc(value - told)
      told = value
    }
    return {
      add: (amount = 1) => void (value += amount),
      get value() {
        return value
      }
    }
  }

  /** A family of counters told apart by one label with the given closed set of values. */
  counters<Value extends string>(name: string, help: string, label: string, values: readonly Value[]): Record<Value, Count> {
    const counts = {} as Record<Value, Count & { told: number; total: number }>
    for (const value of values) {
      const count = {
        total: 0,
        told: 0,
        add: (amount = 1) => void (count.total += amount),
        get value() {
          return count.total
        }
      }
      counts[value] = count
    }
    new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        for (const value of values) {
          this.inc({ [label]: value }, counts[value].total - counts[value].told)
          counts[value].told = counts[value].total
        }
      }
    })
    return counts
  }

  /** A gauge that asks `read` at each scrape. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read())
      }
    })
  }

  /** Gauges told apart by one label, whose values (a closed set) and figures `read` names at each scrape. */
  gauges(name: string, help: string, label: string, read: () => readonly (readonly [string, number])[]): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        for (const [value, figure] of read()) this.set({ [label]: value }, figure)
      }
    })
  }

  /** A histogram of seconds with the given bucket bounds. */
  seconds(name: string, help: string, buckets: readonly number[]): { observe(seconds: number): void } {
    return new Histogram({ name, help, buckets: [...buckets], registers: [this.#registry] })
  }

  /** Calls `act` at the beginning of each scrape, so that figures that must add up are taken at one instant. */
  beforeScrape(act: () => void): void {
    this.#beforeScrape.push(act)
  }

  /** Prometheus text exposition. */
  text(): Promise<string> {
    for (const act of this.#beforeScrape) act()
    return this.#registry.metrics()
  }
}
