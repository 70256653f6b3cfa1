// The part of npm smpp that we use; the library brings no types of its own.

declare module 'smpp' {
  import type { EventEmitter } from 'node:events'
  import type { Server as NetServer, Socket } from 'node:net'

  export interface ShortMessage {
    readonly message?: string | Buffer
    /** Information elements of the user data header, each with its own id and length. */
    readonly udh?: readonly Buffer[]
  }

  export interface PDU {
    readonly command: string
    readonly command_status: number
    readonly sequence_number: number
    readonly message_id?: string
    readonly source_addr?: string
    readonly destination_addr?: string
    readonly esm_class?: number
    readonly data_coding?: number
    readonly registered_delivery?: number
    readonly short_message?: ShortMessage
    readonly message_payload?: ShortMessage
    readonly receipted_message_id?: string
    readonly message_state?: number
    readonly user_message_reference?: number
    readonly sar_msg_ref_num?: number
    readonly sar_total_segments?: number
    readonly sar_segment_seqnum?: number
    readonly system_id?: string
    readonly password?: string
    response(options?: Record<string, unknown>): PDU
  }

  export interface Session extends EventEmitter {
    readonly socket: Socket
    send(pdu: PDU): boolean
    close(done?: () => void): void
    destroy(done?: () => void): void
    bind_transceiver(options: Record<string, unknown>, answered?: (pdu: PDU) => void): boolean
    submit_sm(options: Record<string, unknown>, answered?: (pdu: PDU) => void): boolean
    deliver_sm(options: Record<string, unknown>, answered?: (pdu: PDU) => void): boolean
    enquire_link(options: Record<string, unknown>, answered?: (pdu: PDU) => void): boolean
    unbind(options: Record<string, unknown>, answered?: (pdu: PDU) => void): boolean
  }

  export interface Encoding {
    match(text: string): boolean
    encode(text: string): Buffer
    decode(bytes: Buffer): string
  }

  export interface Server extends NetServer {
    readonly sessions: Session[]
  }

  interface Library {
    connect(options: Record<string, unknown>): Session
    createServer(options: Record<string, unknown>, listener: (session: Session) => void): Server
    readonly encodings: Readonly<Record<'ASCII' | 'LATIN1' | 'UCS2', Encoding>>
    readonly errors: Readonly<Record<string, number>>
  }

  const library: Library
  export default library
}
