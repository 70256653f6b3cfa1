// How far a reading can be trusted. One quality per reading; where several apply, the last in this list wins.

export const QUALITIES = ['good', 'late', 'clockSkewed', 'outOfRange', 'sensorFault'] as const
/**
 * - good: as the device said it.
 * - late: older than what its device has already been judged on; history only.
 * - clockSkewed: its own time stamp was missing, before 2000 or too far ahead; `at` is the receipt.
 * - outOfRange: outside the metric's `min..max`; kept, but unknown to rules.
 * - sensorFault: the device itself calls the value bad; kept without a value, unknown to rules.
 */
export type Quality = (typeof QUALITIES)[number]

/** The index of each quality in QUALITIES, as stored in columns. */
export const GOOD = 0
export const LATE = 1
export const CLOCK_SKEWED = 2
export const OUT_OF_RANGE = 3
export const SENSOR_FAULT = 4
