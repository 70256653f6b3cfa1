import { LAST_INSTANT } from '../../src/history/stretch.ts'
import { behavesAsHistory } from './behaviour.ts'

behavesAsHistory({ lastInstant: LAST_INSTANT, influx: () => null })
