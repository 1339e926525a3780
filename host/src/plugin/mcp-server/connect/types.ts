import type * as SdkModule from '@modelcontextprotocol/client'
import type { PriorDiscovery, ProtocolEra, Transport } from '@modelcontextprotocol/client'
import type { CallRequest } from '../../run/running.ts'

/** Parameters, results and definitions as they come: checked where they are used. */
export type Fields = Readonly<Record<string, unknown>>

/** One connection to one server, whatever it goes over. */
export interface ServerConnection {
  /** By which rules it speaks: those of 2025 and before, or those of 2026-07-28. */
  readonly era: ProtocolEra
  /** For the next connection, which then does not have to ask by which rules. */
  readonly prior: PriorDiscovery
  readonly server: { readonly name: string; readonly version: string } | undefined
  readonly capabilities: Fields
  /** Resolves with why once it is over, however that came. */
  readonly closed: Promise<string>
  /** The last that the server printed. */
  tail(): string
  /** Gives the result as the server sent it. Rejects with the server's error, and when the connection is over. */
  request(method: string, params: Fields, options: RequestOptions): Promise<Fields>
  notify(method: string, params?: Fields): Promise<void>
  /** 2026-07-28: has the server tell of changes, until the connection is over. */
  listen(filter: Fields): Promise<void>
  /** Ends it, and the process behind it; `why` is what `closed` says. */
  close(why?: string): Promise<void>
}

export interface RequestOptions {
  /** What ends it early: the server is told, and the request is rejected. */
  readonly until?: Until
  readonly timeoutMs?: number
  readonly onProgress?: ((progress: number, options: { total?: number; message?: string }) => void) | undefined
  /** Told when `until` has ended it. */
  readonly onCancelled?: () => void
}

/** A controller, or a call: that makes a signal only for who asks for it, and has one listener at less than its price. */
export type Until = Pick<CallRequest, 'signal' | 'onCancel'>

/** The SDK's client, which is read when the first server is connected. */
export type Sdk = typeof SdkModule

/** What a transport is made of, each time one is needed. */
export interface OpenedTransport {
  readonly transport: Transport
  /** Takes leave of a server that goes on without this client. */
  readonly leave?: () => Promise<void>
  /** Resolves with why when it is over; a transport without a process is over when it is closed. */
  readonly exited?: Promise<string>
  /** The last that the server printed. */
  readonly tail?: () => string
  /** Of a pipe: sends one message in its own line, past the transport. Throws when the server does not read any more. */
  readonly write?: (line: string, expectsAnswer: boolean) => void
}
