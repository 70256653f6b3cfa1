import { describe, expect, it } from 'vitest'
import { parseTelemetryTopic } from '../../src/ingest/topics.ts'

describe('a topic', () => {
  it.each([
    ['fh/1/gw-01/telemetry', { gateway: 'gw-01', device: null, leaf: 'telemetry' }],
    ['fh/1/gw-01/T-101/telemetry', { gateway: 'gw-01', device: 'T-101', leaf: 'telemetry' }],
    ['fh/1/gw-01/status', { gateway: 'gw-01', device: null, leaf: 'status' }],
    ['fh/1/gw-01/rejects', { gateway: 'gw-01', device: null, leaf: 'rejects' }],
    ['fh/1/telemetry/telemetry', { gateway: 'telemetry', device: null, leaf: 'telemetry' }],
    ['fh/1/g/status/telemetry', { gateway: 'g', device: 'status', leaf: 'telemetry' }],
    [`fh/1/${'a'.repeat(64)}/telemetry`, { gateway: 'a'.repeat(64), device: null, leaf: 'telemetry' }]
  ])('%s is read', (topic, expected) => expect(parseTelemetryTopic(topic)).toEqual(expected))

  it.each([
    '',
    'fh/1/gw-01',
    'fh/2/gw-01/telemetry',
    'fh/1//telemetry',
    'fh/1/gw-01//telemetry',
    'fh/1/gw 01/telemetry',
    'fh/1/gw-01/telemetry/',
    '/fh/1/gw-01/telemetry',
    'fh/1/gw-01/telemetry\n',
    'fh/1/gw-01/T-101/status',
    'fh/1/gw-01/a/b/telemetry',
    'fh/1/gw-01/Telemetry',
    `fh/1/${'a'.repeat(65)}/telemetry`,
    'fh/1/储罐/telemetry'
  ])('%j is none', (topic) => expect(parseTelemetryTopic(topic)).toBeNull())
})
