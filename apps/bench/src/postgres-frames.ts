/** One message of PostgreSQL's protocol. */
export function frame(type: string, text: string, ...bodies: readonly Buffer[]): Buffer {
  const body = Buffer.concat([Buffer.from(text), ...bodies])
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/** Returns what takes the bytes as they arrive; `onFrame` gets each message, from its body's first byte to behind its last. */
export function createFrameReader(
  onFrame: (type: string, bytes: Buffer, from: number, to: number) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (at + 5 <= bytes.length) {
      const end = at + 1 + bytes.readInt32BE(at + 1)
      if (end > bytes.length) break
      onFrame(String.fromCharCode(bytes[at] ?? 0), bytes, at + 5, end)
      at = end
    }
    rest = bytes.subarray(at)
  }
}
