import type { ServerResponse } from 'node:http'
import type { ErrorCode, HostError } from '../../errors.ts'
import { sendJson, type Refusal } from '../http/respond.ts'

/** On every answer of the API and every file of the page. */
export const NO_STORE = Object.freeze({
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
})

/** The form of every error. */
export interface AdminError {
  readonly error: { readonly code: string; readonly message: string; readonly fix: readonly string[] }
}

export function sendAnswer(res: ServerResponse, status: number, body: string, headers?: Readonly<Record<string, string>>): void {
  sendJson(res, status, body, { ...NO_STORE, ...headers })
}

/** A refusal of the listener, in the form of the API. */
export function sendRefusal(res: ServerResponse, { status, message, headers }: Refusal): void {
  const error: AdminError = { error: { code: CODES[status] ?? 'BAD_REQUEST', message, fix: [] } }
  sendAnswer(res, status, JSON.stringify(error), headers)
}

/** An error of the host, for the operator: whole. */
export function errorBody({ code, message, fix }: HostError): AdminError {
  return { error: { code, message, fix } }
}

/** The HTTP status that an error of the host is answered with. */
export function statusOf({ code }: HostError): number {
  return STATUSES[code] ?? 500
}

const STATUSES: Readonly<Partial<Record<ErrorCode, number>>> = {
  ADMIN_REQUEST: 400,
  ADMIN_NO_PROJECT: 409,
  CALLER_FILE: 400,
  HOST_CLOSING: 503,
  COMMAND_FAILED: 502,
  PIN_INCOMPLETE: 409,
  PIN_NOT_LOCKED: 409,
  PIN_NOT_SEEN: 409,
  PIN_UNKNOWN: 404,
  TOOL_UNKNOWN: 404,
}

const CODES: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'TOO_LARGE',
  415: 'MEDIA_TYPE',
  503: 'UNAVAILABLE',
}
