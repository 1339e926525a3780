import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net'

/** The end of a channel: a descriptor of this process, or the pipe that Node opened to a child. */
export type ChannelEnd = { readonly fd: number } | Socket

/** Where a channel reads into: memory for the next bytes, and what to do when so many of them came. Neither may throw. */
export interface ChannelReading {
  readonly space: () => Uint8Array
  readonly filled: (bytes: number) => void
  /** The same for a piece that is in memory of its own. */
  readonly push: (chunk: Buffer) => void
}

/**
 * A socket that reads into memory that is given to it. Node gives each read memory of its own, unless a socket is made with `onread`,
 * which its pipes to children are not: then this one takes over their handle. A socket that has none under that name is read as it is.
 */
export function openChannelSocket(end: ChannelEnd, { space, filled, push }: ChannelReading): Socket {
  const onread: OnReadOpts = {
    buffer: space,
    callback(bytes) {
      filled(bytes)
      return true
    },
  }
  if (!(end instanceof Socket)) return flowing(new Socket({ ...end, onread }))
  const handle: unknown = Reflect.get(end, '_handle')
  if (!(end.constructor === Socket && isPipe(handle))) return end.on('data', push)
  end.on('error', () => {}) // it has nothing left to read or write
  Reflect.set(end, '_handle', null)
  return flowing(new Socket({ handle, onread } as SocketConstructorOpts))
}

function isPipe(handle: unknown): boolean {
  return typeof handle === 'object' && handle !== null && handle.constructor.name === 'Pipe'
}

/** So that its end is seen. */
function flowing(socket: Socket): Socket {
  return socket.resume()
}
