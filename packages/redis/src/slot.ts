/** How many slots a cluster shares out. */
export const slotCount = 16_384

// CRC-16/XMODEM: polynomial 0x1021, nothing reflected.
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 8
  for (let bit = 0; bit < 8; bit += 1) remainder = (remainder << 1) ^ (remainder & 0x8000 ? 0x1021 : 0)
  return remainder & 0xffff
})

/** The slot of a channel: of what stands within its first `{` and the `}` after it, if anything; else of all of it. */
export function slotOf(channel: string): number {
  const open = channel.indexOf('{')
  const close = open === -1 ? -1 : channel.indexOf('}', open + 1)
  const hashed = close > open + 1 ? channel.slice(open + 1, close) : channel
  let crc = 0
  for (const byte of Buffer.from(hashed)) crc = ((crc << 8) & 0xffff) ^ (table[(crc >> 8) ^ byte] ?? 0)
  return crc % slotCount
}
