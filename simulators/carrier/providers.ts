// How the providers' HTTP interfaces read and answer a message: enough of each to be told apart and to say taken, too fast, refused.

import type { IncomingMessage } from 'node:http'
import type { LedgerEntry } from './carrier.ts'

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

type Answers = Readonly<Record<'taken' | 'throttled' | 'refused', (number: number) => Answer>>

interface Said {
  readonly message: Pick<LedgerEntry, 'way' | 'to' | 'text' | 'reference'>
  readonly answers: Answers
}

/** What a request says, and what may be answered. */
export function answerAsProvider(request: IncomingMessage, body: string): Said {
  const path = (request.url ?? '/').split('?')[0] as string
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '')
  const header = (name: string): string => String(request.headers[name] ?? '')
  if (header('x-acs-action') !== '') return aliyun(query)
  if (header('x-tc-action') !== '') return tencent(jsonIn(body))
  if (path.startsWith('/2010-04-01/')) return twilio(new URLSearchParams(body))
  if (path === '/robot/send') return robot('dingtalk', jsonIn(body), 130101, 310000)
  if (path === '/cgi-bin/webhook/send') return robot('wecom', jsonIn(body), 45009, 93000)
  if (path.startsWith('/open-apis/bot/')) return feishu(jsonIn(body))
  return {
    message: { way: 'webhook', to: path, text: textIn(jsonIn(body).text) || body, reference: header('webhook-id') },
    answers: {
      taken: () => ({ status: 200, body: '{}' }),
      throttled: () => ({ status: 429, headers: { 'retry-after': '1' }, body: '{}' }),
      refused: () => ({ status: 410, body: '{}' })
    }
  }
}

function aliyun(query: URLSearchParams): Said {
  const said = (Code: string, more: object = {}): Answer => ({
    status: 200,
    body: JSON.stringify({ Code, Message: Code, RequestId: 'R', ...more })
  })
  return {
    message: {
      way: 'aliyun',
      to: query.get('PhoneNumbers') ?? query.get('CalledNumber') ?? '',
      text: query.get('TemplateParam') ?? query.get('TtsParam') ?? '',
      reference: query.get('OutId') ?? ''
    },
    answers: {
      taken: (number) => said('OK', { BizId: `biz-${number}`, CallId: `call-${number}` }),
      throttled: () => said('isv.BUSINESS_LIMIT_CONTROL'),
      refused: () => said('isv.MOBILE_NUMBER_ILLEGAL')
    }
  }
}

function tencent(body: Readonly<Record<string, unknown>>): Said {
  const [to] = listIn(body.PhoneNumberSet)
  const said = (Code: string, SerialNo = ''): Answer => ({
    status: 200,
    body: JSON.stringify({ Response: { SendStatusSet: [{ SerialNo, PhoneNumber: to, Fee: 1, Code, Message: Code }], RequestId: 'R' } })
  })
  return {
    message: { way: 'tencent', to: textIn(to), text: listIn(body.TemplateParamSet).join(' | '), reference: textIn(body.SessionContext) },
    answers: {
      taken: (number) => said('Ok', `serial-${number}`),
      throttled: () => said('LimitExceeded.PhoneNumberThirtySecondLimit'),
      refused: () => said('InvalidParameterValue.IncorrectPhoneNumber')
    }
  }
}

function twilio(form: URLSearchParams): Said {
  const problem = (status: number, code: number): Answer => ({ status, body: JSON.stringify({ code, message: `Error ${code}`, status }) })
  return {
    message: { way: 'twilio', to: form.get('To') ?? '', text: form.get('Body') ?? '', reference: '' },
    answers: {
      taken: (number) => ({ status: 201, body: JSON.stringify({ sid: `SM${number}`, status: 'queued', error_code: null }) }),
      throttled: () => problem(429, 20429),
      refused: () => problem(400, 21211)
    }
  }
}

function robot(way: 'dingtalk' | 'wecom', body: Readonly<Record<string, unknown>>, tooFast: number, wrong: number): Said {
  const said = (errcode: number) => (): Answer => ({ status: 200, body: JSON.stringify({ errcode, errmsg: errcode === 0 ? 'ok' : 'no' }) })
  return {
    message: { way, to: 'group', text: textIn((body.text as { content?: unknown } | undefined)?.content), reference: '' },
    answers: { taken: said(0), throttled: said(tooFast), refused: said(wrong) }
  }
}

function feishu(body: Readonly<Record<string, unknown>>): Said {
  const said = (code: number) => (): Answer => ({
    status: 200,
    body: JSON.stringify({ code, msg: code === 0 ? 'success' : 'no', data: {} })
  })
  return {
    message: { way: 'feishu', to: 'group', text: textIn((body.content as { text?: unknown } | undefined)?.text), reference: '' },
    answers: { taken: said(0), throttled: said(9499), refused: said(19021) }
  }
}

function jsonIn(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
