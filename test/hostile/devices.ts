/** The Devices that the good client asks for: it must not ask for one while it is being answered. */

const first = 0x02e3_0000_0000_9000n

export const devices: readonly string[] = Array.from({ length: 200 }, (_, i) =>
  (first + BigInt(i)).toString(16).padStart(16, '0'),
)
