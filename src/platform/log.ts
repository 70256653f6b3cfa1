// One line per state change; readings are counted, not logged. Secrets and phone numbers are redacted here.

import { pino } from 'pino'

export interface Log {
  debug(sentence: string, fields?: Record<string, unknown>): void
  info(sentence: string, fields?: Record<string, unknown>): void
  warn(sentence: string, fields?: Record<string, unknown>): void
  error(sentence: string, fields?: Record<string, unknown>): void
}

const REDACTED = ['secret', 'password', 'token', 'cookie', 'authorization', 'phone', '*.secret', '*.password', '*.token', '*.phone']

/** A log that writes JSON lines to standard error. */
export function openLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): Log {
  const sink = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: REDACTED },
    pino.destination({ fd: 2, sync: true })
  )
  return {
    debug: (sentence, fields = {}) => sink.debug(fields, sentence),
    info: (sentence, fields = {}) => sink.info(fields, sentence),
    warn: (sentence, fields = {}) => sink.warn(fields, sentence),
    error: (sentence, fields = {}) => sink.error(fields, sentence)
  }
}

/** Says nothing: for tests and offline commands. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
